#include "common/blocked_times.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "common/message_names.h"
#include "common/units.h"

namespace mxp::tools {
namespace {

Duration of(const TimeByReason& times, BlockedBy reason) { return times[static_cast<std::size_t>(reason)]; }

std::string key_of(BlockedBy reason) {
  std::string key(to_string(reason));
  std::ranges::replace(key, ' ', '_');
  return key;
}

// The reasons that held, in the order of BlockedBy.
std::vector<BlockedBy> reasons_of(const TimeByReason& times) {
  std::vector<BlockedBy> reasons;
  for (std::size_t i = 0; i != kBlockedReasons; ++i)
    if (times[i] > Duration::zero()) reasons.push_back(static_cast<BlockedBy>(i));
  return reasons;
}

}  // namespace

nlohmann::json blocked_ms(const TimeByReason& times) {
  nlohmann::json json = nlohmann::json::object();
  for (const BlockedBy reason : reasons_of(times))
    json[key_of(reason)] = std::chrono::duration<double, std::milli>(of(times, reason)).count();
  return json;
}

nlohmann::json blocked_ms_by_class(const std::array<TimeByReason, kMessageClasses>& times_of) {
  nlohmann::json json = nlohmann::json::object();
  for (std::size_t i = 0; i != kMessageClasses; ++i) {
    const TimeByReason& times = times_of[i];
    const bool waited = std::ranges::any_of(reasons_of(times), [](BlockedBy reason) {
      return reason != BlockedBy::handshake && reason != BlockedBy::application;
    });
    if (waited) json[name_of(static_cast<MessageClass>(i))] = blocked_ms(times);
  }
  return json;
}

std::string describe_blocked(const TimeByReason& times) {
  std::vector<BlockedBy> reasons = reasons_of(times);
  std::ranges::stable_sort(reasons, std::greater(), [&](BlockedBy reason) { return of(times, reason); });
  std::string text;
  for (const BlockedBy reason : reasons)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", to_string(reason), format_duration(of(times, reason)));
  return text;
}

}  // namespace mxp::tools
