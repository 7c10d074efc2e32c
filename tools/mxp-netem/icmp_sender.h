// Tells a client that nobody listens at the target, as the target's host told the relay: ICMP "port unreachable" (RFC
// 792, RFC 4443 §3.1) about the datagram that the client sent to the relay. A connected socket of the client then gets
// ECONNREFUSED. Only a raw socket can send this, so it needs CAP_NET_RAW.
#pragma once

#include <cstdint>
#include <vector>

#include "mxp/address.h"
#include "mxp/bytes.h"
#include "udp/unique_fd.h"

namespace mxp::tools {

// Appends the ICMP message about a datagram from `client` to `reached`, both with their ports and of one family. The
// payload is cut so that the whole IP packet fits the size that every network takes. ICMPv6 has no checksum yet: it
// covers addresses that the kernel chooses, and the kernel fills it in (RFC 3542 §3.1).
void append_port_unreachable(std::vector<std::uint8_t>& out, const SocketAddress& client, const SocketAddress& reached,
                             ByteView payload);

class IcmpSender {
 public:
  // Opens the raw sockets that this process may open; see permitted().
  IcmpSender();

  bool permitted(AddressFamily family) const { return family == AddressFamily::ipv6 ? !!ipv6_ : !!ipv4_; }
  // Sends at once. What cannot be sent is lost, as ICMP may be.
  void port_unreachable(const SocketAddress& client, const SocketAddress& reached, ByteView payload);

 private:
  UniqueFd ipv4_;
  UniqueFd ipv6_;
  std::vector<std::uint8_t> message_;
};

}  // namespace mxp::tools
