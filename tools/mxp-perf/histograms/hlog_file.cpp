#include "mxp-perf/histograms/hlog_file.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "common/escape.h"
#include "mxp-perf/clock/unix_time.h"
#include "mxp-perf/histograms/hdr_payload.h"

namespace mxp::perf {

namespace {

constexpr double kNsPerMs = 1e6;  // the unit of Interval_Max, as HdrHistogram writes it by itself
// Of any time in a log, the year 2115: the distance of two such times still fits into the clock's nanoseconds.
constexpr double kLatestSeconds = 4.6e9;

bool is_time(double seconds) { return seconds >= 0 && seconds <= kLatestSeconds; }

// The text up to the next `end`, and that is taken off; all of it where there is none.
std::string_view take_until(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

std::optional<double> number_in(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !std::isfinite(value)) return std::nullopt;
  return value;
}

// "#[StartTime: 1403476110.183 (seconds since epoch), …]"
std::optional<double> time_in(std::string_view line, std::string_view name) {
  const std::string begin = fmt::format("#[{}: ", name);
  if (!line.starts_with(begin)) return std::nullopt;
  return number_in(line.substr(begin.size()));
}

std::expected<TaggedHistogram, std::string> parse_row(std::string_view line) {
  TaggedHistogram row;
  if (line.starts_with("Tag=")) {
    line.remove_prefix(4);
    row.tag = take_until(line, ',');
    if (row.tag.empty()) return std::unexpected("its tag is empty");
  }
  const auto begin = number_in(take_until(line, ','));
  const auto length = number_in(take_until(line, ','));
  const auto max = number_in(take_until(line, ','));
  if (!begin || !length || !max || !is_time(*begin) || !is_time(*length))
    return std::unexpected("a line has the form [Tag=NAME,]START,LENGTH,MAX,HISTOGRAM");
  auto histogram = decode_histogram(line);
  if (!histogram) return std::unexpected("its histogram: " + histogram.error());
  row.begin_seconds = *begin;
  row.length_seconds = *length;
  row.histogram = *std::move(histogram);
  return row;
}

std::expected<void, std::string> add_row(HistogramLog& log, TaggedHistogram row, const LogLimits& limits) {
  if (auto added = add_to(log.histograms, std::move(row)); !added) return added;
  if (log.histograms.size() > limits.tags)
    return std::unexpected(fmt::format("it is the histogram of one tag more than {}", limits.tags));
  std::size_t bins = 0;
  for (const TaggedHistogram& each : log.histograms) bins += each.histogram.counts().size();
  if (bins > limits.bins) return std::unexpected("with it the histograms of this log are too large");
  return {};
}

}  // namespace

std::expected<void, std::string> add_to(std::vector<TaggedHistogram>& sums, TaggedHistogram one) {
  const auto same = std::ranges::find(sums, one.tag, &TaggedHistogram::tag);
  if (same == sums.end()) {
    sums.push_back(std::move(one));
    return {};
  }
  if (auto added = same->histogram.add(one.histogram); !added)
    return std::unexpected(one.tag.empty() ? added.error() : one.tag + ": " + added.error());
  const double last = std::max(same->begin_seconds + same->length_seconds, one.begin_seconds + one.length_seconds);
  same->begin_seconds = std::min(same->begin_seconds, one.begin_seconds);
  same->length_seconds = last - same->begin_seconds;
  return {};
}

std::string to_hlog(const HistogramLog& log) {
  const double start = unix_seconds(log.start);
  const std::time_t whole = static_cast<std::time_t>(start);
  std::string text = fmt::format(
      "#[Logged by mxp-perf; values in nanoseconds, Interval_Max in milliseconds]\n"
      "#[Histogram log format version 1.3]\n"
      "#[StartTime: {:.3f} (seconds since epoch), {:%Y-%m-%dT%H:%M:%S}Z]\n"
      "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
      start, fmt::gmtime(whole));
  for (const TaggedHistogram& row : log.histograms) {
    if (!row.tag.empty()) text += fmt::format("Tag={},", row.tag);
    const double max = row.histogram.count() == 0 ? 0 : static_cast<double>(row.histogram.max()) / kNsPerMs;
    text += fmt::format("{:.3f},{:.3f},{:.3f},{}\n", row.begin_seconds, row.length_seconds, max,
                        encode_histogram(row.histogram));
  }
  return text;
}

std::expected<HistogramLog, std::string> parse_hlog(std::string_view text, const LogLimits& limits) {
  HistogramLog log;
  std::optional<double> start, base, first, earliest;
  std::size_t number = 0;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++number;
    if (line.empty() || line.starts_with('"')) continue;  // the legend
    if (line.starts_with('#')) {
      if (const auto time = time_in(line, "StartTime")) start = time;
      if (const auto time = time_in(line, "BaseTime")) base = time;
      continue;
    }
    auto row = parse_row(line);
    if (!row) return std::unexpected(fmt::format("line {}: {}", number, tools::escape(row.error())));
    if (!first) first = row->begin_seconds;
    earliest = std::min(earliest.value_or(row->begin_seconds), row->begin_seconds);
    if (auto added = add_row(log, *std::move(row), limits); !added)
      return std::unexpected(fmt::format("line {}: {}", number, tools::escape(added.error())));
  }
  if (!first) return std::unexpected("there is no histogram in it");
  // Times count from the base time; without one they are absolute, unless they are so far before the start that they
  // can only count from it: HdrHistogram's own reader has this rule.
  constexpr double kYear = 365.0 * 24 * 3600;
  const double zero = base ? *base : start && *first < *start - kYear ? *start : 0;
  // Not after its first histogram, whatever it says: nothing in a log is before its start.
  const double begin = std::min(start.value_or(zero + *earliest), zero + *earliest);
  if (!is_time(begin) || !is_time(zero) || (start && !is_time(*start)))
    return std::unexpected("its start is no time that a clock can say");
  for (TaggedHistogram& row : log.histograms) row.begin_seconds += zero - begin;
  log.start = WallTime(std::chrono::round<WallTime::duration>(std::chrono::duration<double>(begin)));
  return log;
}

}  // namespace mxp::perf
