// Single faults, each made in a simulated transfer whose captures show it. From a seed: sizes, delays, rates and the
// moment of the fault differ from run to run.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "support/sim_capture.h"

namespace mxp::test {

struct FaultRun {
  Capture at_client, at_server;
  std::string key_log;
};

// Where and with what a fault can be seen at all.
struct Visible {
  bool at_client = true, at_server = true;
  bool without_keys = false;
};

struct Fault {
  std::string_view finding;  // the id that is expected first; empty: none
  std::string_view name;     // of the scenario
  Visible visible;
  std::function<FaultRun(std::uint64_t seed)> run;
};

const std::vector<Fault>& single_faults();
const std::vector<Fault>& clean_runs();
struct PairOfFaults {
  std::string_view first, second;
  std::function<FaultRun(std::uint64_t seed)> run;
};
const std::vector<PairOfFaults>& pairs_of_faults();

}  // namespace mxp::test
