#include "mxp-perf/compare/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "common/escape.h"

namespace mxp::perf {

std::string_view to_string(Finding finding) {
  switch (finding) {
    case Finding::regression: return "regression";
    case Finding::improvement: return "improvement";
    case Finding::no_regression: return "no_regression";
    case Finding::unclear: return "unclear";
  }
  return "unclear";
}

std::string_view to_string(Pairing pairing) {
  switch (pairing) {
    case Pairing::pairs: return "pairs";
    case Pairing::groups: return "groups";
    case Pairing::single: return "single";
  }
  return "single";
}

namespace {

std::vector<double> logs_of(const std::vector<double>& values) {
  std::vector<double> logs;
  logs.reserve(values.size());
  for (const double value : values) logs.push_back(std::log(value));
  return logs;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Of logarithms, so that the result is a ratio and "twice" is as far from "the same" as "half".
void estimate(MetricComparison& one, Pairing pairing, double confidence) {
  const std::vector<double> base = logs_of(one.base), next = logs_of(one.next);
  if (std::min(base.size(), next.size()) < 2) {
    one.change = std::expm1(mean_of(next) - mean_of(base));
    return;
  }
  Estimate estimate;
  if (pairing == Pairing::pairs) {
    std::vector<double> differences;
    for (std::size_t i = 0; i != base.size(); ++i) differences.push_back(next[i] - base[i]);
    estimate = estimate_pairs(differences, confidence);
  } else {
    estimate = estimate_difference(base, next, confidence);
  }
  one.change = std::expm1(estimate.value);
  one.range = Estimate{one.change, std::expm1(estimate.low), std::expm1(estimate.high)};
}

// Where one run of a side is all there is, its figures are taken as they are: what noise may have done to them is not
// known, and the output says so.
Finding judge(const MetricComparison& one, double limit) {
  const Estimate range = one.range.value_or(Estimate{one.change, one.change, one.change});
  const bool higher = one.metric->better == Better::higher;
  const double least_loss = higher ? -range.high : range.low, most_loss = higher ? -range.low : range.high;
  if (least_loss > limit) return Finding::regression;
  if (most_loss < 0) return Finding::improvement;
  return most_loss <= limit ? Finding::no_regression : Finding::unclear;
}

// The worst that is certain, then the doubtful.
Finding together(const std::vector<MetricComparison>& metrics) {
  constexpr Finding kOrder[] = {Finding::regression, Finding::unclear, Finding::no_regression, Finding::improvement};
  for (const Finding finding : kOrder)
    for (const MetricComparison& one : metrics)
      if (one.decides && one.finding == finding) return finding;
  return Finding::unclear;
}

std::string shown(const nlohmann::json& value) {
  return tools::escape(value.is_string() ? value.get<std::string>() : value.dump());
}

void flatten(const nlohmann::json& value, const std::string& key, std::map<std::string, std::set<std::string>>& out) {
  if (value.is_object())
    for (const auto& [name, inner] : value.items()) flatten(inner, key + "." + name, out);
  else out[key].insert(shown(value));
}

// Every value that the settings of these runs had.
std::map<std::string, std::set<std::string>> settings_of(const std::vector<nlohmann::json>& documents) {
  std::map<std::string, std::set<std::string>> settings;
  for (const nlohmann::json& document : documents)
    for (const char* const part : {"version", "config", "environment"})
      if (document.contains(part)) flatten(document.at(part), part, settings);
  return settings;
}

std::vector<Difference> differences_of(const std::vector<nlohmann::json>& base,
                                       const std::vector<nlohmann::json>& next) {
  const auto ours = settings_of(base), theirs = settings_of(next);
  std::map<std::string, Difference> found;
  const auto joined = [](const auto& settings, const std::string& key) {
    const auto at = settings.find(key);
    if (at == settings.end()) return std::string("absent");
    std::string text;
    for (const std::string& value : at->second) text += (text.empty() ? "" : " or ") + value;
    return text;
  };
  for (const auto* const settings : {&ours, &theirs})
    for (const auto& [key, values] : *settings)
      if (joined(ours, key) != joined(theirs, key)) found[key] = {key, joined(ours, key), joined(theirs, key)};
  std::vector<Difference> differences;
  differences.reserve(found.size());
  for (auto& [key, difference] : found) differences.push_back(std::move(difference));
  return differences;
}

std::expected<std::string, std::string> common_test(const std::vector<nlohmann::json>& base,
                                                    const std::vector<nlohmann::json>& next) {
  std::string test = base.front().value("test", "");
  for (const auto* const side : {&base, &next})
    for (const nlohmann::json& document : *side)
      if (document.value("test", "") != test)
        return std::unexpected(fmt::format("results of different tests do not compare: {} and {}", tools::escape(test),
                                           tools::escape(document.value("test", ""))));
  return test;
}

// The values of all runs of a side; nothing if one of them lacks it.
std::optional<std::vector<double>> values_of(const Metric& metric, const std::vector<nlohmann::json>& documents) {
  std::vector<double> values;
  for (const nlohmann::json& document : documents) {
    const auto value = value_of(metric, document);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

}  // namespace

std::expected<Comparison, std::string> compare(const std::vector<nlohmann::json>& base,
                                               const std::vector<nlohmann::json>& next, ComparisonRules rules) {
  const auto test = common_test(base, next);
  if (!test) return std::unexpected(test.error());
  if (rules.metrics.empty()) rules.metrics = {std::string(main_metric(base.front()))};
  if (std::min(base.size(), next.size()) < 2) rules.pairing = Pairing::single;
  Comparison comparison{.test = *test, .rules = rules, .metrics = {}, .differences = differences_of(base, next)};
  // Several that decide share what may go wrong (Bonferroni), so that more of them cry wolf no more often.
  const double share = 1 - (1 - rules.confidence) / static_cast<double>(rules.metrics.size());
  for (const Metric& metric : all_metrics()) {
    const bool decides = std::ranges::find(rules.metrics, metric.name) != rules.metrics.end();
    auto ours = values_of(metric, base), theirs = values_of(metric, next);
    if (!ours || !theirs) {
      if (decides) return std::unexpected(fmt::format("not every result has {}", metric.name));
      continue;
    }
    MetricComparison one{.metric = &metric, .decides = decides, .base = *std::move(ours), .next = *std::move(theirs)};
    estimate(one, rules.pairing, decides ? share : rules.confidence);
    one.finding = judge(one, rules.max_regression);
    comparison.metrics.push_back(std::move(one));
  }
  if (comparison.metrics.empty()) return std::unexpected("the results have no figure that can be compared");
  comparison.finding = together(comparison.metrics);
  return comparison;
}

nlohmann::json to_json(const Comparison& comparison) {
  nlohmann::json metrics = nlohmann::json::array();
  for (const MetricComparison& one : comparison.metrics) {
    nlohmann::json json = {{"name", one.metric->name},
                           {"unit", one.metric->unit},
                           {"better", one.metric->better == Better::higher ? "higher" : "lower"},
                           {"decides", one.decides},
                           {"base", one.base},
                           {"new", one.next},
                           {"change_percent", 100 * one.change},
                           {"finding", to_string(one.finding)}};
    if (one.range) {
      nlohmann::json& range = json["interval_percent"] = nlohmann::json::object();
      // Without a bound there is none to write: JSON has no infinity.
      if (std::isfinite(one.range->low)) range["low"] = 100 * one.range->low;
      if (std::isfinite(one.range->high)) range["high"] = 100 * one.range->high;
    }
    metrics.push_back(std::move(json));
  }
  nlohmann::json differences = nlohmann::json::array();
  for (const Difference& one : comparison.differences)
    differences.push_back({{"key", one.key}, {"base", one.base}, {"new", one.next}});
  return {{"test", comparison.test},
          {"finding", to_string(comparison.finding)},
          {"max_regression_percent", 100 * comparison.rules.max_regression},
          {"confidence_percent", 100 * comparison.rules.confidence},
          {"runs", to_string(comparison.rules.pairing)},
          {"seed", kBootstrapSeed},
          {"metrics", std::move(metrics)},
          {"differences", std::move(differences)}};
}

}  // namespace mxp::perf
