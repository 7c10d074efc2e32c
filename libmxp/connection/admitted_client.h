// A client whose message 1 was verified and let in: what a server's connection starts from.
#pragma once

#include <cstddef>

#include "core/transport_parameters.h"
#include "crypto/noise_ik.h"
#include "mxp/address.h"
#include "mxp/ids.h"
#include "mxp/keys.h"

namespace mxp {

struct AdmittedClient {
  IkResult noise;
  TransportParameters parameters;
  PublicKey client_key;
  Suite suite;
  ConnectionId client_id;
  ConnectionId server_id;
};

// Message 1 and its answer as datagrams: where the client seems to be, and what it may be sent until it has proven
// that.
struct InitialExchange {
  SocketAddress remote;
  SocketAddress local;
  std::size_t received_bytes;  // of message 1
  std::size_t answer_bytes;    // of message 2
};

}  // namespace mxp
