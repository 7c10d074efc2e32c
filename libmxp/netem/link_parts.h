// What link.cpp and link_queue.cpp both need.
#pragma once

#include "mxp/endpoint.h"
#include "mxp/rate.h"
#include "netem/delivery_trace.h"
#include "netem/spec.h"

namespace mxp::netem {

inline bool can_be_marked(Ecn ecn) { return ecn != Ecn::not_ect; }

// Of the wire in the long run; zero if it takes any rate.
inline ByteRate mean_rate(const LinkSpec& spec) {
  if (spec.trace.opportunities_ms.empty()) return spec.rate;
  return ByteRate::bytes_per_second(spec.trace.opportunities_ms.size() * kOpportunityBytes * 1000u /
                                    spec.trace.opportunities_ms.back());
}

}  // namespace mxp::netem
