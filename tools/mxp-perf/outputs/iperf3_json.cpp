#include "mxp-perf/outputs/iperf3_json.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "mxp-perf/schema/series_json.h"
#include "mxp/version.h"

namespace mxp::perf {

namespace {

double seconds_of(Duration span) { return std::chrono::duration<double>(span).count(); }

std::string system_info() {
  utsname name{};
  if (uname(&name) != 0) return "";
  return fmt::format("{} {} {} {} {}", name.sysname, name.nodename, name.release, name.version, name.machine);
}

nlohmann::json start_of(const Options& options, const Result* result) {
  const Workload& workload = options.workload;
  nlohmann::json start = {{"connected", nlohmann::json::array()},
                          {"version", fmt::format("mxp-perf {}", kLibraryVersion)},
                          {"system_info", system_info()},
                          {"test_start",
                           {{"protocol", "MXP"},
                            {"num_streams", workload.connections * workload.streams},
                            {"blksize", workload.test == Test::datagrams ? workload.size : 0},
                            {"omit", seconds_of(workload.omit)},
                            {"duration", seconds_of(workload.duration)},
                            {"bytes", 0},
                            {"blocks", 0},
                            {"reverse", workload.flow == LoadDirection::down ? 1 : 0},
                            {"bidir", workload.flow == LoadDirection::both ? 1 : 0},
                            {"tos", 0}}}};
  if (options.command == Command::client)
    start["connecting_to"] = {{"host", options.url.host}, {"port", options.url.port}};
  if (result == nullptr || !result->started_at) return start;
  const auto whole = std::chrono::floor<std::chrono::seconds>(*result->started_at);
  const std::time_t time = std::chrono::system_clock::to_time_t(whole);
  start["timestamp"] = {
      {"time", fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(time))},
      {"timesecs", time},
      {"timemillisecs", std::chrono::floor<std::chrono::milliseconds>(*result->started_at - whole).count()}};
  for (unsigned i = 0; i != result->connections; ++i) start["connected"].push_back({{"socket", i + 1}});
  return start;
}

nlohmann::json span(double begin, double end, double bytes, bool sender) {
  const double seconds = end - begin;
  nlohmann::json json = {{"start", begin},
                         {"end", end},
                         {"seconds", seconds},
                         {"bytes", static_cast<std::uint64_t>(std::max(bytes, 0.0))},
                         {"sender", sender}};
  json["bits_per_second"] = seconds > 0 ? bytes * 8 / seconds : 0.0;
  return json;
}

// Per cent of one processor while the test ran, as iperf3 counts it.
double percent(double cpu_seconds, double wall_seconds) {
  return wall_seconds > 0 ? 100 * cpu_seconds / wall_seconds : 0;
}

nlohmann::json end_of(const Options& options, const Result& result) {
  const bool sends = options.workload.flow != LoadDirection::down;
  nlohmann::json sent = span(0, result.seconds, static_cast<double>(result.bytes), sends);
  nlohmann::json received = sent;
  if (result.datagrams) {
    const DatagramCounts& counts = *result.datagrams;
    const auto size = static_cast<double>(options.workload.size);
    sent = span(0, result.seconds, static_cast<double>(counts.sent) * size, sends);
    const std::uint64_t lost = counts.sent - std::min(counts.sent, counts.delivered);
    sent["packets"] = received["packets"] = counts.sent;
    received["lost_packets"] = lost;
    received["lost_percent"] =
        counts.sent == 0 ? 0.0 : 100.0 * static_cast<double>(lost) / static_cast<double>(counts.sent);
  } else if (sends) {
    sent["retransmits"] = result.transport.packets_lost;
  }
  nlohmann::json end = {{"streams", nlohmann::json::array({{{"sender", sent}, {"receiver", received}}})},
                        {"sum_sent", sent},
                        {"sum_received", received}};
  nlohmann::json& cpu = end["cpu_utilization_percent"] = nlohmann::json::object();
  if (result.client) cpu["host_total"] = percent(result.client->cpu_seconds, result.wall_seconds);
  if (result.server) cpu["remote_total"] = percent(result.server->cpu_seconds, result.wall_seconds);
  return end;
}

}  // namespace

bool has_iperf3_form(Test test) { return test == Test::bulk || test == Test::datagrams; }

nlohmann::json to_iperf3(const Options& options, const Result* result, const std::optional<tools::ToolError>& error) {
  nlohmann::json document = {
      {"start", start_of(options, result)}, {"intervals", nlohmann::json::array()}, {"end", nlohmann::json::object()}};
  if (error) document["error"] = error->message;
  if (result == nullptr) return document;
  const bool sends = options.workload.flow != LoadDirection::down;
  const double unit = rate_unit(result->test) == RateUnit::datagrams ? static_cast<double>(options.workload.size) : 1;
  for (const IntervalRate& rate : result->intervals) {
    const double seconds = rate.end_seconds - rate.begin_seconds;
    nlohmann::json sum =
        span(rate.begin_seconds, rate.end_seconds, std::round(rate.per_second * unit * seconds), sends);
    sum["omitted"] = rate.end_seconds <= seconds_of(options.workload.omit);
    document["intervals"].push_back({{"streams", nlohmann::json::array({sum})}, {"sum", sum}});
  }
  document["end"] = end_of(options, *result);
  return document;
}

}  // namespace mxp::perf
