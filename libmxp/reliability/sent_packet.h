// The record of one packet that was sent: a value, kept from sending until it is acknowledged or lost.
#pragma once

#include <cstdint>

#include "mxp/ids.h"
#include "mxp/time.h"

namespace mxp {

// The moment in which a packet was sent, as the rate sampler sees it (rate_sampler.h).
struct DeliveryState {
  std::uint64_t delivered = 0;  // bytes acknowledged by then, in total
  std::uint64_t lost = 0;       // bytes declared lost by then, in total
  Timestamp delivered_at{};     // of the latest ACK before
  Timestamp first_sent_at{};    // of the packet which that ACK acknowledged
  std::uint64_t in_flight = 0;  // bytes, this packet included
  bool app_limited = false;     // the application had no more to send
};

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
  DeliveryState delivery;  // of packets in flight; Recovery fills it in
};

}  // namespace mxp
