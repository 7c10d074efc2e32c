#include "mxp-perf/environment/process_figures.h"

#include <sys/resource.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "mxp-perf/json_numbers.h"

namespace mxp::perf {

namespace {

// The second number of /proc/self/schedstat: nanoseconds on the queue of those that are ready to run.
std::optional<double> waited_for_processor() {
  std::ifstream file("/proc/self/schedstat");
  std::uint64_t ran = 0, waited = 0;
  if (!(file >> ran >> waited)) return std::nullopt;
  return static_cast<double>(waited) * 1e-9;
}

double ratio(std::uint64_t of, std::uint64_t by) { return static_cast<double>(of) / static_cast<double>(by); }

// Processor time of this process so far, both user and system.
double cpu_seconds_so_far() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

ProcessFigures ProcessFigures::now(const EventLoop& loop) {
  const CarrierStats stats = loop.carrier_stats();
  return {.cpu_seconds = cpu_seconds_so_far(),
          .waited_seconds = waited_for_processor(),
          .spins = false,
          .datagrams_sent = stats.datagrams_sent,
          .send_calls = stats.send_calls,
          .sends_blocked = stats.sends_blocked,
          .datagrams_received = stats.datagrams_received,
          .receive_calls = stats.receive_calls,
          .receive_overflows = stats.receive_overflows};
}

ProcessFigures ProcessFigures::since(const ProcessFigures& before) const {
  ProcessFigures difference = *this;
  difference.cpu_seconds -= before.cpu_seconds;
  if (waited_seconds && before.waited_seconds) *difference.waited_seconds -= *before.waited_seconds;
  for (std::uint64_t ProcessFigures::* each :
       {&ProcessFigures::datagrams_sent, &ProcessFigures::send_calls, &ProcessFigures::sends_blocked,
        &ProcessFigures::datagrams_received, &ProcessFigures::receive_calls, &ProcessFigures::receive_overflows})
    difference.*each -= before.*each;
  return difference;
}

nlohmann::json to_json(const ProcessFigures& figures) {
  nlohmann::json json = {{"cpu_seconds", figures.cpu_seconds},
                         {"datagrams_sent", figures.datagrams_sent},
                         {"send_calls", figures.send_calls},
                         {"sends_blocked", figures.sends_blocked},
                         {"datagrams_received", figures.datagrams_received},
                         {"receive_calls", figures.receive_calls},
                         {"receive_overflows", figures.receive_overflows}};
  if (figures.waited_seconds) json["waited_seconds"] = *figures.waited_seconds;
  if (figures.spins) json["spins"] = true;
  return json;
}

ProcessFigures parse_figures(const nlohmann::json& json) {
  ProcessFigures figures{.cpu_seconds = time_number(json, "cpu_seconds"),
                         .waited_seconds = {},
                         .spins = json.value("spins", false),
                         .datagrams_sent = whole_number<std::uint64_t>(json, "datagrams_sent"),
                         .send_calls = whole_number<std::uint64_t>(json, "send_calls"),
                         .sends_blocked = whole_number<std::uint64_t>(json, "sends_blocked"),
                         .datagrams_received = whole_number<std::uint64_t>(json, "datagrams_received"),
                         .receive_calls = whole_number<std::uint64_t>(json, "receive_calls"),
                         .receive_overflows = whole_number<std::uint64_t>(json, "receive_overflows")};
  if (json.contains("waited_seconds")) figures.waited_seconds = time_number(json, "waited_seconds");
  return figures;
}

nlohmann::json socket_json(const ProcessFigures& figures) {
  nlohmann::json json = {{"datagrams_sent", figures.datagrams_sent},
                         {"datagrams_received", figures.datagrams_received},
                         {"sends_blocked", figures.sends_blocked},
                         {"receive_overflows", figures.receive_overflows}};
  if (figures.send_calls > 0) json["datagrams_per_send"] = ratio(figures.datagrams_sent, figures.send_calls);
  if (figures.receive_calls > 0)
    json["datagrams_per_receive"] = ratio(figures.datagrams_received, figures.receive_calls);
  return json;
}

}  // namespace mxp::perf
