// The shapes of jitter, by the inverse of their distribution functions. Each is scaled and cut to [-4, 4] like the
// tables that come with iproute2 (netem/normal.c, pareto.c, paretonormal.c), so that a spec means the same here as
// there.
#pragma once

#include "netem/spec.h"

namespace mxp::netem {

// Maps u in [0, 1) to a deviation in units of the jitter: uniform gives [-1, 1), a table what it holds, the others
// [-4, 4]. REQUIRES: a table that is asked for is not empty.
double deviation(Distribution distribution, double u, const DelayTable& table = {});

// mean + jitter * deviation, never negative.
Duration draw_duration(Duration mean, Duration jitter, Distribution distribution, double u,
                       const DelayTable& table = {});

}  // namespace mxp::netem
