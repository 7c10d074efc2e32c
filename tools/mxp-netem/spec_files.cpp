#include "mxp-netem/spec_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "common/escape.h"
#include "common/read_all.h"
#include "netem/delay_table.h"
#include "netem/delivery_trace.h"
#include "udp/unique_fd.h"

namespace mxp::tools {
namespace {

// Our choices: 16,384 numbers of six characters with comments, and some hours of a fast link.
constexpr std::size_t kMostTableBytes = 1u << 20;
constexpr std::size_t kMostTraceBytes = 256u << 20;

std::vector<std::string> matches(const std::string& pattern) {
  std::vector<std::string> found;
  glob_t result{};
  if (::glob(pattern.c_str(), 0, nullptr, &result) == 0) {
    for (std::size_t i = 0; i < result.gl_pathc; ++i) found.emplace_back(result.gl_pathv[i]);
  }
  ::globfree(&result);
  return found;
}

std::string find_table(const std::string& name) {
  std::error_code ignored;
  const bool plain_name = name.find_first_of("/*?[\\") == std::string::npos;
  if (!plain_name || std::filesystem::exists(name, ignored)) return name;
  std::vector<std::string> folders = {"/usr/lib/tc", "/usr/lib/*/tc", "/usr/share/tc"};
  if (const char* own = std::getenv("TC_LIB_DIR"); own != nullptr && *own != 0) folders = {own};
  for (const std::string& folder : folders) {
    if (const auto found = matches(folder + "/" + name + ".dist"); !found.empty()) return found.front();
  }
  return name;
}

}  // namespace

Result<void> SpecFiles::load_table(netem::DelayTable& table) {
  if (table.file.empty() || !table.values.empty()) return {};
  const std::string path = find_table(table.file);
  if (const auto known = tables_.find(path); known != tables_.end()) {
    table.values = known->second;
    return {};
  }
  const auto content = read_whole_file(path, "the distribution", kMostTableBytes);
  if (!content) {
    return fail(ErrorKind::usage, content.error().message +
                                      "; built in are uniform, normal, pareto and paretonormal, and anything else is a "
                                      "file in the format of tc");
  }
  auto values = netem::parse_delay_table(*content);
  if (!values) return fail(ErrorKind::usage, fmt::format("distribution {}: {}", escape(path), values.error()));
  table.values = tables_[path] = std::move(*values);
  return {};
}

Result<void> SpecFiles::load_trace(netem::LinkSpec::Trace& trace) {
  if (trace.file.empty() || !trace.opportunities_ms.empty()) return {};
  if (const auto known = traces_.find(trace.file); known != traces_.end()) {
    trace.opportunities_ms = known->second;
    return {};
  }
  const auto content = read_whole_file(trace.file, "the trace", kMostTraceBytes);
  if (!content) return std::unexpected(content.error());
  auto opportunities = netem::parse_delivery_trace(*content);
  if (!opportunities)
    return fail(ErrorKind::usage, fmt::format("trace {}: {}", escape(trace.file), opportunities.error()));
  trace.opportunities_ms = traces_[trace.file] = std::move(*opportunities);
  return {};
}

Result<void> SpecFiles::load(netem::LinkSpec& spec) {
  if (auto loaded = load_table(spec.delay.table); !loaded) return loaded;
  if (auto loaded = load_table(spec.slot.table); !loaded) return loaded;
  return load_trace(spec.trace);
}

Result<std::string> read_whole_file(const std::string& path, std::string_view what, std::size_t most) {
  const auto cannot = [&](const char* why) {
    return fail(ErrorKind::usage, fmt::format("cannot read {} {}: {}", what, escape(path), why));
  };
  // O_NONBLOCK: to open a named pipe would take until someone writes to it.
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status{};
  if (!file || ::fstat(file.get(), &status) != 0) return cannot(std::strerror(errno));
  if (S_ISDIR(status.st_mode)) return cannot(std::strerror(EISDIR));
  if (!S_ISREG(status.st_mode)) return cannot("not a regular file");
  auto content = read_all_or_errno(file.get(), most);
  if (content) return std::move(*content);
  if (content.error() == EFBIG)
    return fail(ErrorKind::usage, fmt::format("{} {} has more than {} bytes", what, escape(path), most));
  return cannot(std::strerror(content.error()));
}

void add_spec_files(std::vector<UsedFile>& used, const netem::LinkSpec& spec) {
  if (!spec.trace.file.empty()) used.push_back({.called = "trace", .path = spec.trace.file});
  for (const netem::DelayTable* table : {&spec.delay.table, &spec.slot.table}) {
    if (!table->file.empty()) used.push_back({.called = "distribution", .path = find_table(table->file)});
  }
}

}  // namespace mxp::tools
