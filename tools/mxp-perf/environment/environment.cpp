#include "mxp-perf/environment/environment.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/utsname.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "mxp-perf/environment/commit.h"
#include "mxp/version.h"

namespace mxp::perf {

namespace {

std::string first_line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  return std::getline(file, line) ? line : std::string();
}

std::string read_cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return {};
}

std::string read_kernel() {
  utsname name{};
  if (uname(&name) != 0) return {};
  return fmt::format("{} {} {}", name.sysname, name.release, name.machine);
}

}  // namespace

std::string_view build_commit() { return kBuildCommit; }

Environment Environment::here(const EventLoop& loop) {
  Environment environment{.kernel = read_kernel(),
                          .cpu_model = read_cpu_model(),
                          .commit = std::string(build_commit()),
                          .socket = loop.capabilities()};
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    environment.cpus = static_cast<unsigned>(CPU_COUNT(&allowed));
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (!CPU_ISSET(cpu, &allowed)) continue;
      environment.governor = first_line_of(fmt::format("/sys/devices/system/cpu/cpu{}/cpufreq/scaling_governor", cpu));
      break;
    }
  }
  return environment;
}

nlohmann::json to_json(const Environment& environment) {
  nlohmann::json json = {{"udp_gso", environment.socket.gso},
                         {"udp_gro", environment.socket.gro},
                         {"socket_send_buffer_bytes", environment.socket.send_buffer_bytes},
                         {"socket_receive_buffer_bytes", environment.socket.receive_buffer_bytes},
                         {"version", kLibraryVersion}};
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) json[key] = value;
  };
  add("kernel", environment.kernel);
  add("cpu_model", environment.cpu_model);
  add("governor", environment.governor);
  add("commit", environment.commit);
  if (environment.cpus > 0) json["cpus"] = environment.cpus;
  return json;
}

}  // namespace mxp::perf
