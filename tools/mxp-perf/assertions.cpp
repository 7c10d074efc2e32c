#include "mxp-perf/assertions.h"

#include <fmt/format.h>

#include <charconv>

#include "common/escape.h"
#include "common/units.h"

namespace mxp::perf {

namespace {

constexpr std::pair<std::string_view, Assertion::Metric> kMetrics[] = {
    {"goodput", Assertion::Metric::goodput}, {"calls", Assertion::Metric::calls},
    {"messages", Assertion::Metric::calls},  {"handshakes", Assertion::Metric::handshakes},
    {"streams", Assertion::Metric::streams}, {"p50", Assertion::Metric::p50},
    {"p90", Assertion::Metric::p90},         {"p99", Assertion::Metric::p99},
    {"p999", Assertion::Metric::p999},       {"max", Assertion::Metric::max}};

bool is_count(Assertion::Metric metric) {
  return metric == Assertion::Metric::calls || metric == Assertion::Metric::handshakes ||
         metric == Assertion::Metric::streams;
}

std::expected<double, std::string> parse_bound(Assertion::Metric metric, std::string_view text) {
  if (metric == Assertion::Metric::goodput) {
    const auto rate = tools::parse_bits_per_second(text);
    if (!rate) return std::unexpected(rate.error());
    return static_cast<double>(*rate);
  }
  if (is_count(metric)) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !(value >= 0))
      return std::unexpected(fmt::format("\"{}\" is not a number", text));
    return value;
  }
  const auto time = tools::parse_time(text);
  if (!time) return std::unexpected(time.error());
  return std::chrono::duration<double, std::micro>(*time).count();
}

std::optional<double> measured(Assertion::Metric metric, const Result& result) {
  if (metric == Assertion::Metric::goodput) return result.goodput_bits_per_second;
  if (metric == Assertion::Metric::calls) return result.messages_per_second;
  if (metric == Assertion::Metric::handshakes) return result.handshakes_per_second;
  if (metric == Assertion::Metric::streams) return result.streams_per_second;
  if (!result.latency_us) return std::nullopt;
  switch (metric) {
    case Assertion::Metric::p50: return result.latency_us->p50;
    case Assertion::Metric::p90: return result.latency_us->p90;
    case Assertion::Metric::p99: return result.latency_us->p99;
    case Assertion::Metric::p999: return result.latency_us->p999;
    default: return result.latency_us->max;
  }
}

}  // namespace

std::expected<Assertion, std::string> parse_assertion(std::string_view text) {
  const std::size_t at = text.find_first_of("<>");
  const auto wrong = [&](std::string_view why) {
    // The reason repeats part of what was typed.
    return std::unexpected(fmt::format("--assert \"{}\": {}; e.g. 'goodput>=1gbit' or 'p99<=2ms'", tools::escape(text),
                                       tools::escape(why)));
  };
  if (at == std::string_view::npos || at + 1 >= text.size() || text[at + 1] != '=')
    return wrong("expected NAME>=VALUE or NAME<=VALUE");
  Assertion assertion;
  assertion.text = text;
  assertion.at_least = text[at] == '>';
  const auto* found = std::find_if(std::begin(kMetrics), std::end(kMetrics),
                                   [&](const auto& entry) { return entry.first == text.substr(0, at); });
  if (found == std::end(kMetrics))
    return wrong("the name is one of goodput, calls, messages, handshakes, streams, p50, p90, p99, p999, max");
  assertion.metric = found->second;
  const auto bound = parse_bound(assertion.metric, text.substr(at + 2));
  if (!bound) return wrong(bound.error());
  assertion.bound = *bound;
  return assertion;
}

std::optional<std::string> check(const Assertion& assertion, const Result& result) {
  const auto value = measured(assertion.metric, result);
  if (!value) return fmt::format("{}: this test does not measure it", assertion.text);
  if (assertion.at_least ? *value >= assertion.bound : *value <= assertion.bound) return std::nullopt;
  const std::string reached = assertion.metric == Assertion::Metric::goodput ? tools::format_bit_rate(*value)
                              : is_count(assertion.metric)                   ? format_call_rate(*value) + " /s"
                                                                             : fmt::format("{:.1f} us", *value);
  return fmt::format("{} does not hold: {}", assertion.text, reached);
}

std::optional<tools::ToolError> broken_assertions(std::span<const Assertion> assertions, const Result& result) {
  std::string failed;
  for (const Assertion& assertion : assertions)
    if (const auto broken = check(assertion, result)) failed += (failed.empty() ? "" : "\n") + *broken;
  if (failed.empty()) return std::nullopt;
  return tools::ToolError{tools::ErrorKind::threshold, failed};
}

}  // namespace mxp::perf
