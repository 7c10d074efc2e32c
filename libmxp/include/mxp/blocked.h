// Why a connection, one of its classes, or one of its streams does not send more than it does. One reason holds at a
// time; stats say for how long each has held (ConnectionStats::blocked_time, blocked_time_of_class and
// StreamStats::blocked_time), and the trace tells when it changes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "mxp/time.h"

#pragma GCC visibility push(default)
namespace mxp {

// What keeps a connection, a class or a stream from sending more.
enum class BlockedBy : std::uint8_t {
  nothing,  // more goes as soon as the driver of the endpoint asks for it
  congestion,
  pacing,
  amplification,  // the peer's address is not proven, and the 3x limit is used up
  connection_credit,
  stream_credit,
  message_credit,
  traffic_class,  // of a class or a stream, never of a connection: others were preferred when something could go
  application,    // there is nothing to send, or it waits for company that the application may yet send (a cork)
  handshake       // the state in which each connection begins, until its keys are confirmed
};
inline constexpr std::size_t kBlockedReasons = static_cast<std::size_t>(BlockedBy::handshake) + 1;
std::string_view to_string(BlockedBy reason);

// How long each reason has held, by BlockedBy.
using TimeByReason = std::array<Duration, kBlockedReasons>;

}  // namespace mxp
#pragma GCC visibility pop
