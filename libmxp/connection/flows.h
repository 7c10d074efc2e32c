// The flows of a connection, in the order in which a datagram meets them. Free functions over Parts; each file begins
// with its steps in prose.
#pragma once

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
// settle.cpp: a probe carries again what the oldest outstanding packet carried (RFC 9002 §6.2.4).
void retransmit_oldest(Parts& parts);

// deadlines.cpp
Timestamp next_deadline(const Parts& parts);
void on_deadline(Parts& parts, Timestamp now);

// establish.cpp: keys exist from here on.
void install_keys(Parts& parts, Timestamp now, const IkResult& noise);
void apply_peer_parameters(Parts& parts, const TransportParameters& parameters);
// establish.cpp: the peer has proven that it has the keys; the application hears of it.
void confirm(Parts& parts, Timestamp now);

}  // namespace mxp
