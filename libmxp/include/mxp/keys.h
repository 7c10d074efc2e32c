// Static keys: who a peer is.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "mxp/bytes.h"
#include "mxp/random.h"

#pragma GCC visibility push(default)
namespace mxp {

// An X25519 public key. Text form: 43 characters of unpadded base64url.
class PublicKey {
 public:
  static constexpr std::size_t kSize = 32;
  using Bytes = std::array<std::uint8_t, kSize>;

  PublicKey() = default;
  explicit PublicKey(const Bytes& bytes) : bytes_(bytes) {}
  // nullopt unless the text is exactly kSize bytes in canonical base64url.
  static std::optional<PublicKey> parse(std::string_view base64url);
  std::string to_string() const;
  const Bytes& bytes() const { return bytes_; }
  auto operator<=>(const PublicKey&) const = default;

 private:
  Bytes bytes_{};
};

enum class KeyFileError : std::uint8_t {
  not_pem,     // no "PRIVATE KEY" block
  malformed,   // a block that is not PKCS#8
  wrong_type,  // a key of another algorithm
};
std::string_view to_string(KeyFileError error);

// An X25519 private key; every copy is wiped when it is destroyed. Only to_pem() turns it into text.
class PrivateKey {
 public:
  static constexpr std::size_t kSize = 32;

  static PrivateKey generate(Random& random);
  static PrivateKey from_bytes(std::span<const std::uint8_t, kSize> scalar);
  // PKCS#8 PEM (RFC 8410), as `openssl genpkey -algorithm X25519` writes it.
  static std::expected<PrivateKey, KeyFileError> from_pem(std::string_view pem);
  // The text is a copy of the secret, and the caller's to protect: write it to a file of mode 0600 only, then wipe it.
  std::string to_pem() const;

  PrivateKey(const PrivateKey& other);
  PrivateKey& operator=(const PrivateKey& other);
  PrivateKey(PrivateKey&& other) noexcept;
  PrivateKey& operator=(PrivateKey&& other) noexcept;
  ~PrivateKey();

  const PublicKey& public_key() const { return public_key_; }
  // The raw scalar: meant for the handshake alone.
  std::span<const std::uint8_t, kSize> secret() const { return scalar_; }

 private:
  PrivateKey() = default;
  std::array<std::uint8_t, kSize> scalar_{};
  PublicKey public_key_;
};

// Cipher suites by their wire number (docs/protocol.md §2).
enum class Suite : std::uint8_t {
  chacha20_poly1305 = 1,  // Noise_IK_25519_ChaChaPoly_SHA256
  aes_256_gcm = 2,        // Noise_IK_25519_AESGCM_SHA256
};
std::string_view to_string(Suite suite);  // "chacha20", "aes256", as --suite takes them

}  // namespace mxp
#pragma GCC visibility pop
