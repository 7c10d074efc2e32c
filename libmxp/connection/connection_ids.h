// The connection ids of both directions. They exist once both sides have announced that they take more than one
// (docs/protocol.md §4.1); without them a connection stays at its addresses.
#pragma once

#include <vector>

#include "connection/local_ids.h"
#include "connection/peer_ids.h"
#include "mxp/time.h"

namespace mxp {

struct ConnectionIds {
  ConnectionIds(const ConnectionId& ours, const ConnectionId& theirs) : local(ours), peer(theirs) {}

  LocalIds local;
  PeerIds peer;

  // Ids of ours that the peer will not use any more; packets under way may still carry them until then.
  struct Retired {
    ConnectionId id;
    Timestamp until;
  };
  std::vector<Retired> retired;
};

}  // namespace mxp
