// Where the lines of packets go: one implementation for each format, over one buffered stdout.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/tool_error.h"
#include "mxp-dump/dissect/record.h"
#include "mxp-dump/options.h"

namespace mxp::dump {

class StdoutBuffer {
 public:
  void append(std::string_view text);
  void flush();
  // The reader has gone (EPIPE): there is nobody to write for, and that is no error.
  bool closed() const { return closed_; }
  // Any other write that failed.
  const std::optional<tools::ToolError>& failure() const { return failure_; }

 private:
  std::string pending_;
  std::optional<tools::ToolError> failure_;
  bool closed_ = false;
};

class PacketWriter {
 public:
  virtual ~PacketWriter() = default;
  // Appends the packet's line, with its newline.
  virtual void write(const PacketRecord& record, std::string& out) = 0;
  // A packet that is not shown.
  virtual void pass_over(const PacketRecord&) {}
  virtual std::string_view heading() const { return {}; }
};

std::unique_ptr<PacketWriter> make_packet_writer(const Options& options, bool colour);

}  // namespace mxp::dump
