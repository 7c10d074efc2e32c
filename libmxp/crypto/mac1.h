// mac1: the last 16 bytes of an initial, which only somebody who knows the server's public key can make
// (docs/protocol.md §2.1). A stranger's datagram costs no more than one HMAC.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "mxp/bytes.h"
#include "mxp/keys.h"

struct evp_mac_ctx_st;

namespace mxp {

// Keyed once and used for every initial, so that no datagram costs a key setup. (OpenSSL makes two small copies of its
// hash state for each HMAC.) Movable; belongs to one thread.
class Mac1Key {
 public:
  static constexpr std::size_t kSize = 16;
  using Mac = std::array<std::uint8_t, kSize>;

  explicit Mac1Key(const PublicKey& server);

  // The mac1 over all bytes of the datagram that precede it.
  Mac compute(ByteView before_mac1) const;
  // Compares in constant time. False also for a datagram that is shorter than a mac1.
  bool verify(ByteView datagram_with_mac1) const;

 private:
  struct Free {
    void operator()(evp_mac_ctx_st* context) const;
  };
  std::unique_ptr<evp_mac_ctx_st, Free> context_;  // compute() restarts it with the key that it holds
};

}  // namespace mxp
