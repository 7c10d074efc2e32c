#include "mxp-perf-mpi/merged.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "mxp-perf-mpi/spans.h"
#include "mxp-perf-mpi/sums.h"
#include "mxp-perf/config_json.h"
#include "mxp-perf/histograms/merge.h"
#include "mxp-perf/schema/series_json.h"

namespace mxp::perf_mpi {

namespace {

using Pointer = nlohmann::json::json_pointer;

std::vector<RankSpan> spans_of(std::span<const Outcome> outcomes) {
  std::vector<RankSpan> spans;
  for (const Outcome& outcome : outcomes)
    spans.push_back({.begin_seconds = seconds_late(outcome),
                     .seconds = number_in(outcome, "/result/seconds").value_or(0),
                     .error_seconds = outcome.clock_error_seconds});
  return spans;
}

// Whether each kept its share, at one time.
std::optional<bool> rate_kept_by(std::span<const Outcome> outcomes) {
  const auto each = all_of(outcomes, "/result/rate_kept");
  return each ? std::optional(*each && began_together(spans_of(outcomes))) : std::nullopt;
}

void add_counts(std::span<const Outcome> outcomes, perf::Result& result) {
  const auto of = [&](const char* name) { return count_of(outcomes, fmt::format("/result/{}", name)); };
  const auto asked = [&](const char* part) {
    return sum_of(outcomes, fmt::format("/result/{}/asked_per_second", part));
  };
  // What only the server knows: of some ranks alone it would look like that of all.
  const auto of_each = [&](const char* name) { return count_of_each(outcomes, fmt::format("/result/{}", name)); };
  const std::optional<bool> kept = rate_kept_by(outcomes);
  if (const auto due = of("calls/due"))
    result.calls = perf::CallCounts{.asked_per_second = asked("calls"),
                                    .rate_kept = kept,
                                    .due = *due,
                                    .answered = of("calls/answered").value_or(0),
                                    .unanswered = of("calls/unanswered").value_or(0),
                                    .failed = of("calls/failed").value_or(0)};
  if (const auto sent = of("datagrams/sent"))
    result.datagrams = perf::DatagramCounts{.asked_per_second = asked("datagrams"),
                                            .rate_kept = kept,
                                            .sent = *sent,
                                            .delivered = of("datagrams/delivered").value_or(0),
                                            .not_sent = of("datagrams/not_sent").value_or(0),
                                            .overtaken = of_each("datagrams/overtaken")};
  if (const auto sent = of("messages/sent"))
    result.messages = perf::MessageCounts{.asked_per_second = asked("messages"),
                                          .rate_kept = kept,
                                          .not_sent = of("messages/not_sent"),
                                          .taken = *sent,
                                          .delivered = of("messages/delivered").value_or(0),
                                          .expired = of("messages/expired").value_or(0),
                                          .unknown = of("messages/unknown").value_or(0),
                                          .received = of_each("messages/received")};
}

// What the rate of this name counts.
double counted_in(const Outcome& outcome, const perf::Options& options, std::string_view rate) {
  const auto count = [&](const char* name) {
    return static_cast<double>(count_in(outcome, fmt::format("/result/{}", name)).value_or(0));
  };
  if (rate == "goodput_bits_per_second") return count("bytes") * 8;
  switch (options.workload.test) {
    case perf::Test::datagrams: return count("datagrams/delivered");
    case perf::Test::messages:
    case perf::Test::mixed: return count("bytes") / static_cast<double>(options.workload.size);
    default: return count("calls/answered");
  }
}

// Nothing where no rank has that rate.
std::optional<double> rate_of(std::span<const Outcome> outcomes, const perf::Options& options, std::string_view name) {
  std::vector<RankCount> counts;
  bool has_rate = false;
  for (const Outcome& outcome : outcomes) {
    counts.push_back({.begin_seconds = seconds_late(outcome),
                      .count = counted_in(outcome, options, name),
                      .per_second = number_in(outcome, fmt::format("/result/{}", name))});
    has_rate = has_rate || counts.back().per_second;
  }
  return has_rate ? std::optional(rate_of_all(counts).value_or(0)) : std::nullopt;
}

// REQUIRES: the counts are there.
void add_rates(std::span<const Outcome> outcomes, const perf::Options& options, perf::Result& result) {
  result.seconds = seconds_of_all(spans_of(outcomes));
  result.bytes = count_of(outcomes, "/result/bytes").value_or(0);
  result.goodput_bits_per_second = rate_of(outcomes, options, "goodput_bits_per_second");
  // Calls that came at their rate have the rate that was asked for, as those of one client have: not less, because one
  // rank began some microseconds after the others.
  const bool as_asked = result.calls && result.calls->rate_kept.value_or(false);
  const auto rate = [&](const std::string& name) {
    return as_asked ? sum_of(outcomes, "/result/" + name) : rate_of(outcomes, options, name);
  };
  result.messages_per_second = rate("messages_per_second");
  result.handshakes_per_second = rate("handshakes_per_second");
  result.streams_per_second = rate("streams_per_second");
}

void add_intervals(std::span<const Outcome> outcomes, perf::Result& result) {
  // The key, and by how much its figures are larger than what an interval counts.
  const nlohmann::json names = perf::to_json({.per_second = 1}, perf::rate_unit(result.test));
  std::vector<RankIntervals> ranks;
  for (const Outcome& outcome : outcomes) {
    RankIntervals& rank = ranks.emplace_back();
    rank.begin_seconds = seconds_late(outcome);
    if (!outcome.document.contains("intervals")) continue;
    for (const nlohmann::json& one : outcome.document.at("intervals"))
      for (const auto& [key, scale] : names.items())
        if (key.ends_with("_per_second"))
          rank.rates.push_back({.begin_seconds = one.at("start_seconds").get<double>(),
                                .end_seconds = one.at("end_seconds").get<double>(),
                                .per_second = one.at(key).get<double>() / scale.get<double>()});
  }
  result.intervals = intervals_of_all(ranks);
}

// The processes and sockets of all ranks, and those of the server: each rank has them from the server, of its whole
// process, so that the report of the busiest time covers the others best.
void add_ends(std::span<const Outcome> outcomes, perf::Result& result) {
  using perf::ProcessFigures;
  for (const Outcome& outcome : outcomes) {
    const Beside& beside = outcome.beside;
    result.answers += beside.answers;
    result.held_seconds += beside.held_seconds;
    if (beside.server && (!result.server || result.server->cpu_seconds < beside.server->cpu_seconds))
      result.server = beside.server;
    if (!beside.client) continue;
    if (!result.client) {
      result.client = beside.client;
      continue;
    }
    ProcessFigures& sum = *result.client;
    sum.cpu_seconds += beside.client->cpu_seconds;
    // Of some alone it would look like that of all.
    if (sum.waited_seconds && beside.client->waited_seconds) *sum.waited_seconds += *beside.client->waited_seconds;
    else sum.waited_seconds.reset();
    for (std::uint64_t ProcessFigures::* each :
         {&ProcessFigures::datagrams_sent, &ProcessFigures::send_calls, &ProcessFigures::sends_blocked,
          &ProcessFigures::datagrams_received, &ProcessFigures::receive_calls, &ProcessFigures::receive_overflows})
      sum.*each += beside.client.value().*each;
  }
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
    if (name == "sender_late") result.sender_late_us = percentiles;
    if (name == "alone") result.alone_latency_us = percentiles;
  }
}

// Each delay is right within the bound of its rank. REQUIRES: the histograms are there.
void add_one_way(std::span<const Outcome> outcomes, perf::Result& result) {
  const auto counts_of = [&](std::string_view name) {
    const auto found = std::ranges::find(result.histograms, name, &perf::NamedHistogram::name);
    return found == result.histograms.end() ? perf::HdrHistogram() : found->counts;
  };
  perf::OneWayDelay one_way{.to_server = counts_of("to_server"), .to_client = counts_of("to_client")};
  if (one_way.to_server.count() == 0 || one_way.to_client.count() == 0) return;
  for (const Outcome& outcome : outcomes) {
    const double bound = number_in(outcome, "/result/one_way_us/error_bound").value_or(0);
    one_way.error_bound_us = std::max(one_way.error_bound_us, bound);
  }
  one_way.probes = count_of(outcomes, "/result/one_way_us/probes").value_or(0);
  result.one_way = one_way;
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

// The sum of their histograms; empty where none has any.
tools::Result<perf::HistogramLog> log_of_all(std::span<const Outcome> outcomes) {
  std::vector<perf::HistogramLog> logs;
  for (const Outcome& outcome : outcomes) {
    if (!outcome.document.contains("histograms")) continue;
    auto log = perf::parse_hlog(outcome.hlog);
    if (!log) return tools::fail(tools::ErrorKind::io, fmt::format("rank {}: {}", outcome.rank, log.error()));
    logs.push_back(*std::move(log));
  }
  if (logs.empty()) return {};
  auto sum = perf::merge_logs(logs);
  if (!sum) return tools::fail(tools::ErrorKind::io, fmt::format("the ranks' histograms: {}", sum.error()));
  return *std::move(sum);
}

tools::Result<Merged> merge(const perf::Options& options, std::span<const Outcome> outcomes) {
  Merged merged;
  perf::Result& result = merged.result;
  auto log = log_of_all(outcomes);
  if (!log) return std::unexpected(log.error());
  merged.log = *std::move(log);
  if (!merged.log.histograms.empty()) result.started_at = merged.log.start;
  const nlohmann::json& first = outcomes.front().document;
  result.test = options.workload.test;
  result.connections = options.workload.connections * static_cast<unsigned>(outcomes.size());
  result.streams = options.workload.uses_streams() ? options.workload.streams : 0;
  result.datagram_bytes = first.at("config").at("datagram_bytes");
  result.suite = first.at("config").at("suite");
  add_counts(outcomes, result);
  add_rates(outcomes, options, result);
  add_latencies(merged.log, result);
  add_one_way(outcomes, result);
  add_intervals(outcomes, result);
  add_ends(outcomes, result);
  merged.document = to_json(result);
  merged.document["config"].update(config_of(options));
  merged.document["transport"] = transport_of(outcomes, "transport");
  if (auto server = transport_of(outcomes, "server_transport"); !server.empty())
    merged.document["server_transport"] = std::move(server);
  merged.document["environment"] = first.at("environment");
  judge_together(outcomes, merged.document);
  return merged;
}

}  // namespace

tools::Result<Merged> merge_outcomes(const perf::Options& options, std::span<const Outcome> outcomes) {
  try {
    return merge(options, outcomes);
  } catch (const nlohmann::json::exception& error) {
    // All ranks are the same program, so that this is no input's fault.
    return tools::fail(tools::ErrorKind::io, fmt::format("a rank's result is none: {}", error.what()));
  }
}

}  // namespace mxp::perf_mpi
