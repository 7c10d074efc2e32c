// The primitives of both suites, on OpenSSL's EVP: SHA-256, HMAC, HKDF, X25519 and the two AEADs. Nothing here is
// home-made; this header only gives them types. Algorithms are fetched once per process. If a process's OpenSSL lacks
// one of them, the process cannot go on and stops at the first use.
//
// Threads: the functions may be called from any thread; an Aead belongs to one thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <memory>
#include <span>
#include <utility>

#include "crypto/secret.h"
#include "mxp/bytes.h"
#include "mxp/keys.h"

struct evp_cipher_ctx_st;

namespace mxp {

using Digest = std::array<std::uint8_t, 32>;
using SharedSecret = SecretArray<32>;
using AeadKey = SecretArray<32>;
using AeadNonce = std::array<std::uint8_t, 12>;

// Several views are read as if they were joined, so no buffer is needed to hash a header and a payload together.
using ByteViews = std::initializer_list<ByteView>;

Digest sha256(ByteView data);
Digest sha256(ByteViews parts);

// HMAC-SHA256 (RFC 2104). The result is key material as often as it is a tag, so its type is a secret; .view() shows
// it.
SecretArray<32> hmac_sha256(ByteView key, ByteView data);
SecretArray<32> hmac_sha256(ByteView key, ByteViews parts);

// HKDF of the Noise specification, §4.3, with two outputs: RFC 5869 with `chaining_key` as salt and empty info.
std::pair<SecretArray<32>, SecretArray<32>> noise_hkdf2(ByteView chaining_key, ByteView input_key_material);
// HKDF-Extract and HKDF-Expand with SHA-256 (RFC 5869 §2.2, §2.3). REQUIRES: out.size() <= 255 * 32.
SecretArray<32> hkdf_extract(ByteView salt, ByteView input_key_material);
void hkdf_expand(ByteView pseudorandom_key, ByteViews info, MutableBytes out);

// Takes as long for equal as for different bytes. Views of different sizes are different.
bool constant_time_equal(ByteView a, ByteView b);

enum class DhError : std::uint8_t {
  all_zero,  // a low-order point: the result would not depend on our key (RFC 7748 §6.1)
};
// RFC 7748: clamps the scalar, ignores the top bit of the point, and takes non-canonical points as their reduced value.
std::expected<SharedSecret, DhError> x25519(const PrivateKey& mine, const PublicKey& theirs);
PublicKey x25519_public(std::span<const std::uint8_t, 32> scalar);

inline constexpr std::size_t kAeadTagSize = 16;

// One AEAD key of a suite, ready for many messages: only the constructor sets up the key. Movable, not copyable.
class Aead {
 public:
  Aead(Suite suite, const AeadKey& key);
  ~Aead();
  Aead(Aead&&) noexcept;
  Aead& operator=(Aead&&) noexcept;

  // Encrypts `data` in place and writes the tag. The nonce must never have been used with this key before.
  void seal(const AeadNonce& nonce, ByteView associated_data, MutableBytes data,
            std::span<std::uint8_t, kAeadTagSize> tag);
  // Decrypts `data` in place. False if the tag does not match; `data` then holds nothing of use.
  [[nodiscard]] bool open(const AeadNonce& nonce, ByteView associated_data, MutableBytes data,
                          std::span<const std::uint8_t, kAeadTagSize> tag) {
    return open(nonce, associated_data, data, data, tag);
  }
  // Decrypts `data` to `out`, which is of the same size and lies elsewhere or in the same place.
  [[nodiscard]] bool open(const AeadNonce& nonce, ByteView associated_data, ByteView data, MutableBytes out,
                          std::span<const std::uint8_t, kAeadTagSize> tag);

 private:
  struct Free {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  std::unique_ptr<evp_cipher_ctx_st, Free> context_;
};

}  // namespace mxp
