// Datagrams of a connection: bytes that are sent once and may be lost, for what is worthless when it is late (RFC
// 9221). The verbs are Connection::send_datagram and Handler::on_datagram; here are their values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mxp/message.h"
#include "mxp/time.h"

#pragma GCC visibility push(default)
namespace mxp {

// What happens when the queue has no room for another datagram.
enum class DatagramPolicy : std::uint8_t {
  block,        // it is not taken (queue_full), and on_datagrams_writable tells when there is room for it
  drop_oldest,  // those that have waited longest go, the least important class first, but none of a class above its own;
                // if that makes no room, it is not taken (queue_full), and nothing tells of room
  drop_newest,  // it is not taken (queue_full) and counts as dropped
};

// What became of a datagram that was taken. Each has at most one outcome: those that the end of the connection finds in
// the queue or under way have none.
enum class DatagramOutcome : std::uint8_t {
  delivered,  // the peer's transport has acknowledged it; the peer's application need not have read it
  lost,       // declared lost. It may have arrived all the same, late or with its acknowledgement lost
  expired,    // not sent before its time
  dropped,    // gave way to a newer one
  too_large,  // not sent: the path, or the window on it, has come to carry less than it takes
};
std::string_view to_string(DatagramOutcome outcome);

struct DatagramOptions {
  MessageClass traffic_class = MessageClass::background;  // datagrams of one class are sent in their order
  DatagramPolicy policy = DatagramPolicy::block;
  Timestamp expires_at = kNever;  // it is not sent at this time or later
  // Given back by Handler::on_datagram_outcome. Without it nothing is told of the datagram.
  std::optional<std::uint64_t> cookie = {};
};

// Why a datagram was not taken.
struct DatagramError {
  enum class Kind : std::uint8_t {
    too_large,          // for the peer, for the path as it is now, or for the queue: `limit` is what they all take
    queue_full,         // see DatagramPolicy
    expired,            // its time has passed already
    not_taken_by_peer,  // the peer takes no datagrams
    connection_closed,  // the handshake is not complete, or the connection has ended
    draining,           // this side or the peer drains the connection, and nothing new begins
  };
  Kind kind = Kind::queue_full;
  std::size_t limit = 0;  // too_large: bytes
  bool operator==(const DatagramError&) const = default;
};
// "larger than the 1170 bytes that a datagram may have now"
std::string to_string(const DatagramError& error);

}  // namespace mxp
#pragma GCC visibility pop
