#include "mxp-perf/config_json.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "common/congestion_names.h"

namespace mxp::perf {

namespace {

double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

std::string_view rate_key(Test test) {
  switch (test) {
    case Test::datagrams: return "datagrams_per_second";
    case Test::streams: return "streams_per_second";
    case Test::connect: return "handshakes_per_second";
    default: return "calls_per_second";
  }
}

}  // namespace

nlohmann::json config_of(const Options& options) {
  const Workload& workload = options.workload;
  nlohmann::json config = {{"command", options.command == Command::run      ? "run"
                                       : options.command == Command::client ? "client"
                                                                            : "find-capacity"},
                           {"test", to_string(workload.test)},
                           {"duration_seconds", seconds(workload.duration)},
                           {"omit_seconds", seconds(workload.omit)},
                           {"connections", workload.connections},
                           {"mtu_bytes", options.mtu},
                           {"congestion_control", tools::to_string(options.congestion_control)},
                           {"limits_measured", options.measure_limits}};
  if (workload.uses_streams()) config["streams"] = workload.streams;
  for (const Suite suite : options.suites) config["suites"].push_back(to_string(suite));
  if (workload.test == Test::bulk) {
    config["direction"] = to_string(workload.flow);
  } else {
    if (workload.test != Test::connect) config["size_bytes"] = workload.size;
    if (workload.calls_per_second > 0) config[rate_key(workload.test)] = workload.calls_per_second;
    if (workload.messages_per_second > 0) config["messages_per_second"] = workload.messages_per_second;
  }
  const bool paced = workload.calls_per_second > 0 || workload.messages_per_second > 0;
  const bool asks = workload.test == Test::rr || workload.test == Test::streams;
  if (paced && workload.test != Test::datagrams && workload.test != Test::isolation)
    config["arrivals"] = to_string(workload.arrivals);
  if ((asks && paced) || workload.test == Test::connect || workload.test == Test::mixed)
    config["outstanding"] = workload.outstanding;
  if (options.waiting == Waiting::spinning) config["busy_poll"] = true;
  if (options.tls_baseline) config["baseline"] = "tls";
  if (!options.link.empty()) config["link"] = options.link;
  if (options.start_at) config["start_at_unix_seconds"] = *options.start_at;
  if (options.interval > Duration::zero()) config["interval_seconds"] = seconds(options.interval);
  if (options.command == Command::client || options.command == Command::find_capacity)
    config["url"] = options.url.to_string();
  if (!options.identity_file.empty()) config["identity"] = options.identity_file;
  for (const Assertion& assertion : options.assertions) config["assertions"].push_back(assertion.text);
  return config;
}

}  // namespace mxp::perf
