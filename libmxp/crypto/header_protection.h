// Header protection (docs/protocol.md §3; RFC 9001 §5.4) hides packet numbers, and a few bits of the first byte, from
// onlookers. There is one key for the whole connection, and a key update leaves it as it is (RFC 9001 §6.1). An object
// belongs to one thread, and nothing is allocated after construction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "crypto/primitives.h"
#include "crypto/secret.h"
#include "mxp/bytes.h"
#include "mxp/keys.h"

namespace mxp {

// The most packets whose header masks are computed together: a GSO send holds no more.
inline constexpr std::size_t kMaxHeaderBatch = 64;

// Header protection masks of both suites (RFC 9001 §5.4.3, §5.4.4).
class HeaderProtector {
 public:
  static constexpr std::size_t kSampleSize = 16;
  using Mask = std::array<std::uint8_t, 5>;

  HeaderProtector(Suite suite, const SecretArray<32>& hp);

  // `samples` holds masks.size() samples, one after the other, at most kMaxHeaderBatch. They are overwritten.
  void masks(MutableBytes samples, std::span<Mask> masks);

 private:
  struct Free {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  Suite suite_;
  std::unique_ptr<evp_cipher_ctx_st, Free> context_;
};

}  // namespace mxp
