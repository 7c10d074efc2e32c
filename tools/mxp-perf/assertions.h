// --assert: a bound that the user sets on a result, e.g. "goodput>=1gbit" or "p99<=2ms".
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/tool_error.h"
#include "mxp-perf/result.h"

namespace mxp::perf {

struct Assertion {
  enum class Metric : std::uint8_t { goodput, calls, handshakes, streams, p50, p90, p99, p999, max };
  Metric metric = Metric::goodput;
  bool at_least = true;  // else at most
  double bound = 0;      // bit/s, calls/s, or microseconds
  std::string text;      // as typed
};

std::expected<Assertion, std::string> parse_assertion(std::string_view text);

// What to say if it does not hold; std::nullopt if it does. An assertion on a metric that the test does not give does
// not hold.
std::optional<std::string> check(const Assertion& assertion, const Result& result);
// The same of all of them, as the error that ends the run: a line for each that does not hold.
std::optional<tools::ToolError> broken_assertions(std::span<const Assertion> assertions, const Result& result);

}  // namespace mxp::perf
