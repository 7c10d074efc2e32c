#include "mxp/trace_fan_out.h"

#include <algorithm>

namespace mxp {

void TraceFanOut::on(Timestamp now, ConnectionId connection, const TraceEvent& event) {
  const bool decision = is_decision(event);
  for (const Member& member : sinks_)
    if (!decision || member.wants_decisions) member.sink->on(now, connection, event);
}

bool TraceFanOut::wants_decisions() const {
  return std::ranges::any_of(sinks_, [](const Member& member) { return member.wants_decisions; });
}

bool TraceFanOut::wants_frames() const {
  return std::ranges::any_of(sinks_, [](const Member& member) { return member.sink->wants_frames(); });
}

}  // namespace mxp
