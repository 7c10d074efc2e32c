// What a connection holds of its endpoint's memory. Asked after each flow, so each part keeps its sum.
#include "connection/flows.h"

namespace mxp {

std::size_t memory_in_use(const Parts& parts) {
  // The buffers of a connection that has ended go with the report of its end, which waits for nothing but the carrier.
  if (parts.lifecycle.ending) return kConnectionBytes;
  return kConnectionBytes + parts.streams.memory() + parts.recovery.memory() + parts.sent_frames.memory();
}

}  // namespace mxp
