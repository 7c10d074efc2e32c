// Noise IK (revision 34, §7.5): one round trip between a client that knows the server's static key, and the server:
//
//     <- s
//     ...
//     -> e, es, s, ss      message 1: e (32) ‖ encrypted s (48) ‖ encrypted payload (p + 16)
//     <- e, ee, se         message 2: e (32) ‖ encrypted payload (p + 16)
//
// Every DH result that is all zero aborts (docs/protocol.md §2.1). A message that is refused changes nothing, and the
// same object then takes the genuine one. An object belongs to one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>

#include "crypto/noise_first_message.h"
#include "crypto/secret.h"
#include "crypto/symmetric_state.h"
#include "mxp/bytes.h"
#include "mxp/keys.h"

namespace mxp {

inline constexpr std::size_t kIkMessage1Overhead = kFirstMessageOverhead;
inline constexpr std::size_t kIkMessage2Overhead = 32 + 16;
// Where the payload stands in each message. A caller may build it there, in `out`, and pass that view as the payload.
inline constexpr std::size_t kIkMessage1PayloadOffset = kFirstMessagePayloadOffset;
inline constexpr std::size_t kIkMessage2PayloadOffset = 32;

// How many X25519 computations it takes to write or to read either message (at most, if it is refused), and to make the
// public key of a new ephemeral. For counters.
inline constexpr std::uint64_t kX25519PerIkMessage = 2;
inline constexpr std::uint64_t kX25519PerKeyPair = 1;

// What both sides hold after message 2.
struct IkResult {
  std::size_t payload_size = 0;  // bytes of message 2's payload
  // The two keys of Split(): our traffic secrets (docs/protocol.md §2.4).
  TrafficSecret client_to_server;
  TrafficSecret server_to_client;
  std::array<std::uint8_t, 32> handshake_hash{};  // h: the same on both sides, not a secret
  SecretArray<32> exporter_secret;
  SecretArray<32> resumption_secret;
};

class IkInitiator {
 public:
  // `e` is the ephemeral key of this attempt: fresh for every change of prologue or payload. The prologue is hashed,
  // not kept.
  IkInitiator(Suite suite, const PrivateKey& s, const PublicKey& rs, ByteView prologue, const PrivateKey& e);

  // Writes payload.size() + kIkMessage1Overhead bytes and returns that number. It works only once: a retransmission is
  // the same bytes again. Errors: buffer_too_small, low_order_key (of the server), out_of_order.
  std::expected<std::size_t, NoiseError> write_message_1(ByteView payload, MutableBytes out);

  // Decrypts into `payload_out`, which has at least message.size() − kIkMessage2Overhead bytes and may be the payload's
  // own place in the message. It works on a copy of the state, so it can be called for every candidate.
  std::expected<IkResult, NoiseError> read_message_2(ByteView message, MutableBytes payload_out) const;

 private:
  PrivateKey s_;
  PrivateKey e_;
  PublicKey rs_;
  SymmetricState symmetric_;
  bool message_1_written_ = false;
};

class IkResponder {
 public:
  struct Message1 {
    PublicKey rs;  // the client's static key, proven by ss
    std::size_t payload_size = 0;
  };
  struct Message2 {
    IkResult result;
    std::size_t size = 0;  // bytes written
  };

  IkResponder(Suite suite, const PrivateKey& s, ByteView prologue);

  // Decrypts into `payload_out`, which has at least message.size() − kIkMessage1Overhead bytes or is the payload's own
  // place in the message.
  std::expected<Message1, NoiseError> read_message_1(ByteView message, MutableBytes payload_out);
  // To be called once, after read_message_1 has succeeded. Writes payload.size() + kIkMessage2Overhead bytes.
  std::expected<Message2, NoiseError> write_message_2(ByteView payload, const PrivateKey& e, MutableBytes out);

 private:
  enum class Next : std::uint8_t { read_message_1, write_message_2, nothing };

  PrivateKey s_;
  SymmetricState symmetric_;
  PublicKey re_;
  PublicKey rs_;
  Next next_ = Next::read_message_1;
};

}  // namespace mxp
