// Why a connection does not send more than it does. One reason holds at a time; stats say for how long each has held
// (ConnectionStats::blocked_time), and the trace tells when it changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#pragma GCC visibility push(default)
namespace mxp {

// What keeps a connection from sending more.
enum class BlockedBy : std::uint8_t {
  nothing,
  congestion,
  pacing,
  amplification,  // the peer's address is not proven, and the 3x limit is used up
  connection_credit,
  stream_credit,
  message_credit,
  application,  // there is nothing to send
  handshake     // the state in which each connection begins, until its keys are confirmed
};
inline constexpr std::size_t kBlockedReasons = static_cast<std::size_t>(BlockedBy::handshake) + 1;
std::string_view to_string(BlockedBy reason);

}  // namespace mxp
#pragma GCC visibility pop
