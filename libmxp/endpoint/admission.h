// The server's half of the handshake: from an unknown datagram to a connection with keys, in the order that costs a
// stranger least (docs/protocol.md §2.1): size → header → mac1 → duplicate → limits → public-key operations → payload →
// policy.
#pragma once

#include <optional>
#include <vector>

#include "connection/handshake_payload.h"
#include "core/packet_header.h"
#include "crypto/mac1.h"
#include "crypto/noise_ik.h"
#include "endpoint/response_cache.h"
#include "mxp/config.h"
#include "mxp/endpoint.h"
#include "mxp/random.h"
#include "mxp/stats.h"

namespace mxp {

// A client that was let in: what its connection starts from.
struct AdmittedClient {
  IkResult noise;
  TransportParameters parameters;
  PublicKey client_key;
  Suite suite;
  ConnectionId client_id;
  ConnectionId server_id;
};

struct AdmissionResult {
  std::optional<DropReason> dropped;
  std::vector<std::uint8_t> answer;        // message 2 to send; empty if none
  ConnectionId answer_id;                  // that the answer gives; all zero if it refuses
  bool answered_before = false;            // the answer is from the cache
  std::optional<AdmittedClient> admitted;  // absent when refused or answered from the cache
};

class Admission {
 public:
  Admission(const EndpointConfig& config, Random& random);

  // The cheap half, at most one HMAC: the initial is dropped or answered from the cache. Neither: it may be worth more,
  // ask on_initial().
  AdmissionResult screen(const ReceivedDatagram& datagram, const InitialHeader& header);
  // The public-key operations and what only they can tell. REQUIRES: screen() let it pass.
  // `full`: the endpoint takes no more connections. `server_id` is a fresh id for the case that the client is admitted.
  AdmissionResult on_initial(Timestamp now, const ReceivedDatagram& datagram, const InitialHeader& header, bool full,
                             ConnectionId server_id, EndpointStats& stats);

  void on_timeout(Timestamp now) { cache_.expire(now); }
  Timestamp deadline() const { return cache_.deadline(); }

 private:
  const EndpointConfig& config_;
  Random& random_;
  Mac1Key mac1_key_;
  ResponseCache cache_;
};

}  // namespace mxp
