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
#include "mxp-perf-mpi/agreement.h"
#include "mxp-perf-mpi/hosts.h"
#include "mxp-perf-mpi/merged.h"
#include "mxp-perf-mpi/rank_load.h"
#include "mxp-perf-mpi/validity.h"
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
// Of the other ranks: for rank 0 to speak to them, and to take their results once the test is over.
constexpr Duration kPatienceWithFirst = std::chrono::minutes(1);
// Of rank 0: for the others to come to the agreement; they have begun MPI together.
constexpr Duration kPatienceToAgree = std::chrono::seconds(10);
// What the questions about one clock may take, and by how much longer those about all of them after the test.
constexpr Duration kPatienceForClock = std::chrono::milliseconds(100);
constexpr Duration kPatienceWithClocks = std::chrono::seconds(2);

// What rank 0 tells the others is first whether there is a test at all, after the agreement when to begin, and last
// that it needs nothing more of them.
constexpr double kNothing = 0, kAgree = 1;

struct Agreement {
  std::vector<RankPlace> places;
  double start = 0;  // by the clock of rank 0
};

void tell_all(const Ranks& ranks, double value) {
  ranks.tell(std::vector<double>(static_cast<std::size_t>(ranks.size()), value));
}

std::unexpected<AgreementFailure> no_agreement(ErrorKind kind, std::string message) {
  return std::unexpected(AgreementFailure{.error = {kind, std::move(message)}});
}

// On rank 0.
std::expected<Agreement, AgreementFailure> agree(const Ranks& ranks, const perf::Options& options,
                                                 const tools::SignalWatch& signals) {
  tell_all(ranks, kAgree);
  std::vector<std::optional<Introduction>> all(static_cast<std::size_t>(ranks.size()));
  all[0] = introduce(ranks.host_name(), options);
  const auto waited_for_long = [&signals, over = after(kPatienceToAgree)] { return over() || signals.received() != 0; };
  ranks.receive_all(
      Ranks::Kind::introduction,
      [&](int rank, const std::string& text) { all[static_cast<std::size_t>(rank)] = parse_introduction(text); },
      waited_for_long);
  const auto interrupted = [] {
    return no_agreement(ErrorKind::interrupted, "interrupted before the ranks had agreed");
  };
  if (signals.received() != 0) return interrupted();
  if (auto failure = why_not_together(all, kPatienceToAgree)) return std::unexpected(*std::move(failure));
  Agreement agreement;
  // All clocks together: the others wait for no longer than that (follow).
  const auto asked_for_long = [&signals, over = after(kPatienceToAgree + ranks.size() * kPatienceForClock)] {
    return over() || signals.received() != 0;
  };
  for (std::size_t rank = 0; rank != all.size(); ++rank) {
    const auto clock =
        rank == 0 ? std::optional(ClockOffset{}) : ranks.ask_for_clock(static_cast<int>(rank), asked_for_long);
    if (!clock && signals.received() != 0) return interrupted();
    if (!clock)
      return no_agreement(ErrorKind::network,
                          fmt::format("{} did not answer when its clock was asked", name_of(rank, all[rank]->host)));
    agreement.places.push_back({.host = all[rank]->host, .clock = {.before = *clock}});
  }
  agreement.start = options.start_at.value_or(perf::unix_seconds() + kTimeToConnect +
                                              kTimeToConnectOne * options.workload.connections);
  std::vector<double> starts;
  starts.reserve(all.size());
  for (const RankPlace& place : agreement.places) starts.push_back(agreement.start + place.clock.before.seconds);
  ranks.tell(starts);
  return agreement;
}

// `start`: by this rank's clock.
perf::Options part_of(const Ranks& ranks, perf::Options options, double start) {
  options.start_at = start;
  return share_of(options, ranks.rank(), ranks.size());
}

