// Fixed-size secrets: wiped when they go, compared in constant time, never printed.
//
// Copies are allowed (a state is copied before it is tried on an unverified message), and each copy wipes itself. A
// moved-from secret is all zero. On purpose there is no operator<<, no formatter and no ordering.
#pragma once

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "mxp/bytes.h"

namespace mxp {

template <std::size_t N>
class SecretArray {
 public:
  static constexpr std::size_t kSize = N;

  SecretArray() = default;  // all zero
  explicit SecretArray(std::span<const std::uint8_t, N> bytes) {
    std::copy(bytes.begin(), bytes.end(), bytes_.begin());
  }
  SecretArray(const SecretArray&) = default;
  SecretArray& operator=(const SecretArray&) = default;
  SecretArray(SecretArray&& other) noexcept : bytes_(other.bytes_) { other.wipe(); }
  SecretArray& operator=(SecretArray&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      other.wipe();
    }
    return *this;
  }
  ~SecretArray() { wipe(); }

  // Takes as long for equal as for different secrets.
  bool operator==(const SecretArray& other) const { return CRYPTO_memcmp(bytes_.data(), other.bytes_.data(), N) == 0; }

  void wipe() { OPENSSL_cleanse(bytes_.data(), N); }

  std::span<const std::uint8_t, N> view() const { return bytes_; }
  std::span<std::uint8_t, N> bytes() { return bytes_; }
  const std::uint8_t* data() const { return bytes_.data(); }

 private:
  std::array<std::uint8_t, N> bytes_{};
};

// The secret of one direction and key phase (docs/protocol.md §2.4).
using TrafficSecret = SecretArray<32>;

}  // namespace mxp
