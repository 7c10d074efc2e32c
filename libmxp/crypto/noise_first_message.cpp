#include "crypto/noise_first_message.h"

#include <algorithm>

#include "crypto/primitives.h"
#include "mxp/require.h"

namespace mxp {

std::string_view to_string(NoiseError error) {
  switch (error) {
    case NoiseError::truncated: return "message too short";
    case NoiseError::buffer_too_small: return "output buffer too small";
    case NoiseError::low_order_key: return "low-order public key";
    case NoiseError::authentication_failed: return "authentication failed";
    case NoiseError::out_of_order: return "handshake message out of order";
  }
  return "unknown";
}

bool mix_dh(SymmetricState& state, const PrivateKey& mine, const PublicKey& theirs) {
  const auto shared = x25519(mine, theirs);
  if (!shared) return false;
  state.mix_key(shared->view());
  return true;
}

PublicKey public_key_at(ByteView bytes) {
  MXP_REQUIRE(bytes.size() >= PublicKey::kSize);
  PublicKey::Bytes key;
  std::copy_n(bytes.begin(), key.size(), key.begin());
  return PublicKey(key);
}

std::expected<std::size_t, NoiseError> write_first_message(SymmetricState& state, const PrivateKey& s,
                                                           const PublicKey& rs, const PrivateKey& e, ByteView payload,
                                                           MutableBytes out) {
  if (out.size() < payload.size() + kFirstMessageOverhead) return std::unexpected(NoiseError::buffer_too_small);
  // e
  const auto& own = e.public_key().bytes();
  std::copy(own.begin(), own.end(), out.begin());
  state.mix_hash(own);
  // es
  if (!mix_dh(state, e, rs)) return std::unexpected(NoiseError::low_order_key);
  // s
  std::size_t size = kNoiseDhSize;
  size += state.encrypt_and_hash(s.public_key().bytes(), out.subspan(size, kNoiseDhSize + kAeadTagSize));
  // ss
  if (!mix_dh(state, s, rs)) return std::unexpected(NoiseError::low_order_key);
  return size + state.encrypt_and_hash(payload, out.subspan(size));
}

std::expected<FirstMessage, NoiseError> read_first_message(SymmetricState& state, const PrivateKey& s, ByteView message,
                                                           MutableBytes payload_out) {
  if (message.size() < kFirstMessageOverhead) return std::unexpected(NoiseError::truncated);
  if (payload_out.size() < message.size() - kFirstMessageOverhead) return std::unexpected(NoiseError::buffer_too_small);
  // e
  const PublicKey re = public_key_at(message);
  state.mix_hash(re.bytes());
  // es
  if (!mix_dh(state, s, re)) return std::unexpected(NoiseError::low_order_key);
  // s
  PublicKey::Bytes static_key;
  if (!state.decrypt_and_hash(message.subspan(kNoiseDhSize, kNoiseDhSize + kAeadTagSize), static_key))
    return std::unexpected(NoiseError::authentication_failed);
  const PublicKey rs(static_key);
  // ss
  if (!mix_dh(state, s, rs)) return std::unexpected(NoiseError::low_order_key);
  const auto payload_size = state.decrypt_and_hash(message.subspan(kFirstMessagePayloadOffset), payload_out);
  if (!payload_size) return std::unexpected(NoiseError::authentication_failed);
  return FirstMessage{re, rs, *payload_size};
}

}  // namespace mxp
