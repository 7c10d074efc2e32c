#include "common/json_output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "common/write_all.h"

namespace mxp::tools {

Result<JsonOutput> JsonOutput::open(const std::string& target, StdoutUse use) {
  JsonOutput output;
  if (target.empty()) return output;
  if (target == "-") {
    if (use == StdoutUse::carries_data) {
      return fail(ErrorKind::usage, "--json would mix with the data on stdout: use --json=FILE");
    }
    output.fd_ = STDOUT_FILENO;
    output.target_ = "stdout";
    return output;
  }
  output.owned_ = UniqueFd(::open(target.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666));
  if (!output.owned_) return fail_errno(ErrorKind::io, fmt::format("cannot open {} for --json", target), errno);
  output.fd_ = output.owned_.get();
  output.target_ = target;
  return output;
}

Result<void> JsonOutput::write_line(const nlohmann::json& value) {
  if (fd_ < 0) return {};
  return write_text(value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

Result<void> JsonOutput::write_document(const nlohmann::json& value) {
  if (fd_ < 0) return {};
  return write_text(value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

Result<void> JsonOutput::write_text(std::string_view text) {
  auto result = write_all(fd_, text, target_);
  written_ = written_ || result;
  return result;
}

}  // namespace mxp::tools
