// A client's attempts at one handshake (docs/protocol.md §2.2). A server silently drops a message 1 whose suite it does
// not support. So a client that has had no answer for a while tries its next suite as well, beside the first. Each
// attempt is a handshake of its own, with a fresh ephemeral key, its own connection id, and a list that begins with its
// suite. The first message 2 that verifies decides which attempt becomes the connection. There is at most one attempt
// for each suite of the client's list. The object is freed once the connection has keys.
#pragma once

#include <optional>
#include <vector>

#include "connection/client_handshake.h"

namespace mxp {

class ClientAttempts {
 public:
  // How long a client waits for an answer before it tries the next suite: until message 1 would go out for the third
  // time. If it waited less, every path with a long round trip would cost its server a second handshake. From the
  // specification.
  static constexpr Duration kNextSuiteAfter = std::chrono::milliseconds(900);

  // `config` and `random` must outlive the object. Returns nullopt if the server's key is a low-order point, with which
  // no handshake can succeed.
  static std::optional<ClientAttempts> start(Timestamp now, const EndpointConfig& config, const PublicKey& server_key,
                                             ConnectionId client_id, Random& random);

  struct Due {
    ByteView message_1;
    ConnectionId client_id;
    bool repeated;
  };
  // Returns the message 1 of an attempt that has one due; it counts as sent.
  std::optional<Due> poll_datagram(Timestamp now);

  // Whether it is time to try the next suite. If so, the caller calls begin_next() with an id that is not in use.
  bool next_is_due(Timestamp now) const { return next_suite_at_ <= now; }
  void begin_next(Timestamp now, ConnectionId client_id);

  // When to call poll_datagram or next_is_due again.
  Timestamp deadline() const;
  Timestamp gives_up_at() const { return gives_up_at_; }

  // The attempt with this id, or null.
  const ClientHandshake* find(ConnectionId client_id) const;

  // The server's answer to this attempt says that it has no room. Perhaps another attempt of ours took the last place
  // and its answer was lost, so the remaining attempts go on. Returns false if none remains.
  bool outlives_full_server(ConnectionId client_id, ByteView reason);
  // The reason that such an answer gave. The application hears it when the handshake times out.
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
