// Histograms in HdrHistogram's log format (.hlog): a line for each, with a tag, the span of time, the largest value and
// the whole histogram, so that logs of several clients or hosts add up to the percentiles of all.
#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "mxp-perf/histograms/hdr_histogram.h"

namespace mxp::perf {

using WallTime = std::chrono::system_clock::time_point;

struct TaggedHistogram {
  std::string tag;           // "rr.latency"; empty: a line without one
  double begin_seconds = 0;  // after the log's start
  double length_seconds = 0;
  HdrHistogram histogram;  // nanoseconds
};

// Adds to the one of the same tag, which then lasts from the first begin to the last end of both; where there is none,
// puts it at the end. The error says what does not add up.
std::expected<void, std::string> add_to(std::vector<TaggedHistogram>& sums, TaggedHistogram one);

struct HistogramLog {
  WallTime start{};
  std::vector<TaggedHistogram> histograms;
};

std::string to_hlog(const HistogramLog& log);

// What a log may hold in all, however many lines it has. Our choice: 128 MiB.
struct LogLimits {
  std::size_t bins = std::size_t{1} << 24;
  std::size_t tags = 1000;
};

// The histograms of each tag are added up. What is not supported, malformed or too much is an error with the number of
// its line: a histogram that was left out would make the rest look better than it was.
std::expected<HistogramLog, std::string> parse_hlog(std::string_view text, const LogLimits& limits = {});

}  // namespace mxp::perf
