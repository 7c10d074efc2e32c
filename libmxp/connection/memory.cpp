// What a connection holds of its endpoint's memory. Asked after each flow, so each part keeps its sum.
#include <algorithm>

#include "connection/flows.h"

namespace mxp {

std::size_t memory_in_use(const Parts& parts) {
  // The buffers of a connection that has ended go with the report of its end, which waits for nothing but the carrier.
  if (parts.lifecycle.ending) return kConnectionBytes;
  return kConnectionBytes + parts.streams.memory() + parts.messages.memory() + parts.calls.memory() +
         parts.recovery.memory() + parts.sent_frames.memory() + parts.acks.memory() +
         (parts.datagrams ? parts.datagrams->queue.memory() : 0) + (parts.tail ? sizeof(TailRepair) : 0) +
         parts.held.memory();
}

void on_memory_counted(Parts& parts, Memory memory) {
  parts.memory_is_short = memory == Memory::is_short;
  parts.messages.set_growth(parts.memory_is_short ? MessageReceiver::Growth::withheld
                                                  : MessageReceiver::Growth::allowed);
  parts.streams.on_congestion_window(parts.path->control.congestion_window());
  // What is in flight must be kept in any case. Beyond that the application waits with its data, as the peer does with
  // what goes beyond our windows; so many that send to slow clients share what there is, and none is closed for it.
  constexpr std::uint64_t kLeast = 64 * 1024;
  parts.streams.limit_send_buffer(
      parts.memory_is_short ? static_cast<std::size_t>(std::max(parts.path->control.congestion_window(), kLeast))
                            : SIZE_MAX);
}

}  // namespace mxp
