// A datagram that our own interface would not take, since it is larger than the interface's MTU. That is certain,
// unlike all that the network says of sizes, and it comes before the datagram has left: no timer has to find it out.
#include "connection/flows.h"

namespace mxp {

void on_datagram_refused(Parts& parts, Timestamp now, const SocketAddress& remote, std::size_t size) {
  ++parts.stats.datagrams_too_large;
  // A server's two paths lead to two addresses, perhaps over two interfaces. What a client sent on a path that it has
  // left cannot be told from what it sends now; a size that failed by mistake is asked for once more.
  const bool is_other = parts.other && parts.other->remote == remote && parts.path->remote != remote;
  Path& path = is_other ? *parts.other : *parts.path;
  const auto probe = path.sizes.on_refused(now, size);
  if (probe) parts.recovery.on_packet_refused(*probe);
}

}  // namespace mxp
