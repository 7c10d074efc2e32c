// What a message is made of that opens a Noise exchange with a receiver whose static key is known: the tokens e, es, s,
// ss and a payload. It is message 1 of IK and the only message of X (revision 34, §7.5 and §7.4):
//
//     e (32) ‖ encrypted s (32 + 16) ‖ encrypted payload (p + 16)
//
// The state that is given has mixed the prologue and the receiver's static key (the pre-message <- s). It is left in the
// middle when something is refused, so callers that go on afterwards give a copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>

#include "crypto/symmetric_state.h"
#include "mxp/bytes.h"
#include "mxp/keys.h"

namespace mxp {

inline constexpr std::size_t kNoiseDhSize = PublicKey::kSize;
inline constexpr std::size_t kFirstMessagePayloadOffset = kNoiseDhSize + kNoiseDhSize + kAeadTagSize;
inline constexpr std::size_t kFirstMessageOverhead = kFirstMessagePayloadOffset + kAeadTagSize;

enum class NoiseError : std::uint8_t {
  truncated,              // shorter than the overhead of an empty message
  buffer_too_small,       // the caller's output buffer is too small
  low_order_key,          // a DH result is all zero
  authentication_failed,  // the message was changed, or is for another key or another prologue
  out_of_order,           // the message before was not written or read, or this one was already
};
std::string_view to_string(NoiseError error);

// A token of two letters: MixKey(DH(mine, theirs)). False if the result is all zero.
[[nodiscard]] bool mix_dh(SymmetricState& state, const PrivateKey& mine, const PublicKey& theirs);
// REQUIRES: at least 32 bytes.
PublicKey public_key_at(ByteView bytes);

// Writes payload.size() + kFirstMessageOverhead bytes and returns that number. `payload` may lie in `out` at
// kFirstMessagePayloadOffset, and does not overlap it otherwise. Errors: buffer_too_small, low_order_key (of rs).
std::expected<std::size_t, NoiseError> write_first_message(SymmetricState& state, const PrivateKey& s,
                                                           const PublicKey& rs, const PrivateKey& e, ByteView payload,
                                                           MutableBytes out);

struct FirstMessage {
  PublicKey re;
  PublicKey rs;  // the sender's static key, proven by ss
  std::size_t payload_size = 0;
};
// Decrypts into `payload_out`, which has at least message.size() − kFirstMessageOverhead bytes or is the payload's own
// place in the message. Errors: truncated, buffer_too_small, low_order_key, authentication_failed.
std::expected<FirstMessage, NoiseError> read_first_message(SymmetricState& state, const PrivateKey& s, ByteView message,
                                                           MutableBytes payload_out);

}  // namespace mxp
