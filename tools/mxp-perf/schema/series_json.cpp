#include "mxp-perf/schema/series_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "mxp-perf/clock/unix_time.h"
#include "mxp-perf/histograms/hdr_payload.h"

namespace mxp::perf {

RateUnit rate_unit(Test test) {
  switch (test) {
    case Test::bulk: return RateUnit::bytes;
    case Test::datagrams: return RateUnit::datagrams;
    case Test::streams: return RateUnit::streams;
    case Test::connect: return RateUnit::handshakes;
    default: return RateUnit::messages;
  }
}

bool has_latency(Test test) { return test != Test::bulk && test != Test::datagrams; }

nlohmann::json to_json(const IntervalRate& interval, RateUnit unit) {
  nlohmann::json json = {{"start_seconds", interval.begin_seconds}, {"end_seconds", interval.end_seconds}};
  switch (unit) {
    case RateUnit::bytes: json["goodput_bits_per_second"] = interval.per_second * 8; break;
    case RateUnit::datagrams: json["datagrams_per_second"] = interval.per_second; break;
    case RateUnit::streams: json["streams_per_second"] = interval.per_second; break;
    case RateUnit::handshakes: json["handshakes_per_second"] = interval.per_second; break;
    case RateUnit::messages: json["messages_per_second"] = interval.per_second; break;
  }
  return json;
}

void add_series(const Result& result, nlohmann::json& document) {
  if (result.started_at)
    document["started_at_unix_seconds"] = std::round(unix_seconds(*result.started_at) * 1000) / 1000;
  for (const IntervalRate& interval : result.intervals)
    document["intervals"].push_back(to_json(interval, rate_unit(result.test)));
  for (const NamedHistogram& histogram : result.histograms)
    if (histogram.counts.count() > 0) document["histograms"][histogram.name] = encode_histogram(histogram.counts);
}

}  // namespace mxp::perf
