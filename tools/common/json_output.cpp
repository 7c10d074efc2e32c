#include "common/json_output.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "common/output_file.h"
#include "common/write_all.h"

namespace mxp::tools {
namespace {

constexpr std::string_view kOption = "--json";

// The last --json of a command line that could not be parsed; "" if there is none.
std::string target_in(std::span<const std::string> arguments) {
  std::string target;
  for (const std::string_view word : arguments) {
    if (word == "--") break;
    if (word == kOption) target = "-";
    if (word.starts_with("--json=")) target = word.substr(kOption.size() + 1);
  }
  return target;
}

}  // namespace

Result<JsonOutput> JsonOutput::open(const std::string& target, StdoutUse use, std::span<const std::string> arguments,
                                    std::span<const std::string> read_folders) {
  JsonOutput output;
  if (target.empty()) return output;
  const bool is_stdout = target == "-" || named_descriptor(target) == STDOUT_FILENO;
  if (is_stdout && use == StdoutUse::carries_data)
    return fail(ErrorKind::usage, "--json would mix with the data on stdout: use --json=FILE");
  if (is_stdout) {
    output.fd_ = STDOUT_FILENO;
    output.target_ = "stdout";
    return output;
  }
  std::vector<UsedFile> used = files_named_in(arguments, kOption);
  for (const std::string& folder : read_folders)
    used.push_back({.called = "this run", .path = folder, .extent = UsedFile::Extent::all_below});
  auto file = open_output_file(target, {.if_exists = IfExists::replace, .used = used});
  if (!file) return fail(file.error().kind, fmt::format("--json: {}", file.error().message));
  struct stat status{};
  output.owned_ = *std::move(file);
  output.fd_ = output.owned_.get();
  output.target_ = target;
  output.regular_ = !named_descriptor(target) && ::fstat(output.fd_, &status) == 0 && S_ISREG(status.st_mode);
  return output;
}

std::string json_line(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string json_document(const nlohmann::json& value) {
  return value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Result<void> JsonOutput::write_line(const nlohmann::json& value) { return write_text(json_line(value), Sync::no); }

Result<void> JsonOutput::write_document(const nlohmann::json& value) {
  return write_text(json_document(value), Sync::yes);
}

Result<void> JsonOutput::write_text(std::string_view text, Sync sync) {
  if (fd_ < 0) return {};
  auto result = write_all(fd_, text, target_);
  // Some disks say only now that they are full. What cannot be synced, such as a pipe, says EINVAL.
  if (result && sync == Sync::yes && regular_ && ::fsync(fd_) != 0 && errno != EINVAL)
    result = std::unexpected(write_error(target_, errno));
  if (result) {
    written_ = true;
    whole_ += static_cast<off_t>(text.size());
    return result;
  }
  if (regular_) cut_back(fd_, whole_);
  fd_ = -1;
  if (result.error().system_error != EPIPE) status_ = result;
  return result;
}

int report_failure(std::string_view tool, const ToolError& error, std::span<const std::string> arguments,
                   StdoutUse use) {
  print_error(tool, error);
  if (auto json = JsonOutput::open(target_in(arguments), use, arguments); json)
    (void)json->write_line(to_json(error));  // the exit code tells it too
  else if (json.error().kind != ErrorKind::usage || target_in(arguments) != "-") print_error(tool, json.error());
  return static_cast<int>(error.exit_code());
}

int report_stop(std::string_view tool, const ParseStop& stop, std::span<const std::string> arguments, StdoutUse use) {
  if (stop.code == ExitCode::ok) return 0;
  (void)report_failure(tool, {ErrorKind::usage, stop.error}, arguments, use);
  return static_cast<int>(stop.code);
}

}  // namespace mxp::tools
