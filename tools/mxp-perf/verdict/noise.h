// How much else this machine did during a test: time that a hypervisor took away, and what other processes took of the
// processors. A figure that was measured while others had them is one of these others as well.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace mxp::perf {

// The first line of /proc/stat, in seconds over all processors.
struct MachineTimes {
  double busy = 0;  // user and system
  double stolen = 0;
  double all = 0;
};
// What `text` begins with; nothing if it is no such file.
std::optional<MachineTimes> parse_machine_times(const std::string& text, double ticks_per_second);

// A reading of the machine, and of processes that belong to the test beside the two ends: an emulated link.
struct MachineReading {
  std::optional<MachineTimes> times;
  double partners_cpu_seconds = 0;

  static MachineReading now(const std::vector<pid_t>& partners);
};

struct Noise {
  std::optional<double> stolen_share;   // of the machine's time
  std::optional<double> others_cpus;    // processors that others kept busy, on average
  std::optional<double> client_waited;  // share of the test in which it was ready, and others had the processors
  std::optional<double> server_waited;  // the same of a server on this machine
  std::string reason = {};              // why the machine was too noisy to judge; "" = it was not

  bool too_noisy() const { return !reason.empty(); }
};

// What the two ends took of this machine themselves is no noise.
struct OwnTimes {
  double wall_seconds = 0;
  double cpu_seconds = 0;  // of client, and server if it is here
  std::optional<double> client_waited_seconds, server_waited_seconds;
};
Noise noise_between(const MachineReading& begin, const MachineReading& end, const OwnTimes& own);

nlohmann::json to_json(const Noise& noise);

}  // namespace mxp::perf
