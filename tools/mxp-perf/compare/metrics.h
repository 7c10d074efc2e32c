// The figures of a result that can be compared, by the names that --assert has for them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mxp::perf {

enum class Better : std::uint8_t { higher, lower };

struct Metric {
  std::string_view name;     // "goodput"
  std::string_view pointer;  // of the JSON: "/result/goodput_bits_per_second"
  Better better = Better::higher;
  std::string_view unit;  // "bits_per_second"
};

const std::vector<Metric>& all_metrics();
std::vector<std::string> metric_names();

// Of a result's document; std::nullopt where the test does not give it, or gives nothing above 0.
std::optional<double> value_of(const Metric& metric, const nlohmann::json& document);

// What a test is for: bulk data their goodput, calls at a rate their latency, and so on. `document` has one at least.
std::string_view main_metric(const nlohmann::json& document);

std::string metric_text(const Metric& metric, double value);

}  // namespace mxp::perf
