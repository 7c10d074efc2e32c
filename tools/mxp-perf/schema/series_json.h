// The parts of a result that are series: the rate over time, and the histograms behind the percentiles.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "mxp-perf/result.h"

namespace mxp::perf {

// What the rates of a test's intervals count.
enum class RateUnit : std::uint8_t { bytes, datagrams, streams, handshakes, messages };
RateUnit rate_unit(Test test);
// Whether a test measures latencies at all.
bool has_latency(Test test);

// {"start_seconds":…,"end_seconds":…,"goodput_bits_per_second":…}; of other tests
// "datagrams_per_second" and so on in its place.
nlohmann::json to_json(const IntervalRate& interval, RateUnit unit);

// started_at_unix_seconds, intervals, histograms, where there are any.
void add_series(const Result& result, nlohmann::json& document);

}  // namespace mxp::perf
