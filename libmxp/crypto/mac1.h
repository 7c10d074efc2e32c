// mac1: the last 16 bytes of an initial, which only who knows the server's public key can make (docs/protocol.md §2.1).
// One HMAC is all that a stranger's datagram costs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "mxp/bytes.h"
#include "mxp/keys.h"

struct evp_mac_ctx_st;

namespace mxp {

// Keyed once, used for every initial: no key setup per datagram. (OpenSSL makes two small copies of its hash state for
// each HMAC.) Movable; belongs to one thread.
class Mac1Key {
 public:
  static constexpr std::size_t kSize = 16;
  using Mac = std::array<std::uint8_t, kSize>;

  explicit Mac1Key(const PublicKey& server);

  // Over all bytes of the datagram that precede mac1.
  Mac compute(ByteView before_mac1) const;
  // In constant time; false also for a datagram shorter than a mac1.
  bool verify(ByteView datagram_with_mac1) const;

 private:
  struct Free {
    void operator()(evp_mac_ctx_st* context) const;
  };
  std::unique_ptr<evp_mac_ctx_st, Free> context_;  // compute() restarts it with the key it holds
};

}  // namespace mxp
