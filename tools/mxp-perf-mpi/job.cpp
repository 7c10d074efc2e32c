#include "mxp-perf-mpi/job.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "common/escape.h"
#include "common/units.h"
#include "mxp-perf-mpi/merged.h"
#include "mxp-perf-mpi/rank_load.h"
#include "mxp-perf/clock/unix_time.h"
#include "mxp-perf/result.h"
#include "udp/clock.h"

namespace mxp::perf_mpi {

using tools::ErrorKind;

namespace {

// From the agreement to the start: for the connections of each rank.
constexpr double kTimeToConnect = 1, kTimeToConnectOne = 0.01;
// For the results of the others, when rank 0 has its own; where the run has failed anyhow; and where mpirun has told
// this process to end, which it kills a second later.
constexpr Duration kPatience = std::chrono::seconds(5);
constexpr Duration kPatienceAfterFailure = std::chrono::milliseconds(1000);
constexpr Duration kPatienceAfterSignal = std::chrono::milliseconds(400);
// Of the other ranks: for rank 0 to take their results, once the test is over.
constexpr Duration kPatienceWithFirst = std::chrono::minutes(1);
// A rank that begins later than by this share of the duration was not part of the load.
constexpr double kSlowShare = 0.1;

struct Agreement {
  std::vector<RankPlace> places;
  perf::Options mine;
};

Agreement agree(const Ranks& ranks, const perf::Options& options) {
  Agreement agreement;
  const std::vector<std::string> names = ranks.host_names();
  const std::vector<ClockOffset> clocks = ranks.measure_clocks();
  for (std::size_t i = 0; i != names.size(); ++i) agreement.places.push_back({.host = names[i], .clock = clocks[i]});
  const double start = ranks.from_first(options.start_at.value_or(perf::unix_seconds() + kTimeToConnect +
                                                                  kTimeToConnectOne * options.workload.connections));
  perf::Options timed = options;
  timed.start_at = start + clocks[static_cast<std::size_t>(ranks.rank())].seconds;
  agreement.mine = share_of(timed, ranks.rank(), ranks.size());
  return agreement;
}

// `patience`: where rank 0 has not failed itself.
std::vector<Outcome> gather(const Ranks& ranks, Outcome own, Duration patience, const tools::SignalWatch& signals) {
  std::vector<Outcome> outcomes;
  Timestamp end = monotonic_now() + (own.error ? kPatienceAfterFailure : patience);
  bool told = false;
  outcomes.push_back(std::move(own));
  ranks.receive_all(
      [&](int rank, const std::string& text) {
        if (auto outcome = parse_outcome(rank, text)) outcomes.push_back(*std::move(outcome));
      },
      [&] {
        const Timestamp now = monotonic_now();
        if (signals.received() != 0 && !std::exchange(told, true)) end = std::min(end, now + kPatienceAfterSignal);
        return now >= end;
      });
  std::ranges::sort(outcomes, {}, &Outcome::rank);
  return outcomes;
}

// Why the run is no valid one, if it is not. A failure that a rank tells of prevails over ranks that gave no result:
// where rank 0 fails early, nobody waits for them. An interrupt does not: mpirun interrupts all when one of them dies.
std::optional<tools::ToolError> why_invalid(const perf::Options& options, const std::vector<RankPlace>& places,
                                            const std::vector<Outcome>& outcomes) {
  const auto named = [&](std::size_t rank) {
    return fmt::format("rank {} on {}", rank, tools::escape(places[rank].host));
  };
  std::string missing;
  for (std::size_t rank = 0; rank != places.size(); ++rank)
    if (std::ranges::find(outcomes, static_cast<int>(rank), &Outcome::rank) == outcomes.end())
      missing += (missing.empty() ? "" : ", ") + named(rank);
  const auto failed = std::ranges::find_if(outcomes, [&](const Outcome& outcome) {
    return outcome.error && (missing.empty() || outcome.error->kind != ErrorKind::interrupted);
  });
  if (failed != outcomes.end())
    return tools::ToolError{failed->error->kind, fmt::format("{}: {}", named(static_cast<std::size_t>(failed->rank)),
                                                             failed->error->message)};
  if (!missing.empty())
    return tools::ToolError{ErrorKind::network,
                            fmt::format("{} gave no result: dead, or too slow; the run is not valid", missing)};
  const double most = std::chrono::duration<double, std::micro>(options.workload.duration).count() * kSlowShare;
  for (const Outcome& outcome : outcomes) {
    const nlohmann::json::json_pointer late("/start/late_us");
    if (outcome.document.contains(late) && outcome.document.at(late).get<double>() > most)
      return tools::ToolError{
          ErrorKind::network,
          fmt::format(
              "{} began {} late: the run is not valid", named(static_cast<std::size_t>(outcome.rank)),
              tools::format_duration(perf::seconds_as_duration(outcome.document.at(late).get<double>() * 1e-6)))};
  }
  return std::nullopt;
}

// Where there is no result: what became of each rank, beside the reason.
JobEnd without_result(JobEnd end, const tools::ToolError& error, const std::vector<RankPlace>& places,
                      const std::vector<Outcome>& outcomes, perf::ResultSinks& sinks) {
  nlohmann::json document = {{"schema", perf::kSchemaName}, {"hosts", hosts_of(places, outcomes)}};
  document.update(to_json(error));
  (void)sinks.json().write_line(document);  // the exit code tells of the failure, too
  end.outcome = std::unexpected(error);
  return end;
}

std::string text_of(const nlohmann::json& document) {
  const auto figures = [](const nlohmann::json& result) {
    std::string text;
    for (const auto& [key, unit] : {std::pair("messages_per_second", "/s"),
                                    {"streams_per_second", " streams/s"},
                                    {"handshakes_per_second", " handshakes/s"}})
      if (result.contains(key)) text += fmt::format("  {}{}", perf::format_call_rate(result.at(key)), unit);
    if (result.contains("goodput_bits_per_second"))
      text += "  " + tools::format_bit_rate(result.at("goodput_bits_per_second").get<double>());
    if (result.contains("latency_us"))
      text +=
          fmt::format("  p50 {:.1f} us, p99 {:.1f} us, max {:.1f} us", result.at("latency_us").at("p50").get<double>(),
                      result.at("latency_us").at("p99").get<double>(), result.at("latency_us").at("max").get<double>());
    return text;
  };
  std::string text;
  for (const nlohmann::json& host : document.at("hosts")) {
    text += fmt::format("rank {:<5}{}", host.at("rank").get<int>(), tools::escape(host.at("host").get<std::string>()));
    if (host.contains("result")) text += figures(host.at("result"));
    if (host.contains("start_late_us"))
      text += fmt::format("  began {:.0f} us late", host.at("start_late_us").get<double>());
    if (host.contains("error")) text += "  " + tools::escape(host.at("error").at("message").get<std::string>());
    text += '\n';
  }
  // A run that ended early, or within --omit, may have neither a rate nor latencies.
  const std::string all = figures(document.at("result"));
  return text + fmt::format("all     {}\nverdict   {}: {}\n", all.empty() ? "  nothing was counted" : all,
                            document.at("verdict").get<std::string>(),
                            document.at("verdict_reason").get<std::string>());
}

}  // namespace

JobEnd lead(const Ranks& ranks, const perf::Options& options, tools::Output& output, const tools::SignalWatch& signals,
            perf::ResultSinks& sinks, RankLogs& logs) {
  const Agreement agreement = agree(ranks, options);
  // The last rank begins its part, and so ends it, after all others.
  const Duration patience = kPatience + perf::seconds_as_duration(seconds_after_first(options, ranks.size() - 1));
  const std::vector<Outcome> outcomes =
      gather(ranks, run_load(agreement.mine, ranks.rank(), output, signals), patience, signals);
  JobEnd end;
  if (outcomes.size() < agreement.places.size()) end.everybody = Everybody::is_not;
  auto error = why_invalid(options, agreement.places, outcomes);
  const bool not_valid = error.has_value();
  std::vector<Outcome> with_result;
  std::ranges::copy_if(outcomes, std::back_inserter(with_result),
                       [](const Outcome& one) { return !one.document.is_null(); });
  if (with_result.empty())
    return without_result(end, error.value_or(tools::ToolError{ErrorKind::network, "no rank has a result"}),
                          agreement.places, outcomes, sinks);
  auto merged = merge_outcomes(options, with_result);
  if (!merged) return without_result(end, merged.error(), agreement.places, outcomes, sinks);
  if (!error) error = broken_assertions(options.assertions, merged->result);
  nlohmann::json& document = merged->document;
  if (agreement.places.size() == 1) {
    document = with_result.front().document;  // all of it, as mxp-perf has it
  } else if (not_valid) {
    document["verdict"] = "none";
    document["verdict_reason"] = "the run is not valid";
  }
  document["config"]["ranks"] = with_result.size();
  document["hosts"] = hosts_of(agreement.places, outcomes);
  if (error) document.update(to_json(*error));
  const tools::Result<void> written[] = {sinks.json().write_document(document),
                                         sinks.files().write_histograms(merged->log), logs.write(with_result),
                                         sinks.print(text_of(document))};
  for (const auto& each : written)
    if (!each && end.outcome) end.outcome = each;
  if (error) end.outcome = std::unexpected(*error);
  return end;
}

bool follow(const Ranks& ranks, const perf::Options& options, tools::Output& output,
            const tools::SignalWatch& signals) {
  const Agreement agreement = agree(ranks, options);
  const Outcome own = run_load(agreement.mine, ranks.rank(), output, signals);
  // Rank 0 asks for nothing before its own part is over, which may not even have begun where this one failed.
  const double until_start = std::max(0.0, agreement.mine.start_at.value_or(0) - perf::unix_seconds());
  return ranks.send_to_first(to_text(own),
                             perf::seconds_as_duration(until_start) + options.workload.duration + kPatienceWithFirst);
}

}  // namespace mxp::perf_mpi
