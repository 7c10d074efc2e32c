#include "mxp-perf/compare/compare_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>

#include "common/escape.h"
#include "mxp-perf/compare/metrics.h"

namespace mxp::perf {

namespace {

constexpr unsigned kMostRuns = 1000;

}  // namespace

std::optional<double> parse_share(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (error != std::errc() || !std::isfinite(value) || (!rest.empty() && rest != "%")) return std::nullopt;
  return rest == "%" ? value / 100 : value;
}

const CLI::App* add_compare_command(CLI::App& app, CompareOptions& options, LowCompareOptions& low) {
  CLI::App* compare = app.add_subcommand("compare", "is NEW worse than BASE? exit 6 if it is for certain");
  compare
      ->add_option("base", options.base,
                   "BASE.json, several with commas between them; with --runs a program or a command")
      ->required();
  compare->add_option("new", options.next, "NEW.json, the same")->required();
  compare->add_option("arguments", options.arguments, "with --runs, after --: options of the test for both programs");
  compare
      ->add_option("--max-regression", low.max_regression,
                   "how much worse may be: exit 6 only where all of the interval is beyond it (default 2%)")
      ->type_name("SHARE");
  compare->add_option("--runs", options.runs, "run BASE and NEW in turn, so many times each")
      ->check(CLI::Range(1u, kMostRuns))
      ->type_name("N");
  compare
      ->add_option("--metric", options.metrics,
                   "what decides: goodput, messages, streams, handshakes, p50, p90, p99, p999 or max; may be repeated "
                   "(default: what the test is for)")
      ->check(CLI::IsMember(metric_names()))
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  compare->add_option("--confidence", low.confidence, "of the intervals (default 95%)")->type_name("SHARE");
  compare->add_option("--format", low.format, "text, json, junit or github (annotations)")
      ->check(CLI::IsMember({"text", "json", "junit", "github"}))
      ->type_name("FORMAT");
  compare->add_option("--keep", options.keep, "with --runs: a folder for the results of all runs")->type_name("DIR");
  return compare;
}

std::optional<std::string> interpret_compare(CompareOptions& options, const LowCompareOptions& low) {
  if (!low.max_regression.empty()) {
    const auto share = parse_share(low.max_regression);
    if (!share || *share < 0 || *share >= 1) return "--max-regression takes a share, 0% to less than 100%";
    options.max_regression = *share;
  }
  if (!low.confidence.empty()) {
    const auto share = parse_share(low.confidence);
    if (!share || *share < 0.5 || *share > 0.999) return "--confidence takes a share, 50% to 99.9%";
    options.confidence = *share;
  }
  if (!options.runs && !options.arguments.empty())
    return fmt::format("not expected: {}: compare takes BASE and NEW, several files of one with commas between them",
                       tools::escape(options.arguments.front()));
  if (!options.runs && !options.keep.empty()) return "--keep is for --runs, which makes results";
  options.format = low.format == "json"     ? CompareFormat::json
                   : low.format == "junit"  ? CompareFormat::junit
                   : low.format == "github" ? CompareFormat::github
                                            : CompareFormat::text;
  return std::nullopt;
}

}  // namespace mxp::perf
