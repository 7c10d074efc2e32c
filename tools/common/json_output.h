// --json: one object a line, or one document, in a file or on stdout.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "common/tool_error.h"
#include "udp/unique_fd.h"

namespace mxp::tools {

enum class StdoutUse : std::uint8_t { free, carries_data };

class JsonOutput {
 public:
  // `target` as the user gave it: "" = not asked for, "-" = stdout (a usage error where stdout carries data), else a
  // file, which is truncated.
  static Result<JsonOutput> open(const std::string& target, StdoutUse use);

  explicit operator bool() const { return fd_ >= 0; }

  // Writes `value` compactly and a newline, at once; nothing if it was not asked for. Text that is not UTF-8 is
  // replaced.
  Result<void> write_line(const nlohmann::json& value);
  // The same, indented, for a document that people read too.
  Result<void> write_document(const nlohmann::json& value);

  // Whether something was written: an error that comes later must not spoil it.
  bool written() const { return written_; }

 private:
  Result<void> write_text(std::string_view text);

  UniqueFd owned_;
  int fd_ = -1;
  std::string target_;
  bool written_ = false;
};

}  // namespace mxp::tools
