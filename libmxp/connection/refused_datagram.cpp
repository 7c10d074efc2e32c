// A datagram that our own interface would not take, since it is larger than the interface's MTU. That is certain,
// unlike all that the network says of sizes, and it comes before the datagram has left: no timer has to find it out.
#include "connection/flows.h"

namespace mxp {

void on_datagram_refused(Parts& parts, Timestamp now, std::size_t size) {
  ++parts.stats.datagrams_too_large;
  const auto probe = parts.path->sizes.on_refused(now, size);
  if (probe) parts.recovery.on_packet_refused(*probe);
}

}  // namespace mxp
