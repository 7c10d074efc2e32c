#include "common/tool_error.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

namespace mxp::tools {

std::unexpected<ToolError> fail_errno(ErrorKind kind, std::string_view what, int errno_value) {
  return fail(kind, fmt::format("{}: {}", what, std::strerror(errno_value)));
}

void print_error(std::string_view tool, const ToolError& error) {
  const std::string text = fmt::format("{}: {}\n", tool, error.message);
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nowhere left to complain
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

nlohmann::json to_json(const ToolError& error) {
  return {{"error", {{"kind", kind_word(error.kind)}, {"message", error.message}}}};
}

}  // namespace mxp::tools
