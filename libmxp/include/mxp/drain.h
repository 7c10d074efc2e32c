// Words of an end in order, in which nothing is lost: Connection::drain (docs/protocol.md §7.1).
#pragma once

#include <cstdint>
#include <string_view>

#pragma GCC visibility push(default)
namespace mxp {

// How far a side has come on the way to an end in order.
enum class DrainStage : std::uint8_t {
  none,   // it goes on as ever
  begun,  // it begins nothing new
  done,   // all that it began is complete: the other side's transport has everything, and every call has its answer
  agreed  // nothing is under way any more as far as it knows, and its application agrees to the end
};
std::string_view to_string(DrainStage stage);

// In ConnectionStats.
struct DrainStats {
  DrainStage here = DrainStage::none;
  DrainStage peer = DrainStage::none;  // as far as it has told
};

enum class DrainError : std::uint8_t {
  connection_closed  // the handshake is not complete, or the connection has ended
};
std::string_view to_string(DrainError error);

}  // namespace mxp
#pragma GCC visibility pop
