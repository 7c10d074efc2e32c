#include "crypto/symmetric_state.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <string_view>

#include "crypto/algorithms.h"
#include "mxp/require.h"

namespace mxp {
namespace {

std::string_view protocol_name(Suite suite, NoisePattern pattern) {
  const bool chacha = suite == Suite::chacha20_poly1305;
  switch (pattern) {
    case NoisePattern::ik: return chacha ? "Noise_IK_25519_ChaChaPoly_SHA256" : "Noise_IK_25519_AESGCM_SHA256";
    case NoisePattern::x: return chacha ? "Noise_X_25519_ChaChaPoly_SHA256" : "Noise_X_25519_AESGCM_SHA256";
  }
  return {};
}

}  // namespace

AeadNonce noise_nonce(Suite suite, std::uint64_t n) {
  AeadNonce nonce{};
  for (std::size_t i = 0; i < 8; ++i) {
    const auto byte = static_cast<std::uint8_t>(n >> (8 * i));
    nonce[suite == Suite::chacha20_poly1305 ? 4 + i : 11 - i] = byte;
  }
  return nonce;
}

void CipherState::initialize_key(const AeadKey& key) {
  key_ = key;
  n_ = 0;
}

std::size_t CipherState::encrypt_with_ad(ByteView associated_data, ByteView plaintext, MutableBytes out) {
  // §5.1: the nonce 2^64−1 is reserved.
  MXP_REQUIRE(out.size() >= plaintext.size() + (has_key() ? kAeadTagSize : 0) &&
              n_ != std::numeric_limits<std::uint64_t>::max());
  if (!plaintext.empty()) std::memmove(out.data(), plaintext.data(), plaintext.size());
  if (!has_key()) return plaintext.size();
  Aead(suite_, *key_)
      .seal(noise_nonce(suite_, n_), associated_data, out.first(plaintext.size()),
            out.subspan(plaintext.size()).first<kAeadTagSize>());
  ++n_;
  return plaintext.size() + kAeadTagSize;
}

std::optional<std::size_t> CipherState::decrypt_with_ad(ByteView associated_data, ByteView ciphertext,
                                                        MutableBytes out) {
  const std::size_t overhead = has_key() ? kAeadTagSize : 0;
  if (ciphertext.size() < overhead || n_ == std::numeric_limits<std::uint64_t>::max()) return std::nullopt;
  const std::size_t size = ciphertext.size() - overhead;
  MXP_REQUIRE(out.size() >= size);
  if (size != 0) std::memmove(out.data(), ciphertext.data(), size);
  if (!has_key()) return size;
  if (!Aead(suite_, *key_)
           .open(noise_nonce(suite_, n_), associated_data, out.first(size), ciphertext.last<kAeadTagSize>()))
    return std::nullopt;
  ++n_;
  return size;
}

SymmetricState::SymmetricState(Suite suite, NoisePattern pattern) : cipher_(suite) {
  const std::string_view name = protocol_name(suite, pattern);
  // §5.2: a name of at most HASHLEN bytes is padded with zeros; a longer one would be hashed. Ours have 32 bytes at
  // most.
  MXP_REQUIRE(!name.empty() && name.size() <= h_.size());
  std::copy(name.begin(), name.end(), h_.begin());
  ck_ = SecretArray<32>(h_);
}

void SymmetricState::mix_key(ByteView input_key_material) {
  auto [ck, temp_k] = noise_hkdf2(ck_.view(), input_key_material);
  ck_ = std::move(ck);
  cipher_.initialize_key(temp_k);
}

void SymmetricState::mix_hash(ByteView data) { h_ = sha256({h_, data}); }

std::size_t SymmetricState::encrypt_and_hash(ByteView plaintext, MutableBytes out) {
  const std::size_t size = cipher_.encrypt_with_ad(h_, plaintext, out);
  mix_hash(out.first(size));
  return size;
}

std::optional<std::size_t> SymmetricState::decrypt_and_hash(ByteView ciphertext, MutableBytes out) {
  // The ciphertext is hashed first, because decryption may replace it by the plaintext.
  const Digest mixed = sha256({h_, ciphertext});
  const auto size = cipher_.decrypt_with_ad(h_, ciphertext, out);
  if (size) h_ = mixed;
  return size;
}

std::pair<AeadKey, AeadKey> SymmetricState::split() const { return noise_hkdf2(ck_.view(), {}); }

}  // namespace mxp
