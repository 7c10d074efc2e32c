// A path: two addresses, and all that is known of what lies between them. A connection sends on one path at a time.
// What does not depend on the path (streams, packet numbers, keys, what must be acknowledged) is the connection's and
// stays when the path changes.
#pragma once

#include <memory>
#include <optional>
#include <utility>

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

// What is measured of it. Where a NAT changed the peer's port alone, two paths have the same.
struct PathProperties {
  PathProperties(PathId id, const RecoveryConfig& recovery)
      : control(id, recovery, kMinInitialSize), sizes(AddressFamily::ipv4, kMinInitialSize) {}

  PathControl control;       // round trip, congestion, pacing, bytes in flight, size of full datagrams
  DatagramSizeSearch sizes;  // how large they may be; begins once the peer's limit is known
  ForwardDelay forward;      // what packets wait on the way there, if the peer tells; nothing is decided by it
};

struct Path {
  Path(const SocketAddress& remote_, const SocketAddress& local_, std::shared_ptr<PathProperties> properties_)
      : remote(remote_),
        local(local_),
        properties(std::move(properties_)),
        control(properties->control),
        sizes(properties->sizes) {}

  SocketAddress remote;
  SocketAddress local;     // default-constructed: the carrier cannot tell, or has not yet
  ConnectionId remote_id;  // in packets to the peer on this path
  std::uint64_t remote_sequence = 0;
  AmplificationLimit amplification;
  std::shared_ptr<PathProperties> properties;
  PathControl& control;       // of the properties
  DatagramSizeSearch& sizes;  // of the properties

  std::optional<PathValidation> validation;  // while we ask whether the peer hears us there
  PathResponses responses;

  // Whether the peer has shown that it hears us at `remote`: the limit on bytes to an address that may be forged has
  // fallen. A client learns it from message 2; for a server, see amplification.h.
  bool is_proven() const { return amplification.lifted(); }
};

}  // namespace mxp
