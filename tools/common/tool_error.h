// Why a tool failed: what kind, and a message that says what failed, on which input, and what to try.
#pragma once

#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "common/exit_codes.h"

namespace mxp::tools {

struct ToolError {
  ErrorKind kind = ErrorKind::io;
  std::string message;   // one or two lines, without the tool's name and a final newline
  int system_error = 0;  // errno of the system call that failed; 0 if none did

  ExitCode exit_code() const { return tools::exit_code(kind); }
};

template <typename T>
using Result = std::expected<T, ToolError>;

// `return fail(ErrorKind::usage, "…")` from a function that returns a Result.
inline std::unexpected<ToolError> fail(ErrorKind kind, std::string message) {
  return std::unexpected(ToolError{kind, std::move(message)});
}
// The same for a failed system call: "<what>: <strerror(errno_value)>".
std::unexpected<ToolError> fail_errno(ErrorKind kind, std::string_view what, int errno_value);

// Whether it failed only because the process, or the machine, has no descriptor left: once a file is closed, it may
// succeed.
bool out_of_descriptors(const ToolError& error);

// Says "<tool>: <message>\n" on stderr, whose reader is waited for, but not long (common/log_writer.h).
void print_error(std::string_view tool, const ToolError& error);

// {"error":{"kind":…,"message":…}}
nlohmann::json to_json(const ToolError& error);

}  // namespace mxp::tools
