// The server's half of the handshake: from an unknown datagram to a connection with keys. The checks come in the order
// that costs a server least (docs/protocol.md §2.1); the endpoint makes those in parentheses:
//
//   (header) → did it ever accept? → size → mac1 → answered before? → does it accept? → suite → (half-open limit) → rate
//     of public-key work → keys (public-key operations) → payload → downgrade → policy → room for one more connection
//     (full)
//
// Answers that let a client in and refusals are remembered apart. So refused clients, however many they are, push out
// no answer that a client in the middle of its handshake may ask for again (threat t18).
#pragma once

#include <optional>
#include <vector>

#include "connection/admitted_client.h"
#include "connection/handshake_payload.h"
#include "core/packet_header.h"
#include "crypto/mac1.h"
#include "crypto/noise_ik.h"
#include "endpoint/connection_budget.h"
#include "endpoint/handshake_budget.h"
#include "endpoint/response_cache.h"
#include "mxp/config.h"
#include "mxp/endpoint.h"
#include "mxp/random.h"
#include "mxp/stats.h"

namespace mxp {

struct AdmissionResult {
  std::optional<DropReason> dropped;
  std::vector<std::uint8_t> answer;  // message 2 to send; empty if none
  ConnectionId answer_id;            // the id that the answer gives; all zero if it refuses
  bool answered_before = false;      // the answer is from the cache
  struct Refused {
    TransportErrorCode code;
    PublicKey client;
  };
  std::optional<Refused> refused;          // with an answer that says so, made by this call
  std::optional<AdmittedClient> admitted;  // absent when refused or answered from the cache
};

class Admission {
 public:
  // `hash_key` is random and secret, because peers choose what is hashed with it.
  Admission(const EndpointConfig& config, Random& random, std::uint64_t hash_key);

  // The cheap half, which costs at most one HMAC: the initial is dropped or answered from the cache. If it is neither,
  // it may be worth more, and on_initial() comes next.
  AdmissionResult screen(const ReceivedDatagram& datagram, const InitialHeader& header);
  // The expensive half: the public-key operations, and the checks that need their results. REQUIRES: screen() let the
  // initial pass. `room` says whether the client may have a connection. `server_id` is a fresh id in case the client is
  // admitted.
  AdmissionResult on_initial(Timestamp now, const ReceivedDatagram& datagram, const InitialHeader& header,
                             const ConnectionBudget& room, ConnectionId server_id, EndpointStats& stats);

  // An admitted client has confirmed its keys, from `source`.
  void on_confirmed(const SocketAddress& source) { budget_.give_back(source); }

  void on_timeout(Timestamp now) {
    admitted_.expire(now);
    refused_.expire(now);
  }
  Timestamp deadline() const { return std::min(admitted_.deadline(), refused_.deadline()); }

 private:
  const EndpointConfig& config_;
  const bool ever_accepted_;  // a client need not even look at what comes
  Random& random_;
  Mac1Key mac1_key_;
  HandshakeBudget budget_;
  ResponseCache admitted_;
  ResponseCache refused_;
};

}  // namespace mxp
