#include "mxp-perf/verdict/noise.h"

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace mxp::perf {

namespace {

// Our choices: what lies above would change a figure by more than runs differ anyway.
constexpr double kMostStolen = 0.02;
constexpr double kMostWaited = 0.1;
constexpr double kOthersSeen = 0.1;  // processors: below it, the ends of the test waited for each other only

double cpu_seconds_of(pid_t process) {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

std::optional<double> share(const std::optional<double>& seconds, double of) {
  return seconds && of > 0 ? std::optional(std::max(0.0, *seconds / of)) : std::nullopt;
}

std::string reason_of(const Noise& noise) {
  if (noise.stolen_share.value_or(0) >= kMostStolen)
    return fmt::format("{:.0f}% of the machine's time was taken by others beside it (steal)",
                       100 * *noise.stolen_share);
  const double waited = std::max(noise.client_waited.value_or(0), noise.server_waited.value_or(0));
  if (waited < kMostWaited || noise.others_cpus.value_or(0) < kOthersSeen) return {};
  return fmt::format(
      "the {} waited for a processor for {:.0f}% of the time, while other processes kept {:.1f} of them busy",
      noise.client_waited.value_or(0) >= waited ? "client" : "server", 100 * waited, *noise.others_cpus);
}

}  // namespace

std::optional<MachineTimes> parse_machine_times(const std::string& text, double ticks_per_second) {
  std::istringstream in(text);
  std::string name;
  double user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
  if (!(in >> name >> user >> nice >> system >> idle >> iowait >> irq >> softirq >> steal) || name != "cpu" ||
      ticks_per_second <= 0)
    return std::nullopt;
  return MachineTimes{.busy = (user + nice + system) / ticks_per_second,
                      .stolen = steal / ticks_per_second,
                      .all = (user + nice + system + idle + iowait + irq + softirq + steal) / ticks_per_second};
}

MachineReading MachineReading::now(const std::vector<pid_t>& partners) {
  MachineReading reading;
  std::ifstream file("/proc/stat");
  std::string line;
  if (std::getline(file, line)) reading.times = parse_machine_times(line, static_cast<double>(sysconf(_SC_CLK_TCK)));
  for (const pid_t partner : partners) reading.partners_cpu_seconds += cpu_seconds_of(partner);
  return reading;
}

Noise noise_between(const MachineReading& begin, const MachineReading& end, const OwnTimes& own) {
  Noise noise;
  noise.client_waited = share(own.client_waited_seconds, own.wall_seconds);
  noise.server_waited = share(own.server_waited_seconds, own.wall_seconds);
  if (begin.times && end.times && own.wall_seconds > 0) {
    const double all = end.times->all - begin.times->all;
    if (all > 0) noise.stolen_share = std::clamp((end.times->stolen - begin.times->stolen) / all, 0.0, 1.0);
    const double ours = own.cpu_seconds + std::max(0.0, end.partners_cpu_seconds - begin.partners_cpu_seconds);
    noise.others_cpus = std::max(0.0, (end.times->busy - begin.times->busy - ours) / own.wall_seconds);
  }
  noise.reason = reason_of(noise);
  return noise;
}

nlohmann::json to_json(const Noise& noise) {
  nlohmann::json json = {{"too_noisy", noise.too_noisy()}};
  if (noise.stolen_share) json["stolen_share"] = *noise.stolen_share;
  if (noise.others_cpus) json["others_cpus"] = *noise.others_cpus;
  if (noise.client_waited) json["client_waited_share"] = *noise.client_waited;
  if (noise.server_waited) json["server_waited_share"] = *noise.server_waited;
  if (noise.too_noisy()) json["reason"] = noise.reason;
  return json;
}

}  // namespace mxp::perf
