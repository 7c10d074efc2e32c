#include "mxp-perf/compare/comparison_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/counted.h"
#include "common/escape.h"

namespace mxp::perf {

namespace {

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::string percent(double share) {
  if (std::isinf(share) || share > 99.99) return share < 0 ? "-100%" : "beyond any bound";
  return fmt::format("{:+.2f}%", 100 * share);
}

std::string change_of(const MetricComparison& one) {
  if (!one.range) return fmt::format("{} (one run: no interval)", percent(one.change));
  return fmt::format("{} [{} to {}]", percent(one.change), percent(one.range->low), percent(one.range->high));
}

std::string_view words(Finding finding) {
  switch (finding) {
    case Finding::regression: return "REGRESSION";
    case Finding::improvement: return "better";
    case Finding::no_regression: return "no regression";
    case Finding::unclear: return "unclear";
  }
  return "unclear";
}

std::string summary(const Comparison& comparison) {
  const std::string limit = fmt::format("{:g}%", 100 * comparison.rules.max_regression);
  switch (comparison.finding) {
    case Finding::regression: return "regression: NEW is worse than BASE by more than " + limit;
    case Finding::improvement: return "better: NEW is better than BASE";
    case Finding::no_regression: return "no regression: NEW is not worse than BASE by more than " + limit;
    case Finding::unclear: break;
  }
  return fmt::format("unclear: whether NEW is worse by more than {} cannot be told: more runs, or a quieter machine",
                     limit);
}

// As GitHub's workflow commands want it: a message is one line, and a property ends at a comma or a colon.
std::string in_command(std::string_view text, bool is_property) {
  std::string out;
  for (const char c : text) {
    if (c == '%' || c == '\n' || c == '\r' || (is_property && (c == ',' || c == ':')))
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    else out += c;
  }
  return out;
}

std::string sentence(const MetricComparison& one) {
  return fmt::format("{}: {} to {}, {}", one.metric->name, metric_text(*one.metric, median_of(one.base)),
                     metric_text(*one.metric, median_of(one.next)), change_of(one));
}

}  // namespace

std::string to_text(const Comparison& comparison) {
  const MetricComparison& first = comparison.metrics.front();
  std::string text = fmt::format("{}: {} of BASE, {} of NEW{}\n", comparison.test,
                                 tools::counted(first.base.size(), "run"), tools::counted(first.next.size(), "run"),
                                 comparison.rules.pairing == Pairing::pairs ? ", in turn" : "");
  text += fmt::format("{:<12}{:>14}{:>14}  {}\n", "", "BASE", "NEW",
                      comparison.rules.pairing == Pairing::single
                          ? std::string("change")
                          : fmt::format("change [{:g}% interval]", 100 * comparison.rules.confidence));
  for (const MetricComparison& one : comparison.metrics)
    text += fmt::format("{:<12}{:>14}{:>14}  {}{}\n", one.metric->name, metric_text(*one.metric, median_of(one.base)),
                        metric_text(*one.metric, median_of(one.next)), change_of(one),
                        one.decides ? fmt::format("  {}", words(one.finding)) : "");
  for (const Difference& one : comparison.differences)
    text += fmt::format("differs     {}: {} -> {}\n", one.key, one.base, one.next);
  if (comparison.rules.pairing == Pairing::single)
    text += "note        one run says nothing of the next one: take several of each, or --runs\n";
  return text + summary(comparison) + "\n";
}

std::string to_junit(const Comparison& comparison) {
  std::size_t cases = 0, failures = 0;
  std::string inner;
  for (const MetricComparison& one : comparison.metrics) {
    if (!one.decides) continue;
    ++cases;
    inner += fmt::format("  <testcase classname=\"mxp-perf.{}\" name=\"{}\">\n", tools::in_markup(comparison.test),
                         tools::in_markup(one.metric->name));
    const std::string said = tools::in_markup(sentence(one));
    if (one.finding == Finding::regression) {
      ++failures;
      inner += fmt::format("    <failure type=\"regression\" message=\"{}\">{}</failure>\n", said, said);
    }
    inner += fmt::format("    <system-out>{}: {}</system-out>\n  </testcase>\n", words(one.finding), said);
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuite name=\"mxp-perf compare\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\">\n{}</testsuite>\n",
      cases, failures, inner);
}

std::string to_github(const Comparison& comparison) {
  std::string text;
  for (const MetricComparison& one : comparison.metrics) {
    if (!one.decides) continue;
    const char* const level = one.finding == Finding::regression ? "error"
                              : one.finding == Finding::unclear  ? "warning"
                                                                 : "notice";
    text += fmt::format("::{} title={}::{}\n", level,
                        in_command(fmt::format("mxp-perf {}: {}", comparison.test, words(one.finding)), true),
                        in_command(sentence(one), false));
  }
  for (const Difference& one : comparison.differences)
    text += fmt::format("::notice title=mxp-perf::{}\n",
                        in_command(fmt::format("{} differs: {} -> {}", one.key, one.base, one.next), false));
  return text;
}

}  // namespace mxp::perf
