#include "common/tool_error.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "common/log_writer.h"

namespace mxp::tools {

std::unexpected<ToolError> fail_errno(ErrorKind kind, std::string_view what, int errno_value) {
  return std::unexpected(ToolError{kind, fmt::format("{}: {}", what, std::strerror(errno_value)), errno_value});
}

bool out_of_descriptors(const ToolError& error) { return error.system_error == EMFILE || error.system_error == ENFILE; }

void print_error(std::string_view tool, const ToolError& error) {
  stderr_log().write(fmt::format("{}: {}\n", tool, error.message));
  stderr_log().flush(kLastWordPatience);
}

nlohmann::json to_json(const ToolError& error) {
  return {{"error", {{"kind", kind_word(error.kind)}, {"message", error.message}}}};
}

}  // namespace mxp::tools
