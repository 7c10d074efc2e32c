// The shapes of jitter, by the inverse of their distribution functions. Each is scaled and cut to [-4, 4] like the
// tables that come with iproute2 (netem/normal.c, pareto.c, paretonormal.c), so that a spec means the same here as
// there.
#pragma once

#include "netem/spec.h"

namespace mxp::netem {

// Maps u in [0, 1) to a deviation in units of the jitter: uniform gives [-1, 1), the others [-4, 4].
double deviation(Distribution distribution, double u);

// mean + jitter * deviation, never negative.
Duration draw_duration(Duration mean, Duration jitter, Distribution distribution, double u);

}  // namespace mxp::netem
