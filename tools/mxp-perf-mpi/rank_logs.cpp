#include "mxp-perf-mpi/rank_logs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/escape.h"
#include "common/output_file.h"
#include "common/write_all.h"
#include "mxp-perf/histograms/hlog_file.h"

namespace mxp::perf_mpi {

using tools::ErrorKind;
namespace fs = std::filesystem;

namespace {

std::string rank_log_name(const std::string& hlog, std::size_t rank) { return fmt::format("{}.rank-{}", hlog, rank); }

// "12" → 12; nothing for what no rank's number is written as.
std::optional<std::size_t> rank_in(std::string_view text) {
  std::size_t rank = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rank);
  if (error != std::errc() || fmt::format("{}", rank) != text) return std::nullopt;
  return rank;
}

// An empty one is what a run without a result leaves.
bool is_log_or_empty(const std::string& path) {
  const std::string log = perf::to_hlog({});
  const std::string first_line = log.substr(0, log.find('\n') + 1);
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0) return false;
  std::string text(first_line.size(), '\0');
  const ssize_t got = ::read(file.get(), text.data(), text.size());
  return got == 0 || text == first_line;
}

// FILE.rank-N of no rank of this run. Nothing is changed yet.
tools::Result<std::vector<fs::path>> find_stale(const std::string& hlog, std::size_t ranks,
                                                std::span<const tools::UsedFile> used) {
  const fs::path path(hlog);
  const std::string prefix = path.filename().string() + ".rank-";
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::vector<fs::path> stale;
  std::error_code error, ignored;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    const auto rank = rank_in(std::string_view(name).substr(prefix.size()));
    if (!rank || *rank < ranks || entry->symlink_status(ignored).type() != fs::file_type::regular) continue;
    const bool is_used = std::ranges::any_of(
        used, [&](const tools::UsedFile& file) { return fs::equivalent(file.path, entry->path(), ignored); });
    if (is_used || !is_log_or_empty(entry->path().string()))
      return tools::fail(
          ErrorKind::usage,
          fmt::format("--hlog: {} has the name of a rank's log, but there are {} ranks, and it is {}; "
                      "remove it, or name another file",
                      tools::escape(entry->path().string()), ranks, is_used ? "used otherwise" : "no log of mxp-perf"));
    stale.push_back(entry->path());
  }
  if (error) return tools::fail_errno(ErrorKind::io, fmt::format("--hlog: {}", folder.string()), error.value());
  return stale;
}

}  // namespace

tools::Result<RankLogs> RankLogs::open(const std::string& hlog, int ranks, std::span<const std::string> arguments) {
  RankLogs logs;
  if (hlog.empty()) return logs;
  logs.hlog_ = hlog;
  const std::vector<tools::UsedFile> used = tools::files_named_in(arguments, "");
  const auto stale = find_stale(hlog, static_cast<std::size_t>(ranks), used);
  if (!stale) return std::unexpected(stale.error());
  for (std::size_t rank = 0; rank != static_cast<std::size_t>(ranks); ++rank) {
    auto file =
        tools::open_output_file(rank_log_name(hlog, rank), {.if_exists = tools::IfExists::replace, .used = used});
    if (!file) return tools::fail(file.error().kind, fmt::format("--hlog: {}", file.error().message));
    logs.files_.push_back(*std::move(file));
  }
  for (const fs::path& path : *stale)
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
      return tools::fail_errno(ErrorKind::io, fmt::format("--hlog: {}", tools::escape(path.string())), errno);
  return logs;
}

tools::Result<void> RankLogs::write(std::span<const Outcome> outcomes) {
  tools::Result<void> all;
  for (const Outcome& outcome : outcomes) {
    const auto rank = static_cast<std::size_t>(outcome.rank);
    if (rank >= files_.size()) continue;
    auto written = tools::write_all(files_[rank].get(), outcome.hlog, rank_log_name(hlog_, rank));
    if (!written && all) all = std::move(written);
  }
  return all;
}

}  // namespace mxp::perf_mpi
