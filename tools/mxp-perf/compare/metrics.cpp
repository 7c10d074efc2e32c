#include "mxp-perf/compare/metrics.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "common/units.h"

namespace mxp::perf {

const std::vector<Metric>& all_metrics() {
  static const std::vector<Metric> metrics = {
      {"goodput", "/result/goodput_bits_per_second", Better::higher, "bits_per_second"},
      {"messages", "/result/messages_per_second", Better::higher, "per_second"},
      {"streams", "/result/streams_per_second", Better::higher, "per_second"},
      {"handshakes", "/result/handshakes_per_second", Better::higher, "per_second"},
      {"p50", "/result/latency_us/p50", Better::lower, "us"},
      {"p90", "/result/latency_us/p90", Better::lower, "us"},
      {"p99", "/result/latency_us/p99", Better::lower, "us"},
      {"p999", "/result/latency_us/p999", Better::lower, "us"},
      {"max", "/result/latency_us/max", Better::lower, "us"}};
  return metrics;
}

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  for (const Metric& metric : all_metrics()) names.emplace_back(metric.name);
  return names;
}

std::optional<double> value_of(const Metric& metric, const nlohmann::json& document) {
  const nlohmann::json::json_pointer pointer{std::string(metric.pointer)};
  if (!document.contains(pointer) || !document.at(pointer).is_number()) return std::nullopt;
  const double value = document.at(pointer).get<double>();
  return value > 0 && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::string_view main_metric(const nlohmann::json& document) {
  const std::string test = document.value("test", "");
  const auto has = [&](std::string_view name) {
    for (const Metric& metric : all_metrics())
      if (metric.name == name) return value_of(metric, document).has_value();
    return false;
  };
  if (test == "isolation" && has("p99")) return "p99";
  // At a fixed rate all keep up, and what differs is how long it takes.
  const nlohmann::json& result = document.at("result");
  const bool at_rate = result.contains("rate_kept");
  if (at_rate && has("p50")) return "p50";
  if ((test == "bulk" || test == "datagrams") && has("goodput")) return "goodput";
  for (const std::string_view name : {"handshakes", "streams", "messages", "goodput", "p50"})
    if (has(name)) return name;
  return "";
}

std::string metric_text(const Metric& metric, double value) {
  if (metric.unit == "bits_per_second") return tools::format_bit_rate(value);
  if (metric.unit == "us") return fmt::format("{:.1f} us", value);
  return fmt::format("{:.{}f} /s", value, value < 100 ? 2 : 0);
}

}  // namespace mxp::perf
