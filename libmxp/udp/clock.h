// The real clock as a Timestamp.
#pragma once

#include "mxp/time.h"

namespace mxp {

// CLOCK_MONOTONIC: never goes backwards, stops while the machine sleeps, slewed but not stepped by NTP.
Timestamp monotonic_now();

}  // namespace mxp
