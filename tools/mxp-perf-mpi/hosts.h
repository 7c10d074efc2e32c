// hosts[] of a result: an entry for each rank, also where there is no result.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>

#include "mxp-perf-mpi/outcome.h"
#include "mxp-perf-mpi/validity.h"

namespace mxp::perf_mpi {

// A rank that gave nothing has an error. `outcomes`: of those that gave any, in the order of their ranks.
nlohmann::json hosts_of(std::span<const RankPlace> places, std::span<const Outcome> outcomes);

}  // namespace mxp::perf_mpi
