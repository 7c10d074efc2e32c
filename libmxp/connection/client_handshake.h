// The client's half of one handshake: it sends one message 1, byte-identical in every retransmission, until a message 2
// arrives that verifies (docs/protocol.md §2.3).
#pragma once

#include <expected>
#include <optional>
#include <span>
#include <vector>

#include "connection/handshake_payload.h"
#include "core/packet_header.h"
#include "crypto/noise_ik.h"
#include "mxp/config.h"
#include "mxp/random.h"
#include "mxp/time.h"

namespace mxp {

class ClientHandshake {
 public:
  struct Accepted {
    IkResult noise;
    HandshakePayload payload;            // holds views into the buffer given to read_response
    std::optional<Duration> round_trip;  // only if message 1 was sent exactly once
  };

  // Starts a handshake in the first of `suites`, which are all the suites that the client accepts. Returns nullopt if
  // the server's key is a low-order point, with which no handshake can succeed. REQUIRES: `suites` is not empty.
  static std::optional<ClientHandshake> start(Timestamp now, const EndpointConfig& config,
                                              std::span<const Suite> suites, const PublicKey& server_key,
                                              ConnectionId client_id, Random& random);

  // Returns message 1 when it is due; it then counts as sent.
  std::optional<ByteView> poll_datagram(Timestamp now);
  // When to call poll_datagram again.
  Timestamp deadline() const { return next_send_; }
  std::uint64_t sent_count() const { return sent_count_; }

  // Reads a message 2. A DropReason means that it does not answer our message and that nothing has changed.
  // `payload_buffer` receives the plaintext and must be as long as the message. If the payload verifies but breaks the
  // rules, the inner value is a TransportError.
  std::expected<std::expected<Accepted, TransportError>, DropReason> read_response(Timestamp now,
                                                                                   const ResponseHeader& header,
                                                                                   MutableBytes payload_buffer) const;

  Suite suite() const { return suite_; }
  ConnectionId client_id() const { return client_id_; }

 private:
  ClientHandshake(IkInitiator noise, Suite suite) : noise_(std::move(noise)), suite_(suite) {}

  static constexpr Duration kFirstRetransmission = std::chrono::milliseconds(300);  // from the specification

  IkInitiator noise_;
  Suite suite_;
  TransportParameters parameters_;
  ConnectionId client_id_;
  std::vector<std::uint8_t> datagram_;
  Timestamp first_sent_{};
  Timestamp next_send_{};
  Duration interval_ = kFirstRetransmission;
  std::uint64_t sent_count_ = 0;
};

}  // namespace mxp
