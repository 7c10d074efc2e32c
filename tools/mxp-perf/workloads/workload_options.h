// What is sent, as the command line says it: of one run, and of each trial of a search.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "mxp-perf/workloads/workload.h"

namespace CLI {
class App;
}  // namespace CLI

namespace mxp::perf {

// What the commands that run tests do without a word of the user.
struct TestDefaults {
  const char *test, *duration;
};
inline constexpr TestDefaults kRunDefaults{"bulk", "10s"}, kTrialDefaults{"rr", "2s"};

// As the command line said it.
struct LowWorkload {
  std::string test = kRunDefaults.test;
  std::optional<double> rate;
  std::optional<std::uint64_t> size;
  std::optional<unsigned> streams, parallel, outstanding;
  std::optional<std::string> arrivals;
  bool reverse = false, bidir = false;
};

// All but --rate, --reverse and --bidir, which a search has no use for.
void add_workload_options(CLI::App& app, Workload& workload, LowWorkload& low, const TestDefaults& defaults);
// "1.0 ms to 1h00m"
std::string time_range(Duration least, Duration most);
// What is wrong, if anything.
std::optional<std::string> interpret_workload(Workload& workload, const LowWorkload& low);

}  // namespace mxp::perf
