// Who sends first when several wait.
#pragma once

#include <cstdint>

#include "mxp/message.h"

#pragma GCC visibility push(default)
namespace mxp {

// How one stream's data stand against everything else on its connection. The four classes of messages share what the
// connection may send (SchedulerConfig); this says which class a stream belongs to, and how it stands among the streams
// of its class.
struct StreamPriority {
  MessageClass traffic_class = MessageClass::streaming;
  // 0 first, 7 last (RFC 9218 §4.1). A stream waits for as long as one of its class with a lower number has data.
  std::uint8_t urgency = 3;
  // 1 to 255: of streams of the same class and urgency that take turns, each gets a share in proportion.
  std::uint8_t weight = 16;
  // Whether the stream takes turns with others of its class and urgency, or goes on until it has nothing left, as suits
  // data that are of use only when they are complete (RFC 9218 §4.2).
  bool incremental = true;

  bool operator==(const StreamPriority&) const = default;
};

}  // namespace mxp
#pragma GCC visibility pop
