#include "mxp-perf-mpi/hosts.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace mxp::perf_mpi {

nlohmann::json hosts_of(std::span<const RankPlace> places, std::span<const Outcome> outcomes) {
  const bool first_failed = !outcomes.empty() && outcomes.front().rank == 0 && outcomes.front().error &&
                            outcomes.front().error->kind != tools::ErrorKind::interrupted;
  const tools::ToolError missing =
      first_failed ? tools::ToolError{tools::ErrorKind::interrupted, "it was not waited for, since rank 0 had failed"}
                   : tools::ToolError{tools::ErrorKind::network, "it gave no result"};
  nlohmann::json hosts = nlohmann::json::array();
  for (std::size_t rank = 0; rank != places.size(); ++rank) {
    nlohmann::json host = {{"rank", rank},
                           {"host", places[rank].host},
                           {"clock_offset_us", places[rank].clock.before.seconds * 1e6},
                           {"clock_error_us", places[rank].clock.error_seconds() * 1e6}};
    if (const auto drift = places[rank].clock.drift_seconds()) host["clock_drift_us"] = *drift * 1e6;
    const auto outcome = std::ranges::find(outcomes, static_cast<int>(rank), &Outcome::rank);
    if (outcome == outcomes.end()) {
      host["error"] = to_json(missing)["error"];
    } else {
      if (outcome->error) host["error"] = to_json(*outcome->error)["error"];
      const nlohmann::json& document = outcome->document;
      for (const char* part : {"result", "verdict", "verdict_reason", "cpu", "socket", "transport", "noise"})
        if (document.contains(part)) host[part] = document.at(part);
      if (const nlohmann::json::json_pointer late("/start/late_us"); document.contains(late))
        host["start_late_us"] = document.at(late);
    }
    hosts.push_back(std::move(host));
  }
  return hosts;
}

}  // namespace mxp::perf_mpi