// `patience`: where rank 0 has not failed itself.
std::vector<Outcome> gather(const Ranks& ranks, Outcome own, Duration patience, const tools::SignalWatch& signals) {
  std::vector<Outcome> outcomes;
  Timestamp end = monotonic_now() + (own.error ? kPatienceAfterFailure : patience);
  bool told = false;
  outcomes.push_back(std::move(own));
  ranks.receive_all(
      Ranks::Kind::outcome,
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

// After the test: whether the clocks kept their distance. Not asked of ranks that gave nothing, nor where mpirun has
// told this process to end. Then the others are told that it is over.
void compare_clocks_again(const Ranks& ranks, std::vector<Outcome>& outcomes, std::vector<RankPlace>& places,
                          const tools::SignalWatch& signals) {
  const auto asked_for_long = [&signals, over = after(kPatienceWithClocks + ranks.size() * kPatienceForClock)] {
    return over() || signals.received() != 0;
  };
  for (Outcome& outcome : outcomes) {
    RankClock& clock = places[static_cast<std::size_t>(outcome.rank)].clock;
    if (outcome.rank != 0 && signals.received() == 0) {
      const auto again = ranks.ask_for_clock(outcome.rank, asked_for_long);
      if (again || signals.received() == 0)
        clock.after = again.value_or(ClockOffset{.error_seconds = kUnknownClockError});
    }
    outcome.clock_error_seconds = clock.error_seconds();
  }
  tell_all(ranks, kNothing);
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
  auto agreed = agree(ranks, options, signals);
  if (!agreed) {
    if (agreed.error().all_understand) tell_all(ranks, kNothing);
    return {.outcome = std::unexpected(agreed.error().error),
            .everybody = agreed.error().all_understand ? Everybody::is_there : Everybody::is_not};
  }
  Agreement& agreement = *agreed;
  // The last rank begins its part, and so ends it, after all others.
  const Duration patience = kPatience + perf::seconds_as_duration(seconds_after_first(options, ranks.size() - 1));
  Outcome own = run_load(part_of(ranks, options, agreement.start), ranks.rank(), output, signals);
  std::vector<Outcome> outcomes = gather(ranks, std::move(own), patience, signals);
  compare_clocks_again(ranks, outcomes, agreement.places, signals);
  JobEnd end;
  const auto lost = [](const RankPlace& place) { return place.clock.lost(); };
  if (outcomes.size() < agreement.places.size() || std::ranges::any_of(agreement.places, lost))
    end.everybody = Everybody::is_not;
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

Everybody dismiss(const Ranks& ranks) {
  tell_all(ranks, kNothing);
  int there = 1;
  ranks.receive_all(Ranks::Kind::introduction, [&](int, const std::string&) { ++there; }, after(kPatienceToAgree));
  return there == ranks.size() ? Everybody::is_there : Everybody::is_not;
}

tools::Result<void> follow(const Ranks& ranks, const OptionsOfRank& options_of_rank) {
  const auto gives_up = [&](std::string_view why) {
    return tools::fail(ErrorKind::network, fmt::format("rank {} gives up: rank 0 {}", ranks.rank(), why));
  };
  const auto word = ranks.hear(after(kPatienceWithFirst));
  if (!word) return gives_up("does not say whether there is a test");
  const bool dismissed = *word == kNothing;
  const auto options = dismissed ? std::unexpected(tools::ParseStop{}) : options_of_rank();
  const Introduction introduction = introduce(ranks.host_name(), options);
  if (!ranks.send_to_first(Ranks::Kind::introduction, to_text(introduction), after(kPatienceWithFirst)))
    return gives_up("did not take its introduction");
  if (dismissed) return {};
  const auto start = ranks.hear(after(kPatienceWithFirst + ranks.size() * kPatienceForClock));
  if (!start) return gives_up("does not say when to begin");
  if (*start == kNothing || !options) return {};  // rank 0 says why
  const tools::SignalWatch signals;
  tools::Output output("mxp-perf-mpi", tools::Verbosity::quiet);
  const perf::Options mine = part_of(ranks, *options, *start);
  const Outcome own = run_load(mine, ranks.rank(), output, signals);
  // Rank 0 asks for nothing before its own part is over, which may not even have begun where this one failed.
  const double until_start = std::max(0.0, mine.start_at.value_or(0) - perf::unix_seconds());
  const Duration patience = perf::seconds_as_duration(until_start) + options->workload.duration + kPatienceWithFirst;
  if (!ranks.send_to_first(Ranks::Kind::outcome, to_text(own), after(patience)))
    return gives_up("did not take its result");
  // Rank 0 waits for the results of all others, and then compares all clocks.
  const double until_last = seconds_after_first(*options, ranks.size() - 1);
  if (!ranks.hear(after(kPatienceWithFirst + perf::seconds_as_duration(until_last) + ranks.size() * kPatienceForClock)))
    return gives_up("does not say that the test is over");
  return {};
}

}  // namespace mxp::perf_mpi
