// Datagrams that go by themselves, whatever the run of ordinary ones (transmit.cpp) would send.
#pragma once

#include <optional>

#include "connection/parts.h"
#include "mxp/endpoint.h"

namespace mxp {

// A client's message 1, if it is due.
std::optional<Transmit> transmit_handshake(Parts& parts, Timestamp now, MutableBytes buffer);
// REQUIRES: keys, and an ending to tell of.
std::optional<Transmit> transmit_close(Parts& parts, Timestamp now, MutableBytes buffer);
// The next question to the path how large datagrams may be, if one is due (RFC 8899). REQUIRES: keys.
std::optional<Transmit> transmit_size_probe(Parts& parts, Timestamp now, MutableBytes buffer);

}  // namespace mxp
