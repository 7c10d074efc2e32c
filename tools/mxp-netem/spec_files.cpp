#include "mxp-netem/spec_files.h"

#include <fmt/format.h>
#include <glob.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "common/escape.h"
#include "netem/delay_table.h"
#include "netem/delivery_trace.h"

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

Result<void> load_table(netem::DelayTable& table) {
  if (table.file.empty() || !table.values.empty()) return {};
  const std::string path = find_table(table.file);
  auto content = read_whole_file(path, "the distribution", kMostTableBytes);
  if (!content) {
    return fail(ErrorKind::usage, content.error().message +
                                      "; built in are uniform, normal, pareto and paretonormal, and anything else is a "
                                      "file in the format of tc");
  }
  auto values = netem::parse_delay_table(*content);
  if (!values) return fail(ErrorKind::usage, fmt::format("distribution {}: {}", escape(path), values.error()));
  table.values = std::move(*values);
  return {};
}

}  // namespace

Result<std::string> read_whole_file(const std::string& path, std::string_view what, std::size_t most) {
  std::ifstream file(path, std::ios::binary);
  std::string content;
  // read() reports what an iterator over the stream would throw: a folder can be opened, but not read.
  for (char chunk[4096]; file.read(chunk, sizeof chunk), file.gcount() > 0;) {
    content.append(chunk, static_cast<std::size_t>(file.gcount()));
    if (content.size() > most)
      return fail(ErrorKind::usage, fmt::format("{} {} has more than {} bytes", what, escape(path), most));
  }
  if (!file.eof())
    return fail(ErrorKind::usage, fmt::format("cannot read {} {}: {}", what, escape(path), std::strerror(errno)));
  return content;
}

Result<void> load_spec_files(netem::LinkSpec& spec) {
  if (auto loaded = load_table(spec.delay.table); !loaded) return loaded;
  if (auto loaded = load_table(spec.slot.table); !loaded) return loaded;
  if (spec.trace.file.empty() || !spec.trace.opportunities_ms.empty()) return {};
  auto content = read_whole_file(spec.trace.file, "the trace", kMostTraceBytes);
  if (!content) return std::unexpected(content.error());
  auto opportunities = netem::parse_delivery_trace(*content);
  if (!opportunities)
    return fail(ErrorKind::usage, fmt::format("trace {}: {}", escape(spec.trace.file), opportunities.error()));
  spec.trace.opportunities_ms = std::move(*opportunities);
  return {};
}

void add_spec_files(std::vector<UsedFile>& used, const netem::LinkSpec& spec) {
  if (!spec.trace.file.empty()) used.push_back({.called = "trace", .path = spec.trace.file});
  for (const netem::DelayTable* table : {&spec.delay.table, &spec.slot.table}) {
    if (!table->file.empty()) used.push_back({.called = "distribution", .path = find_table(table->file)});
  }
}

}  // namespace mxp::tools
