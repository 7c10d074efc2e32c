// The IP packet that carried a datagram, rebuilt: a relay on UDP sockets sees only payloads, and a capture needs
// headers.
#pragma once

#include <cstdint>
#include <vector>

#include "mxp/address.h"
#include "mxp/bytes.h"
#include "mxp/endpoint.h"

namespace mxp::tools {

// Appends an IPv4 (RFC 791) or IPv6 (RFC 8200) and a UDP header (RFC 768) with right lengths and checksums, and the
// payload. The family is that of the source. What the wire had in the identification field, in the hop limit and in the
// options is unknown, so they are 0, 64 and absent. A datagram that is too long for IPv4 (over 65,507 bytes) gets 0 as
// its IPv4 length. REQUIRES: payload.size() <= 65,527, the most that a UDP datagram holds.
void append_raw_ip(std::vector<std::uint8_t>& out, const SocketAddress& source, const SocketAddress& destination,
                   Ecn ecn, ByteView payload);

// The internet checksum (RFC 1071), continued from `sum`; fold_checksum() gives the value for the header.
std::uint64_t add_to_checksum(std::uint64_t sum, ByteView bytes);
std::uint16_t fold_checksum(std::uint64_t sum);

}  // namespace mxp::tools
