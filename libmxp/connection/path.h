// A path: two addresses, and all that is known of what lies between them. A connection sends on one path at a time. What
// does not depend on the path (streams, packet numbers, keys, what must be acknowledged) is the connection's and stays
// when the path changes.
#pragma once

#include <memory>

#include "connection/amplification.h"
#include "mxp/address.h"
#include "mxp/config.h"
#include "mxp/ids.h"
#include "reliability/path_control.h"

namespace mxp {

struct Path {
  Path(PathId id, const SocketAddress& remote_, const SocketAddress& local_, const RecoveryConfig& recovery)
      : remote(remote_), local(local_), control(id, recovery, kMinInitialSize) {}

  SocketAddress remote;
  SocketAddress local;     // default-constructed: the carrier cannot tell, or has not yet
  ConnectionId remote_id;  // in packets to the peer on this path
  AmplificationLimit amplification;
  PathControl control;  // round trip, congestion, pacing, bytes in flight, size of full datagrams

  // Whether the peer has shown that it hears us at `remote`: the limit on bytes to an address that may be forged has
  // fallen. A client learns it from message 2; for a server, see amplification.h.
  bool is_proven() const { return amplification.lifted(); }
};

}  // namespace mxp
