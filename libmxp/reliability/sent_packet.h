// The record of one packet that was sent: a value, kept from sending until it is acknowledged or lost.
#pragma once

#include <cstdint>

#include "mxp/ids.h"
#include "mxp/time.h"

namespace mxp {

// One path of a connection, in the order in which they came into use (path_control.h).
enum class PathId : std::uint32_t {
  first = 0,
  nowhere = UINT32_MAX,  // of a packet whose path is neither in use nor the standby: it counts and teaches nowhere
};

// Why a packet was sent: decides what its loss means.
enum class PacketKind : std::uint8_t {
  ordinary,
  loss_probe,  // answers a probe timeout; may exceed the window (RFC 9002 §7.5)
  size_probe,  // tries a larger datagram: its loss is no congestion (RFC 9000 §14.4)
  path_probe,  // asks whether the peer is reached on a path that may not be the one in use (RFC 9000 §9.1)
};

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
  PacketKind kind = PacketKind::ordinary;
  bool ecn_marked = false;  // sent with ECT(0); only packets in flight are
  PathId path = PathId::first;
  DeliveryState delivery;  // of packets in flight; Recovery fills it in
};

}  // namespace mxp
