// A recorded link as a table: CSV with the columns t (seconds since the beginning, rising), and rate, delay, loss, any
// of them, in the units of a SPEC. The first line names them. An empty field means "as before".
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mxp/rate.h"
#include "mxp/time.h"
#include "netem/spec.h"

namespace mxp::tools {

struct ProfileRow {
  Duration at{};
  std::optional<ByteRate> rate;
  std::optional<Duration> delay;
  std::optional<double> loss;  // 0..1

  netem::LinkSpec applied_to(netem::LinkSpec spec) const;
};

// The error names the line at fault. Never empty.
std::expected<std::vector<ProfileRow>, std::string> parse_csv_profile(std::string_view text);

}  // namespace mxp::tools
