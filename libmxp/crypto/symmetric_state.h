// CipherState and SymmetricState of the Noise specification, revision 34, §5.1 and §5.2, under the names used there.
// They are plain values: a copy is a state of its own, and this is how a message is tried without risking the state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "crypto/primitives.h"
#include "crypto/secret.h"
#include "mxp/bytes.h"
#include "mxp/keys.h"

namespace mxp {

// A cipher key and its message counter.
class CipherState {
 public:
  explicit CipherState(Suite suite) : suite_(suite) {}
  CipherState(Suite suite, const AeadKey& key) : suite_(suite), key_(key) {}

  bool has_key() const { return key_.has_value(); }
  void initialize_key(const AeadKey& key);
  // Writes ciphertext and tag, or just the plaintext while there is no key. Returns the number of bytes written.
  // REQUIRES: room for plaintext.size() + 16. `out` may begin where `plaintext` does, and must not overlap it
  // otherwise.
  std::size_t encrypt_with_ad(ByteView associated_data, ByteView plaintext, MutableBytes out);
  // Returns the plaintext's size, or nullopt if it does not verify. The counter moves on success only (§5.1). REQUIRES:
  // room for ciphertext.size() − 16 (all of it without a key). `out` may begin where `ciphertext` does, and must not
  // overlap it otherwise.
  std::optional<std::size_t> decrypt_with_ad(ByteView associated_data, ByteView ciphertext, MutableBytes out);

 private:
  Suite suite_;
  std::optional<AeadKey> key_;
  std::uint64_t n_ = 0;
};

// The nonce of message `n` (§12.3, §12.4): 4 zero bytes, then n, little-endian for ChaChaPoly and big-endian for
// AESGCM.
AeadNonce noise_nonce(Suite suite, std::uint64_t n);

enum class NoisePattern : std::uint8_t { ik, x };

class SymmetricState {
 public:
  // InitializeSymmetric with the Noise protocol name of pattern and suite.
  explicit SymmetricState(Suite suite, NoisePattern pattern = NoisePattern::ik);

  void mix_key(ByteView input_key_material);
  void mix_hash(ByteView data);
  std::size_t encrypt_and_hash(ByteView plaintext, MutableBytes out);
  // nullopt if it does not verify; the state is then as it was.
  std::optional<std::size_t> decrypt_and_hash(ByteView ciphertext, MutableBytes out);
  // The two transport keys: initiator to responder, then back.
  std::pair<AeadKey, AeadKey> split() const;

  const Digest& handshake_hash() const { return h_; }
  ByteView chaining_key() const { return ck_.view(); }

 private:
  CipherState cipher_;
  SecretArray<32> ck_;
  Digest h_{};
};

}  // namespace mxp
