#include "mxp-perf/capacity/capacity.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "common/units.h"
#include "mxp-perf/capacity/rate_search.h"
#include "mxp-perf/compare/compare_options.h"
#include "mxp-perf/config_json.h"
#include "mxp-perf/verdict/verdict.h"
#include "mxp/version.h"

namespace mxp::perf {

using tools::ErrorKind;

void add_capacity_options(CLI::App& app, CapacityOptions& options) {
  tools::add_time(app, "--p99", options.p99, "99 of 100 must take no longer, from when they were due");
  app.add_option_function<std::string>(
         "--loss",
         [&options](const std::string& text) {
           const auto share = parse_share(text);
           if (!share || *share < 0 || *share >= 1) throw CLI::ValidationError("--loss", "takes a share, 0% to 100%");
           options.loss = share;
         },
         "no more may be lost, unanswered or not sent, such as 0.1%")
      ->type_name("SHARE");
  const auto in_range = CLI::Range(kMinRate, kMaxRate);
  app.add_option("--min-rate", options.least_rate, "begin here (default 100 per second)")->check(in_range);
  app.add_option("--max-rate", options.most_rate, "go no further (default 1000000 per second)")->check(in_range);
}

std::optional<std::string> interpret_capacity(Options& options) {
  const Test test = options.workload.test;
  if (!has_rate(test))
    return fmt::format("find-capacity looks for a rate, and --test {} has none: use rr, messages, mixed or datagrams",
                       to_string(test));
  options.measure_limits = false;
  options.workload.calls_per_second = options.workload.messages_per_second = 0;  // the trials' own
  if (!options.capacity.p99 && !options.capacity.loss) return "find-capacity needs a bound: --p99 TIME or --loss SHARE";
  if (options.capacity.p99 && test == Test::datagrams)
    return "--p99 is not for datagrams, which have no answer: use --loss";
  if (options.capacity.least_rate > options.capacity.most_rate) return "--min-rate is above --max-rate";
  return std::nullopt;
}

namespace {

Options at_rate(const Options& options, double rate) {
  Options trial = options;
  const bool messages = options.workload.test == Test::messages || options.workload.test == Test::mixed;
  (messages ? trial.workload.messages_per_second : trial.workload.calls_per_second) = rate;
  return trial;
}

double share(double part, double whole) { return whole > 0 ? part / whole : 0; }

// Of what was due: lost, unanswered, expired, or never sent for lack of room.
std::optional<double> loss_of(const Result& result) {
  if (result.datagrams) {
    const DatagramCounts& counts = *result.datagrams;
    const auto due = static_cast<double>(counts.sent + counts.not_sent);
    return 1 - share(static_cast<double>(counts.delivered), due);
  }
  if (result.messages) {
    const MessageCounts& counts = *result.messages;
    const auto due = static_cast<double>(counts.taken + counts.not_sent.value_or(0));
    return 1 - share(static_cast<double>(counts.delivered), due);
  }
  if (result.calls)
    return share(static_cast<double>(result.calls->due - result.calls->answered),
                 static_cast<double>(result.calls->due));
  return std::nullopt;
}

nlohmann::json to_json(const Trial& trial) {
  nlohmann::json json = {{"rate_per_second", trial.rate_per_second}, {"kept", trial.why.empty()}};
  if (trial.p99_us) json["p99_us"] = *trial.p99_us;
  if (trial.loss_share) json["loss_share"] = *trial.loss_share;
  if (!trial.why.empty()) json["why"] = trial.why, json["limited_by"] = trial.limited_by;
  return json;
}

std::string describe(const Trial& trial) {
  std::string text = fmt::format("{:>12.1f} /s  {}", trial.rate_per_second, trial.why.empty() ? "kept" : trial.why);
  if (trial.p99_us && trial.why.empty()) text += fmt::format(", p99 {:.1f} us", *trial.p99_us);
  return text;
}

// The trial at the lowest rate that did not keep the bounds; nullptr if all did.
const Trial* lowest_broken(const RateSearch& search, const std::vector<Trial>& trials) {
  const Trial* lowest = nullptr;
  for (const Trial& trial : trials)
    if (!trial.why.empty() && search.broken() == trial.rate_per_second) lowest = &trial;
  return lowest;
}

nlohmann::json document_of(const Options& options, const RateSearch& search, const std::vector<Trial>& trials) {
  nlohmann::json bounds = nlohmann::json::object();
  if (options.capacity.p99) bounds["p99_us"] = std::chrono::duration<double, std::micro>(*options.capacity.p99).count();
  if (options.capacity.loss) bounds["loss_share"] = *options.capacity.loss;
  nlohmann::json capacity = {{"test", to_string(options.workload.test)}, {"bounds", bounds}};
  if (search.best()) capacity["rate_per_second"] = *search.best();
  for (const Trial& trial : trials) capacity["trials"].push_back(to_json(trial));
  const Trial* const broken = lowest_broken(search, trials);
  capacity["limited_by"] = broken != nullptr ? broken->limited_by : search.reached_most() ? "max_rate" : "unknown";
  return {{"schema", kSchemaName},
          {"version", kLibraryVersion},
          {"config", config_of(options)},
          {"capacity", std::move(capacity)}};
}

std::string summary_of(const RateSearch& search, const std::vector<Trial>& trials) {
  std::string text = search.best() ? fmt::format("capacity  {:.1f} /s\n", *search.best())
                                   : "capacity  none: the lowest rate broke the bound already\n";
  if (const Trial* const broken = lowest_broken(search, trials)) {
    text += fmt::format("limit     {}: {}\n", broken->limited_by, broken->why);
    if (broken->limited_by == to_string(Verdict::tool))
      text += "note      this program itself was the limit: more can be had with several clients\n";
  } else if (search.reached_most()) {
    text += "limit     none up to --max-rate\n";
  }
  return text;
}

}  // namespace

Trial judge_trial(const Options& options, double rate, const Result& result) {
  Trial trial{.rate_per_second = rate, .p99_us = {}, .loss_share = loss_of(result), .why = {}, .limited_by = {}};
  if (result.latency_us) trial.p99_us = result.latency_us->p99;
  const auto& [p99, loss, least, most] = options.capacity;
  if (p99 && !trial.p99_us) trial.why = "nothing was answered";
  else if (p99 && *trial.p99_us > std::chrono::duration<double, std::micro>(*p99).count())
    trial.why = fmt::format("p99 was {:.1f} us", *trial.p99_us);
  else if (loss && trial.loss_share && *trial.loss_share > *loss)
    trial.why = fmt::format("{:.3f}% were lost or not sent", 100 * *trial.loss_share);
  else if (result.rate_kept() == false) trial.why = "the rate was not reached";
  if (!trial.why.empty()) trial.limited_by = to_string(result.verdict);
  return trial;
}

tools::Result<void> search_capacity(const Options& options, tools::Output& output, ResultSinks& sinks,
                                    const tools::SignalWatch& signals, const RunTrial& run) {
  RateSearch search(options.capacity.least_rate, options.capacity.most_rate);
  std::vector<Trial> trials;
  tools::Result<void> ended;
  while (const auto rate = search.next()) {
    const ClientResult outcome = run(at_rate(options, *rate));
    // A trial that was cut short says nothing of its rate.
    if (signals.received() != 0 || !outcome.result || outcome.error) {
      ended = outcome.error ? std::unexpected(*outcome.error) : tools::fail(ErrorKind::interrupted, "interrupted");
      break;
    }
    trials.push_back(judge_trial(options, *rate, *outcome.result));
    output.summary(describe(trials.back()));
    search.on_trial(trials.back().why.empty());
  }
  if (trials.empty() && !ended) return ended;
  if (ended && !search.best())
    ended = tools::fail(ErrorKind::threshold, fmt::format("no rate kept the bounds: at {:.1f} /s {}",
                                                          trials.back().rate_per_second, trials.back().why));
  nlohmann::json document = document_of(options, search, trials);
  if (!ended) document.update(to_json(ended.error()));
  const auto written = sinks.json().write_document(document);
  if (auto printed = sinks.print(summary_of(search, trials)); !printed) return printed;
  if (!written) return written;
  return ended;
}

}  // namespace mxp::perf
