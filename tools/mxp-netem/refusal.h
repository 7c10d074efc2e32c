// What the network says of the datagrams that a client's socket sent to the target: ICMP errors, read from the socket's
// error queue (ip(7), IP_RECVERR), one for each datagram that was refused. A sender of ICMP may limit its rate (Linux
// does so except on loopback), so what is counted here is the least that was refused.
#pragma once

#include <cstdint>
#include <optional>

#include "mxp-netem/relay_socket.h"
#include "mxp/bytes.h"

namespace mxp::tools {

enum class RefusalReason : std::uint8_t {
  port,   // nobody listens there
  other,  // no route, no host, forbidden, lifetime exceeded
};

struct Refusal {
  RefusalReason reason = RefusalReason::other;
  ByteView payload;  // of the refused datagram, as much as the ICMP error quoted; valid until the next call
};

class RefusalReader {
 public:
  // The next refusal that waits on a socket made by RelaySocket::connect(); std::nullopt if there is none. Never
  // blocks.
  std::optional<Refusal> next(const RelaySocket& socket);

 private:
  std::uint8_t payload_[2048];  // ICMP errors quote at most one IPv6 minimum MTU, 1280 bytes (RFC 4443 §2.4)
};

}  // namespace mxp::tools
