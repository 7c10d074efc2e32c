// The client's half of one handshake: one message 1, byte-identical on every retransmission, until a message 2 that
// verifies arrives (docs/protocol.md §2.3).
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
    HandshakePayload payload;            // views into the buffer that read_response was given
    std::optional<Duration> round_trip;  // only when message 1 was sent once
  };

  // In the first of `suites`, all of which it would take. Nothing: the server's key is a low-order point, no handshake
  // with it can succeed. REQUIRES: `suites` is not empty.
  static std::optional<ClientHandshake> start(Timestamp now, const EndpointConfig& config,
                                              std::span<const Suite> suites, const PublicKey& server_key,
                                              ConnectionId client_id, Random& random);

  // Message 1, when it is due; it counts as sent.
  std::optional<ByteView> poll_datagram(Timestamp now);
  // When to call poll_datagram again.
  Timestamp deadline() const { return next_send_; }
  std::uint64_t sent_count() const { return sent_count_; }

  // A DropReason: not the answer to our message, nothing has changed. `payload_buffer` receives the plaintext and must
  // be as long as the message. A payload that verifies but breaks the rules is a TransportError in the inner value.
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
