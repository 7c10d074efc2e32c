// The flows of a connection, in the order in which a datagram meets them. Free functions over Parts; each file begins
// with its steps in prose.
#pragma once

#include <expected>
#include <optional>

#include "connection/parts.h"
#include "mxp/endpoint.h"

namespace mxp {

// receive.cpp: one 1-RTT datagram for this connection.
void receive_packet(Parts& parts, Timestamp now, const ReceivedDatagram& datagram);
// receive.cpp: a message 2 for this client. `datagram` is decrypted in place.
void receive_response(Parts& parts, Timestamp now, const ReceivedDatagram& datagram, const ResponseHeader& header);

// transmit.cpp: the next run of datagrams, or nothing.
std::optional<Transmit> transmit(Parts& parts, Timestamp now, MutableBytes buffer, const TransmitLimits& limits);

// settle.cpp: what was acknowledged or lost goes back to its owners.
void settle(Parts& parts, Timestamp now, const Outcome& outcome);
// settle.cpp: after a probe timeout, hands the oldest outstanding data out again, enough for both probes (RFC 9002
// §6.2.4).
void repeat_oldest_data(Parts& parts);
// settle.cpp: what earlier probes carried is sent once more; returns how many of them carried data.
unsigned repeat_earlier_probes(Parts& parts);

// Whether the 3× limit forbids even the smallest packet: it goes when the client has sent more.
inline bool held_by_address(const Parts& parts) {
  constexpr std::uint64_t kSmallestPacket = 32;  // a PING fits
  return parts.amplification.allowance() < kSmallestPacket;
}

// deadlines.cpp: when on_deadline must be called; what has come due.
Timestamp next_deadline(const Parts& parts);
void on_deadline(Parts& parts, Timestamp now);

// update_keys.cpp: the sending direction turns to new keys if it is time. REQUIRES: a packet that will be acknowledged
// goes next.
void begin_key_update_if_due(Parts& parts, Timestamp now);
// update_keys.cpp: a packet was opened: follows the peer into a new key phase. KEY_UPDATE_ERROR if it has no right to
// it.
std::expected<void, TransportError> on_packet_phase(Parts& parts, Timestamp now, const OpenedPacket& packet);
// update_keys.cpp: a side that has sent acknowledgements only, for very long, sends a PING to begin an update with.
void send_ping_if_key_is_worn(Parts& parts, Timestamp now);
// update_keys.cpp: the secrets of a key phase, told to the key log.
void trace_secrets(const Parts& parts, Timestamp now, const TrafficSecret& sending, const TrafficSecret& receiving,
                   std::uint32_t phase);

// establish.cpp: keys exist from here on.
void install_keys(Parts& parts, Timestamp now, const IkResult& noise);
void apply_peer_parameters(Parts& parts, Timestamp now, const TransportParameters& parameters);
// establish.cpp: the peer has proven that it has the keys; the application hears of it.
void confirm(Parts& parts, Timestamp now);

}  // namespace mxp
