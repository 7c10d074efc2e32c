#include "mxp-perf-mpi/merged.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "mxp-perf/config_json.h"
#include "mxp-perf/histograms/merge.h"

namespace mxp::perf_mpi {

namespace {

using Pointer = nlohmann::json::json_pointer;

// A number of each document that has it: their sum, or the largest.
enum class By : std::uint8_t { sum, largest };
std::optional<double> number(std::span<const Outcome> outcomes, const std::string& where, By by = By::sum) {
  std::optional<double> total;
  for (const Outcome& outcome : outcomes) {
    const Pointer pointer(where);
    if (!outcome.document.contains(pointer)) continue;
    const double one = outcome.document.at(pointer).get<double>();
    total = !total ? one : by == By::sum ? *total + one : std::max(*total, one);
  }
  return total;
}

std::optional<std::uint64_t> count(std::span<const Outcome> outcomes, const std::string& where) {
  std::optional<std::uint64_t> total;
  for (const Outcome& outcome : outcomes)
    if (const Pointer pointer(where); outcome.document.contains(pointer))
      total = total.value_or(0) + outcome.document.at(pointer).get<std::uint64_t>();
  return total;
}

std::optional<bool> all_kept(std::span<const Outcome> outcomes) {
  std::optional<bool> kept;
  for (const Outcome& outcome : outcomes)
    if (const Pointer pointer("/result/rate_kept"); outcome.document.contains(pointer))
      kept = kept.value_or(true) && outcome.document.at(pointer).get<bool>();
  return kept;
}

void add_counts(std::span<const Outcome> outcomes, perf::Result& result) {
  const auto of = [&](const char* name) { return count(outcomes, fmt::format("/result/{}", name)); };
  if (const auto due = of("calls/due"))
    result.calls = perf::CallCounts{.asked_per_second = number(outcomes, "/result/calls/asked_per_second"),
                                    .rate_kept = all_kept(outcomes),
                                    .due = *due,
                                    .answered = of("calls/answered").value_or(0),
                                    .unanswered = of("calls/unanswered").value_or(0),
                                    .failed = of("calls/failed").value_or(0)};
  if (const auto sent = of("datagrams/sent"))
    result.datagrams = perf::DatagramCounts{.asked_per_second = number(outcomes, "/result/datagrams/asked_per_second"),
                                            .rate_kept = all_kept(outcomes),
                                            .sent = *sent,
                                            .delivered = of("datagrams/delivered").value_or(0),
                                            .not_sent = of("datagrams/not_sent").value_or(0),
                                            .overtaken = of("datagrams/overtaken")};
  if (const auto sent = of("messages/sent"))
    result.messages = perf::MessageCounts{.asked_per_second = number(outcomes, "/result/messages/asked_per_second"),
                                          .rate_kept = all_kept(outcomes),
                                          .not_sent = of("messages/not_sent"),
                                          .taken = *sent,
                                          .delivered = of("messages/delivered").value_or(0),
                                          .expired = of("messages/expired").value_or(0),
                                          .unknown = of("messages/unknown").value_or(0),
                                          .received = of("messages/received")};
}

void add_latencies(const perf::HistogramLog& log, perf::Result& result) {
  const std::string prefix = fmt::format("{}.", to_string(result.test));
  for (const perf::TaggedHistogram& row : log.histograms) {
    const std::string name = row.tag.starts_with(prefix) ? row.tag.substr(prefix.size()) : row.tag;
    result.histograms.push_back({.name = name, .counts = row.histogram});
    if (row.histogram.count() == 0) continue;
    const perf::Percentiles percentiles = perf::percentiles_us(row.histogram);
    if (name == "latency") result.latency_us = percentiles;
    if (name == "service_time") result.service_time_us = percentiles;
    if (name == "alone") result.alone_latency_us = percentiles;
  }
}

// Theirs where they agree.
void judge_together(std::span<const Outcome> outcomes, nlohmann::json& document) {
  std::string differ;
  for (const Outcome& outcome : outcomes)
    differ += fmt::format("{}rank {} {}", differ.empty() ? "" : ", ", outcome.rank,
                          outcome.document.at("verdict").get<std::string>());
  const nlohmann::json& first = outcomes.front().document;
  const bool agree = std::ranges::all_of(
      outcomes, [&](const Outcome& one) { return one.document.at("verdict") == first.at("verdict"); });
  document["verdict"] = agree ? first.at("verdict") : nlohmann::json("none");
  document["verdict_reason"] = agree ? first.at("verdict_reason") : nlohmann::json("the ranks differ: " + differ);
  document.erase("noise");
  for (const Outcome& outcome : outcomes)
    if (outcome.document.contains(Pointer("/noise/too_noisy")) &&
        outcome.document.at("noise").at("too_noisy").get<bool>())
      document["noise"] = outcome.document.at("noise");
}

nlohmann::json transport_of(std::span<const Outcome> outcomes) {
  nlohmann::json transport = nlohmann::json::object();
  for (const char* name :
       {"connections", "packets_sent", "packets_received", "packets_lost", "bytes_sent", "stream_bytes_retransmitted",
        "messages_retransmitted", "packets_spuriously_lost", "probes_sent", "congestion_window_bytes"})
    if (const auto sum = count(outcomes, fmt::format("/transport/{}", name))) transport[name] = *sum;
  return transport;
}

}  // namespace

tools::Result<Merged> merge_outcomes(const perf::Options& options, std::span<const Outcome> outcomes) {
  Merged merged;
  perf::Result& result = merged.result;
  std::vector<perf::HistogramLog> logs;
  for (const Outcome& outcome : outcomes) {
    if (!outcome.document.contains("histograms")) continue;
    auto log = perf::parse_hlog(outcome.hlog);
    if (!log) return tools::fail(tools::ErrorKind::io, fmt::format("rank {}: {}", outcome.rank, log.error()));
    logs.push_back(*std::move(log));
  }
  if (!logs.empty()) {
    auto sum = perf::merge_logs(logs);
    if (!sum) return tools::fail(tools::ErrorKind::io, sum.error());
    merged.log = *std::move(sum);
    result.started_at = merged.log.start;
  }
  const nlohmann::json& first = outcomes.front().document;
  result.test = options.workload.test;
  result.connections = options.workload.connections * static_cast<unsigned>(outcomes.size());
  result.streams = options.workload.uses_streams() ? options.workload.streams : 0;
  result.datagram_bytes = first.at("config").at("datagram_bytes");
  result.suite = first.at("config").at("suite");
  result.seconds = number(outcomes, "/result/seconds", By::largest).value_or(0);
  result.bytes = count(outcomes, "/result/bytes").value_or(0);
  result.goodput_bits_per_second = number(outcomes, "/result/goodput_bits_per_second");
  result.messages_per_second = number(outcomes, "/result/messages_per_second");
  result.handshakes_per_second = number(outcomes, "/result/handshakes_per_second");
  result.streams_per_second = number(outcomes, "/result/streams_per_second");
  add_counts(outcomes, result);
  add_latencies(merged.log, result);
  merged.document = to_json(result);
  merged.document["config"].update(config_of(options));
  merged.document["transport"] = transport_of(outcomes);
  merged.document["environment"] = first.at("environment");
  if (const auto client = number(outcomes, "/cpu/client_seconds")) merged.document["cpu"]["client_seconds"] = *client;
  // Each rank has it from the server, of its whole process.
  if (const auto server = number(outcomes, "/cpu/server_seconds", By::largest))
    merged.document["cpu"]["server_seconds"] = *server;
  judge_together(outcomes, merged.document);
  return merged;
}

nlohmann::json hosts_of(std::span<const RankPlace> places, std::span<const Outcome> outcomes) {
  const bool first_failed = !outcomes.empty() && outcomes.front().rank == 0 && outcomes.front().error &&
                            outcomes.front().error->kind != tools::ErrorKind::interrupted;
  const tools::ToolError missing =
      first_failed ? tools::ToolError{tools::ErrorKind::interrupted, "it was not waited for, since rank 0 had failed"}
                   : tools::ToolError{tools::ErrorKind::network, "it gave no result"};
  nlohmann::json hosts = nlohmann::json::array();
  for (std::size_t rank = 0; rank != places.size(); ++rank) {
    nlohmann::json host = {{"rank", rank},
                           {"host", places[rank].host},
                           {"clock_offset_us", places[rank].clock.seconds * 1e6},
                           {"clock_error_us", places[rank].clock.error_seconds * 1e6}};
    const auto outcome = std::ranges::find(outcomes, static_cast<int>(rank), &Outcome::rank);
    if (outcome == outcomes.end()) {
      host["error"] = to_json(missing)["error"];
    } else {
      if (outcome->error) host["error"] = to_json(*outcome->error)["error"];
      const nlohmann::json& document = outcome->document;
      for (const char* part : {"result", "verdict", "verdict_reason", "cpu", "noise"})
        if (document.contains(part)) host[part] = document.at(part);
      if (document.contains(Pointer("/start/late_us"))) host["start_late_us"] = document.at("start").at("late_us");
    }
    hosts.push_back(std::move(host));
  }
  return hosts;
}

}  // namespace mxp::perf_mpi
