// Datagrams between the application and the packets of a connection (mxp/datagram.h).
#pragma once

#include <cstddef>
#include <expected>

#include "connection/parts.h"

namespace mxp {

// The largest datagram that fits into a packet with nothing else, on the path as it is now.
std::size_t datagram_room(const Parts& parts);
// Tells the outbox and the datagrams in it the time, how large a datagram the path carries now, and whether they may
// go.
void tell_outbox(Parts& parts, Timestamp now);

// One came in.
std::expected<void, TransportError> on_datagram_frame(Parts& parts, const DatagramFrame& frame);

// Tells application and trace what has become of datagrams. Called at the end of what can end one: settle, a deadline,
// transmit.
void tell_datagram_outcomes(Parts& parts, Timestamp now);

}  // namespace mxp
