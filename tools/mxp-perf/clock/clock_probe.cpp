#include "mxp-perf/clock/clock_probe.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>

#include "mxp-perf/json_numbers.h"
#include "mxp-perf/workloads/latency_histogram.h"

namespace mxp::perf {

namespace {

// Of any clock that is read here: 146 years.
constexpr std::int64_t kLatestNs = std::int64_t{1} << 62;

struct Ways {
  LatencyHistogram to_server, to_client;
  double offset_us = 0, error_bound_us = 0;  // those of the part with the largest error
};

// By how much the server's clock is ahead, at least and at most.
struct OffsetSpan {
  std::int64_t least = -kLatestNs, most = kLatestNs;
};

OffsetSpan span_of(std::span<const ClockSample> samples) {
  OffsetSpan span;
  for (const ClockSample& sample : samples) {
    span.least = std::max(span.least, sample.left - sample.back);
    span.most = std::min(span.most, sample.came - sample.sent);
  }
  return span;
}

void add_part(std::span<const ClockSample> samples, Ways& ways) {
  const OffsetSpan span = span_of(samples);
  if (span.least > span.most && samples.size() > 1) {
    add_part(samples.first(samples.size() / 2), ways);
    add_part(samples.subspan(samples.size() / 2), ways);
    return;
  }
  const std::int64_t offset = span.least + (span.most - span.least) / 2;
  for (const ClockSample& sample : samples) {
    ways.to_server.record(Duration(std::max<std::int64_t>(0, sample.came - sample.sent - offset)));
    ways.to_client.record(Duration(std::max<std::int64_t>(0, sample.back - sample.left + offset)));
  }
  const double bound = static_cast<double>(span.most - span.least) / 2e3;
  if (bound < ways.error_bound_us) return;
  ways.error_bound_us = bound;
  ways.offset_us = static_cast<double>(offset) / 1e3;
}

}  // namespace

bool ClockProbe::add(const ClockSample& sample) {
  // The server's part of the time is at most the client's: so no sample contradicts itself.
  if (sample.back < sample.sent || sample.left < sample.came || sample.left - sample.came > sample.back - sample.sent)
    return false;
  samples_.push_back(sample);
  return true;
}

std::optional<OneWayDelay> ClockProbe::delays() const {
  if (samples_.empty()) return std::nullopt;
  Ways ways;
  add_part(samples_, ways);
  return OneWayDelay{.to_server = ways.to_server.counts(),
                     .to_client = ways.to_client.counts(),
                     .clock_offset_us = ways.offset_us,
                     .error_bound_us = ways.error_bound_us,
                     .probes = samples_.size()};
}

nlohmann::json clock_question(std::int64_t sent) { return {{"time", sent}}; }

nlohmann::json clock_answer(std::int64_t sent, std::int64_t came, std::int64_t left) {
  return {{"time", sent}, {"came", came}, {"left", left}};
}

std::optional<std::int64_t> parse_clock_question(const std::string& line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object() || json.size() != 1 || !json.contains("time")) return std::nullopt;
  try {
    const auto sent = whole_number<std::int64_t>(json, "time");
    return sent < kLatestNs ? std::optional(sent) : std::nullopt;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

std::optional<ClockSample> parse_clock_answer(const std::string& line, std::int64_t back) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object() || json.size() != 3 || !json.contains("time")) return std::nullopt;
  try {
    const ClockSample sample{.sent = whole_number<std::int64_t>(json, "time"),
                             .came = whole_number<std::int64_t>(json, "came"),
                             .left = whole_number<std::int64_t>(json, "left"),
                             .back = back};
    // So that no difference of two overflows.
    if (std::max({sample.sent, sample.came, sample.left}) >= kLatestNs) return std::nullopt;
    return sample;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace mxp::perf
