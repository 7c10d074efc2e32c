// Payloads with the flag ENCRYPTED (docs/protocol.md §1.2): sealed by the sender to the receiver's static key, whoever
// carries the message between them. A connection seals to its peer, and opens what is sealed to it, by itself
// (mxp/message_options.h, mxp/config.h); these are for a program that seals to somebody else, whom a relay reaches, or
// that opens what came another way.
//
// A seal is one message of the pattern Noise X with the suite ChaCha20-Poly1305; its prologue holds the message's
// header, so that a sealed payload belongs to one message: its type, flags, ids and length cannot be changed, and it
// cannot be moved to another message.
//
// It authenticates the sender and does not tell when it was sealed: the same message opens as often as it comes. A
// connection delivers it once; whoever carries it may deliver it again. docs/security.md says what else is not given.
//
// Compression comes first: a message that is also COMPRESSED holds, sealed, what the compressor made.
//
// Sealing takes three X25519 operations and opening two, tens of microseconds each. OpenSSL allocates its key objects
// for them; nothing else is allocated. Threads: any thread may call these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>

#include "mxp/bytes.h"
#include "mxp/keys.h"
#include "mxp/message.h"
#include "mxp/random.h"

#pragma GCC visibility push(default)
namespace mxp {

// A sealed payload is so many bytes longer, and the plain one may stand at this place of the buffer that it is sealed
// to.
inline constexpr std::size_t kSealingOverhead = 96;
inline constexpr std::size_t kSealedPayloadOffset = 80;

enum class SealingError : std::uint8_t {
  already_sealed,         // seal: the message has the flag ENCRYPTED
  not_sealed,             // open: it has not
  payload_too_large,      // seal: more than kMaxMessagePayload with the overhead
  truncated,              // open: shorter than the overhead
  buffer_too_small,       // `out`
  low_order_key,          // a DH result is all zero: the other side's key is none
  authentication_failed,  // open: changed, moved to another header, or sealed to another key
};
std::string_view to_string(SealingError error);

// The message to send in the place of `message`: with the flag ENCRYPTED, and a payload in `out` of
// message.payload.size() + kSealingOverhead bytes. `message.payload` may lie in `out` at kSealedPayloadOffset, and does
// not overlap it otherwise. `random` gives the ephemeral key: 32 bytes that must be secure and fresh for each message.
// Errors: already_sealed, payload_too_large, buffer_too_small, low_order_key (of `receiver`).
std::expected<Message, SealingError> seal_payload(const PrivateKey& identity, const PublicKey& receiver,
                                                  const Message& message, Random& random, MutableBytes out);

struct OpenedPayload {
  PublicKey sender;  // proven
  Message message;   // as it was before it was sealed; the payload is in `out`
};
// `out` has at least sealed.payload.size() − kSealingOverhead bytes; it may be the encrypted payload's own place, which
// is at kSealedPayloadOffset of sealed.payload, and does not overlap it otherwise. On an error it holds nothing of use.
// Errors: not_sealed, truncated, buffer_too_small, low_order_key, authentication_failed.
std::expected<OpenedPayload, SealingError> open_payload(const PrivateKey& identity, const Message& sealed,
                                                        MutableBytes out);

}  // namespace mxp
#pragma GCC visibility pop
