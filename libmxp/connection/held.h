// How long each reason has held back a connection, and each class of what it sends. The streams have their own accounts
// (scheduler/held_streams.h). A class gets its account with the first thing that it has to send; until then it has
// waited for the handshake, and then for its application.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include "mxp/message.h"
#include "mxp/stats.h"
#include "scheduler/blocked_time.h"

namespace mxp {

class Held {
 public:
  explicit Held(Timestamp now) : connection_(now, BlockedBy::handshake) {}

  const BlockedTime& connection() const { return connection_; }
  BlockedBy reason() const { return connection_.reason(); }
  // Returns whether the reason has changed.
  bool note(Timestamp now, BlockedBy reason) { return connection_.note(now, reason); }
  // The class has sent something. This and the next are called after the former, for the same time.
  void use(Timestamp now, MessageClass traffic_class) {
    auto& account = classes_[static_cast<std::size_t>(traffic_class)];
    if (!account) account = std::make_unique<BlockedTime>(now, BlockedBy::application, of_unused_class(now));
  }
  // As for the connection.
  bool note(Timestamp now, MessageClass traffic_class, BlockedBy reason) {
    auto& account = classes_[static_cast<std::size_t>(traffic_class)];
    if (!account && reason == BlockedBy::application) return false;
    use(now, traffic_class);
    return account->note(now, reason);
  }
  // Whether the class waits because others were preferred.
  bool is_behind(MessageClass traffic_class) const {
    const auto& account = classes_[static_cast<std::size_t>(traffic_class)];
    return account && account->reason() == BlockedBy::traffic_class;
  }

  void copy_to(ConnectionStats& stats, Timestamp now) const {
    stats.blocked_time = connection_.until(now);
    for (std::size_t i = 0; i != kMessageClasses; ++i)
      stats.blocked_time_of_class[i] = classes_[i] ? classes_[i]->until(now) : of_unused_class(now);
  }
  std::size_t memory() const {
    const auto used = std::ranges::count_if(classes_, [](const auto& account) { return account != nullptr; });
    return static_cast<std::size_t>(used) * sizeof(BlockedTime);
  }

 private:
  TimeByReason of_unused_class(Timestamp now) const {
    constexpr auto kHandshake = static_cast<std::size_t>(BlockedBy::handshake);
    const TimeByReason of_connection = connection_.until(now);
    TimeByReason out{};
    for (std::size_t i = 0; i != kBlockedReasons; ++i)
      out[i == kHandshake ? kHandshake : static_cast<std::size_t>(BlockedBy::application)] += of_connection[i];
    return out;
  }

  BlockedTime connection_;
  std::array<std::unique_ptr<BlockedTime>, kMessageClasses> classes_;
};

}  // namespace mxp
