// --record FILE: what became of each packet, for --replay (netem/recording.h).
#pragma once

#include <string>
#include <string_view>

#include "common/tool_error.h"
#include "udp/unique_fd.h"

namespace mxp::tools {

class RecordFile {
 public:
  // Writes the first line at once, so that an unwritable file shows before the first packet.
  static Result<RecordFile> open(UniqueFd file, std::string path);

  // Buffered. Failures are kept: see status().
  void add(std::string_view line);
  void flush();
  const Result<void>& status() const { return status_; }

 private:
  RecordFile(UniqueFd file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  UniqueFd file_;
  std::string path_;
  std::string buffer_;
  Result<void> status_;
};

}  // namespace mxp::tools
