// Noise X (revision 34, §7.4): one message, and nothing before or after it, to a receiver whose static key is known.
//
//     <- s
//     ...
//     -> e, es, s, ss      e (32) ‖ encrypted s (48) ‖ encrypted payload (p + 16)
//
// The receiver learns who sealed it and that nothing was changed. What a pattern of one message cannot give
// (docs/security.md): the same message opens as often as it comes, and who has the receiver's private key opens all that
// was ever sealed to it, and can seal to it in anybody's name.
//
// The protocol name is Noise_X_25519_ChaChaPoly_SHA256 or Noise_X_25519_AESGCM_SHA256. Any thread may call these.
#pragma once

#include "crypto/noise_first_message.h"

namespace mxp {

inline constexpr std::size_t kXMessageOverhead = kFirstMessageOverhead;
inline constexpr std::size_t kXMessagePayloadOffset = kFirstMessagePayloadOffset;

// `e` is the ephemeral key of this message and of no other. Lengths, places and errors are those of write_first_message.
std::expected<std::size_t, NoiseError> write_x_message(Suite suite, const PrivateKey& s, const PublicKey& rs,
                                                       ByteView prologue, const PrivateKey& e, ByteView payload,
                                                       MutableBytes out);
// Lengths, places and errors are those of read_first_message.
std::expected<FirstMessage, NoiseError> read_x_message(Suite suite, const PrivateKey& s, ByteView prologue,
                                                       ByteView message, MutableBytes payload_out);

}  // namespace mxp
