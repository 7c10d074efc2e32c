// A path: two addresses, and all that is known of what lies between them. A connection sends on one path at a time.
// What does not depend on the path (streams, packet numbers, keys, what must be acknowledged) is the connection's and
// stays when the path changes.
#pragma once

#include <optional>

#include "connection/amplification.h"
#include "connection/datagram_size_search.h"
#include "connection/path_responses.h"
#include "connection/path_validation.h"
#include "mxp/address.h"
#include "mxp/config.h"
#include "mxp/ids.h"
#include "reliability/forward_delay.h"
#include "reliability/path_control.h"

namespace mxp {

struct Path {
  // Nothing is known of it.
  Path(const SocketAddress& remote_, const SocketAddress& local_, PathId id, const RecoveryConfig& recovery)
      : remote(remote_),
        local(local_),
        control(id, recovery, kMinInitialSize),
        sizes(remote_.family, kMinInitialSize) {}
  // What is known of `like` is expected of it.
  Path(const SocketAddress& remote_, const SocketAddress& local_, PathId id, const Path& like)
      : remote(remote_),
        local(local_),
        control(id, like.control),
        sizes(like.sizes.carried_on()),
        forward(like.forward) {}

  SocketAddress remote;
  SocketAddress local;     // default-constructed: the carrier cannot tell, or has not yet
  ConnectionId remote_id;  // in packets to the peer on this path
  std::uint64_t remote_sequence = 0;
  AmplificationLimit amplification;
  PathControl control;       // round trip, congestion, pacing, bytes in flight, size of full datagrams
  DatagramSizeSearch sizes;  // how large they may be; begins once the peer's limit is known
  ForwardDelay forward;      // what packets wait on the way there, if the peer tells; nothing is decided by it

  std::optional<PathValidation> validation;  // while we ask whether the peer hears us there
  PathResponses responses;

  // Whether the peer has shown that it hears us at `remote`: the limit on bytes to an address that may be forged has
  // fallen. A client learns it from message 2; for a server, see amplification.h.
  bool is_proven() const { return amplification.lifted(); }
};

}  // namespace mxp
