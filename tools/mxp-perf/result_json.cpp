// A result as JSON: docs/schema/mxp-perf-result.schema.json says what is in it.
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "common/blocked_times.h"
#include "mxp-perf/clock/unix_time.h"
#include "mxp-perf/result.h"
#include "mxp-perf/schema/series_json.h"
#include "mxp-perf/verdict/verdict.h"
#include "mxp/version.h"

namespace mxp::perf {

namespace {

// The same names as of the client's.
nlohmann::json sender_json(const TransportTotals& totals) {
  return {{"packets_sent", totals.packets_sent},
          {"packets_lost", totals.packets_lost},
          {"stream_bytes_retransmitted", totals.stream_bytes_retransmitted},
          {"congestion_window_bytes", totals.congestion_window},
          {"smoothed_rtt_us", std::chrono::duration<double, std::micro>(totals.smoothed_rtt).count()},
          {"min_rtt_us", std::chrono::duration<double, std::micro>(totals.min_rtt).count()},
          {"blocked_ms", tools::blocked_ms(totals.blocked)}};
}

nlohmann::json to_json(const TlsFigures& figures) {
  nlohmann::json json = nlohmann::json::object();
  if (figures.goodput_bits_per_second) json["goodput_bits_per_second"] = *figures.goodput_bits_per_second;
  if (figures.messages_per_second) json["messages_per_second"] = *figures.messages_per_second;
  if (figures.handshakes_per_second) json["handshakes_per_second"] = *figures.handshakes_per_second;
  if (figures.latency_us) json["latency_us"] = to_json(*figures.latency_us);
  return json;
}

nlohmann::json to_json(const MessageCounts& counts) {
  nlohmann::json json = {{"sent", counts.taken},
                         {"delivered", counts.delivered},
                         {"expired", counts.expired},
                         {"unknown", counts.unknown}};
  if (counts.received) json["received"] = *counts.received;
  if (counts.asked_per_second) json["asked_per_second"] = *counts.asked_per_second;
  if (counts.not_sent) json["not_sent"] = *counts.not_sent;
  return json;
}

nlohmann::json to_json(const OneWayDelay& delay) {
  nlohmann::json json = {{"to_server", to_json(percentiles_us(delay.to_server))},
                         {"to_client", to_json(percentiles_us(delay.to_client))},
                         {"error_bound", delay.error_bound_us},
                         {"probes", delay.probes}};
  if (delay.clock_offset_us) json["clock_offset"] = *delay.clock_offset_us;
  return json;
}

nlohmann::json to_json(const CallCounts& calls) {
  nlohmann::json json = {{"due", calls.due}, {"answered", calls.answered}, {"unanswered", calls.unanswered}};
  if (calls.failed > 0) json["failed"] = calls.failed;
  if (calls.asked_per_second) json["asked_per_second"] = *calls.asked_per_second;
  return json;
}

nlohmann::json to_json(const DatagramCounts& counts) {
  nlohmann::json json = {{"sent", counts.sent},
                         {"delivered", counts.delivered},
                         {"delivered_share", counts.delivered_share()},
                         {"not_sent", counts.not_sent}};
  if (counts.overtaken) json["overtaken"] = *counts.overtaken;
  if (counts.asked_per_second) json["asked_per_second"] = *counts.asked_per_second;
  return json;
}

nlohmann::json to_json(const TransportTotals& totals) {
  nlohmann::json json = {{"connections", totals.connections},
                         {"packets_sent", totals.packets_sent},
                         {"packets_received", totals.packets_received},
                         {"packets_lost", totals.packets_lost},
                         {"bytes_sent", totals.bytes_sent},
                         {"stream_bytes_retransmitted", totals.stream_bytes_retransmitted},
                         {"messages_retransmitted", totals.messages_retransmitted},
                         {"packets_spuriously_lost", totals.packets_spuriously_lost},
                         {"probes_sent", totals.probes_sent},
                         {"congestion_window_bytes", totals.congestion_window},
                         {"min_rtt_us", std::chrono::duration<double, std::micro>(totals.min_rtt).count()},
                         {"datagram_bytes", totals.datagram_bytes},
                         {"smoothed_rtt_us", std::chrono::duration<double, std::micro>(totals.smoothed_rtt).count()},
                         {"handshake_us", std::chrono::duration<double, std::micro>(totals.handshake_time).count()}};
  json["blocked_ms"] = tools::blocked_ms(totals.blocked);
  if (auto by_class = tools::blocked_ms_by_class(totals.blocked_of_class); !by_class.empty())
    json["blocked_ms_by_class"] = std::move(by_class);
  return json;
}

void add_rates_and_latencies(const Result& result, nlohmann::json& inner) {
  if (result.goodput_bits_per_second) inner["goodput_bits_per_second"] = *result.goodput_bits_per_second;
  if (result.messages_per_second) inner["messages_per_second"] = *result.messages_per_second;
  if (result.handshakes_per_second) inner["handshakes_per_second"] = *result.handshakes_per_second;
  if (result.streams_per_second) inner["streams_per_second"] = *result.streams_per_second;
  if (result.latency_us) inner["latency_us"] = to_json(*result.latency_us);
  if (result.alone_latency_us) inner["alone"]["latency_us"] = to_json(*result.alone_latency_us);
  if (result.service_time_us) inner["service_time_us"] = to_json(*result.service_time_us);
  if (result.one_way) inner["one_way_us"] = to_json(*result.one_way);
  if (result.sender_late_us) inner["sender_late_us"] = to_json(*result.sender_late_us);
}

// Processor time and sockets of both ends.
void add_ends(const Result& result, nlohmann::json& json) {
  const auto add_end = [&](const char* name, const std::optional<ProcessFigures>& figures) {
    if (!figures) return;
    const std::string prefix(name);
    json["cpu"][prefix + "_seconds"] = figures->cpu_seconds;
    if (figures->waited_seconds) json["cpu"][prefix + "_waited_seconds"] = *figures->waited_seconds;
    if (figures->spins) json["cpu"][prefix + "_busy_poll"] = true;
    json["socket"][prefix] = socket_json(*figures);
  };
  add_end("client", result.client);
  add_end("server", result.server);
}

}  // namespace

nlohmann::json to_json(const Percentiles& p) {
  return {{"p50", p.p50}, {"p90", p.p90}, {"p99", p.p99}, {"p999", p.p999}, {"max", p.max}};
}

nlohmann::json to_json(const Result& result) {
  nlohmann::json json = {{"schema", kSchemaName},
                         {"version", kLibraryVersion},
                         {"test", to_string(result.test)},
                         {"verdict", to_string(result.verdict)},
                         {"verdict_reason", result.verdict_reason},
                         {"noise", to_json(result.noise)},
                         {"environment", to_json(result.environment)}};
  if (result.asked_start && result.started_at) {
    json["start"]["asked_unix_seconds"] = *result.asked_start;
    json["start"]["late_us"] = (unix_seconds(*result.started_at) - *result.asked_start) * 1e6;
  }
  json["config"] = {
      {"datagram_bytes", result.datagram_bytes}, {"connections", result.connections}, {"suite", result.suite}};
  if (result.streams > 0) json["config"]["streams"] = result.streams;
  nlohmann::json& inner = json["result"];
  inner = {{"seconds", result.seconds}, {"bytes", result.bytes}};
  add_rates_and_latencies(result, inner);
  add_ends(result, json);
  if (result.answers > 0)
    inner["server_time_us"] = {{"mean", result.held_seconds * 1e6 / static_cast<double>(result.answers)}};
  if (result.udp_bits_per_second) json["limits"]["udp_bits_per_second"] = *result.udp_bits_per_second;
  if (result.sealed_bits_per_second) json["limits"]["sealed_bits_per_second"] = *result.sealed_bits_per_second;
  if (result.calls) inner["calls"] = to_json(*result.calls);
  if (result.datagrams) inner["datagrams"] = to_json(*result.datagrams);
  if (result.messages) inner["messages"] = to_json(*result.messages);
  if (const auto kept = result.rate_kept()) inner["rate_kept"] = *kept;
  if (result.tls) json["baseline"]["tls"] = to_json(*result.tls);
  json["transport"] = to_json(result.transport);
  if (result.server_transport.connections > 0) json["server_transport"] = sender_json(result.server_transport);
  add_series(result, json);
  return json;
}

}  // namespace mxp::perf
