// The comparison of two sets of results: for each metric how much it changed and how sure that is, and what that means
// for the user's limit.
#pragma once

#include <expected>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "mxp-perf/compare/intervals.h"
#include "mxp-perf/compare/metrics.h"

namespace mxp::perf {

// What the interval of a change says, where the limit is how much worse it may be:
//   regression     all of it is worse than the limit
//   improvement    all of it is better than no change
//   no_regression  all of it is better than the limit
//   unclear        the limit lies within it: too few runs, or too noisy a machine, to say
enum class Finding : std::uint8_t { regression, improvement, no_regression, unclear };
std::string_view to_string(Finding finding);

// How the runs of both sides belong together.
enum class Pairing : std::uint8_t { pairs, groups, single };
std::string_view to_string(Pairing pairing);

struct MetricComparison {
  const Metric* metric = nullptr;
  bool decides = false;
  std::vector<double> base, next;
  double change = 0;              // as a share: 0.05 = five per cent more
  std::optional<Estimate> range;  // of the change; none of single runs
  Finding finding = Finding::unclear;
};

struct Difference {
  std::string key;  // "config.mtu_bytes"
  std::string base, next;
};

struct ComparisonRules {
  double max_regression = 0.02;
  double confidence = 0.95;          // of the metrics that decide together: each has a share of what may go wrong
  std::vector<std::string> metrics;  // that decide; empty: what the test is for
  Pairing pairing = Pairing::groups;
};

struct Comparison {
  std::string test;
  ComparisonRules rules;
  std::vector<MetricComparison> metrics;
  std::vector<Difference> differences;
  Finding finding = Finding::unclear;  // of those that decide
};

// REQUIRES: results, one of each at least; as many of both for Pairing::pairs. The error says what does not go
// together.
std::expected<Comparison, std::string> compare(const std::vector<nlohmann::json>& base,
                                               const std::vector<nlohmann::json>& next, ComparisonRules rules);

nlohmann::json to_json(const Comparison& comparison);

}  // namespace mxp::perf
