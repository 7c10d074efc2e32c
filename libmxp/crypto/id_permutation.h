// A keyed permutation of 64 bits, for connection ids (docs/protocol.md §3.2).
//
// A connection id travels in the clear, and two parties read it. The server wants to know from it which of its workers
// has the connection, even before any table is asked: the kernel steers datagrams by it, a restarted server recognises
// ids that it issued before, and a worker that got another one's datagram passes it on. So the id contains a worker, a
// generation and a counter. An observer on the path, on the other hand, must learn nothing from it: from two ids with
// neighbouring counters he would see that a client which moved from one network to another is the same client
// (RFC 9000 §9.5), and how many connections a server has.
//
// Encryption of exactly 64 bits satisfies both. An AEAD or AES would make the id longer than a block of theirs allows,
// or need a mode for small domains. Speck64/128 has blocks of 64 bits, and is additions, rotations and XORs of 32-bit
// words without tables, so that the verifier of a BPF program accepts it and the kernel can decide without a copy to
// user space. Each plain id is used once, so equal ciphertexts, the weakness of a bare block cipher, do not occur.
//
// What is asked of it is that ids cannot be linked, not that anything stays secret: nothing is decided on the strength
// of an id, and whoever guesses one still fails the AEAD of the packet. It is outside of what "approved algorithms"
// means for suite 3 (docs/security.md).
//
// Source: Beaulieu, Shors, Smith, Treatman-Clark, Weeks, Wingers, "The Simon and Speck Families of Lightweight Block
// Ciphers", 2013 (IACR ePrint 2013/404), with its test vector; bytes as in the authors' implementation guide, words
// little-endian and the lower one first.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "crypto/secret.h"
#include "mxp/ids.h"

namespace mxp {

// One key for a server, or for a group of servers that share ids. Immutable, so any number of threads may use one.
class IdPermutation {
 public:
  static constexpr std::size_t kKeySize = 16;

  explicit IdPermutation(std::span<const std::uint8_t, kKeySize> key);

  // Inverse to each other, for every value.
  ConnectionId blind(std::uint64_t plain) const;
  std::uint64_t unblind(const ConnectionId& id) const;

 private:
  static constexpr unsigned kRounds = 27;

  SecretArray<kRounds * 4> schedule_;  // a 32-bit key for each round, little-endian
};

}  // namespace mxp
