// A client's attempts at one handshake (docs/protocol.md §2.2). A server that lacks the suite of a message 1 drops it
// in silence. So a client that has had no answer for a while tries its next suite as well, beside the first: a
// handshake of its own, with a fresh ephemeral key, an id of its own and a list that begins with that suite. The first
// message 2 that verifies decides which of them becomes the connection. There is one attempt for each suite of the
// client's list and no more. Gone once the connection has keys.
#pragma once

#include <optional>
#include <vector>

#include "connection/client_handshake.h"

namespace mxp {

class ClientAttempts {
 public:
  // After so long without an answer the next suite is tried: when message 1 would go for the third time. Sooner, and
  // every path with a long round trip would cost its server a second handshake. From the specification.
  static constexpr Duration kNextSuiteAfter = std::chrono::milliseconds(900);

  // `config` and `random` outlive it. Nothing: the server's key is a low-order point, no handshake can succeed.
  static std::optional<ClientAttempts> start(Timestamp now, const EndpointConfig& config, const PublicKey& server_key,
                                             ConnectionId client_id, Random& random);

  struct Due {
    ByteView message_1;
    ConnectionId client_id;
    bool repeated;
  };
  // A message 1 that is due, of any attempt; it counts as sent.
  std::optional<Due> poll_datagram(Timestamp now);

  // Whether the next suite is to be tried now; then begin_next() with an id that nothing else has.
  bool next_is_due(Timestamp now) const { return next_suite_at_ <= now; }
  void begin_next(Timestamp now, ConnectionId client_id);

  // When to call poll_datagram or next_is_due again.
  Timestamp deadline() const;
  Timestamp gives_up_at() const { return gives_up_at_; }

  // The attempt with this id, or null.
  const ClientHandshake* find(ConnectionId client_id) const;

  // The server has no room, as its answer to this attempt says. It may be another attempt of ours that took the last
  // place, and whose answer got lost: as long as one is left, it goes on. False if none is.
  bool outlives_full_server(ConnectionId client_id, ByteView reason);
  // What the server said then, to be told when the time is over.
  const std::optional<std::vector<std::uint8_t>>& server_was_full() const { return server_was_full_; }

 private:
  ClientAttempts(const EndpointConfig& config, const PublicKey& server_key, Random& random)
      : config_(&config), random_(&random), server_key_(server_key) {}
  bool begin(Timestamp now, Suite suite, ConnectionId client_id);
  std::optional<Suite> next_suite() const;

  const EndpointConfig* config_;
  Random* random_;
  PublicKey server_key_;
  std::vector<Suite> tried_;
  std::vector<ClientHandshake> attempts_;
  Timestamp next_suite_at_ = kNever;
  Timestamp gives_up_at_{};
  std::optional<std::vector<std::uint8_t>> server_was_full_;
};

}  // namespace mxp
