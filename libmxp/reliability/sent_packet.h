// The record of one packet that was sent: a value, kept from sending until it is acknowledged or lost.
#pragma once

#include <cstdint>

#include "mxp/ids.h"
#include "mxp/time.h"

namespace mxp {

struct SentPacket {
  PacketNumber number;
  Timestamp sent_at{};
  // What the packet carried, as a slice of the sender's ring of frames. Opaque here: it is handed back as it was given.
  // Slices follow each other in the order of the packets.
  std::uint64_t frames_begin = 0;
  std::uint32_t frames_count = 0;
  std::uint32_t size_bytes = 0;  // UDP payload
  bool ack_eliciting = false;
  bool in_flight = false;  // counts against the window: ack-eliciting or padded (RFC 9002 §2)
  bool probe = false;      // answers a probe timeout; may exceed the window
};

}  // namespace mxp
