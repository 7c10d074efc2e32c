// What held something back, and for how long, as the tools tell it. Reasons that never held are left out.
#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "mxp/stats.h"

namespace mxp::tools {

// {"pacing":812.4,"connection_credit":12.0}: milliseconds.
nlohmann::json blocked_ms(const TimeByReason& times);
// The same for each class that ever waited for more than its handshake and its application: {"critical":{…},…}.
nlohmann::json blocked_ms_by_class(const std::array<TimeByReason, kMessageClasses>& times);
// "pacing 812 ms, connection credit 12 ms": the longest first; empty if nothing held.
std::string describe_blocked(const TimeByReason& times);

}  // namespace mxp::tools
