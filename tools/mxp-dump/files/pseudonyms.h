// What stands in a redacted capture in place of addresses, connection ids and bytes: chosen by a secret key, so that
// equal things stay equal and nothing else can be learned of them.
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "mxp/address.h"
#include "mxp/bytes.h"
#include "mxp/ids.h"

namespace mxp::dump {

class Pseudonyms {
 public:
  using Key = std::array<std::uint8_t, 32>;
  explicit Pseudonyms(const Key& key) : key_(key) {}
  ~Pseudonyms();
  Pseudonyms(const Pseudonyms&) = delete;
  Pseudonyms& operator=(const Pseudonyms&) = delete;

  // Another address of the same kind: loopback (kept as it is), private (within its network of RFC 1918), link-local,
  // unique local, carrier-grade NAT, multicast, reserved, public. No two addresses get one pseudonym, but for public
  // ones of IPv6, which do with a chance of 2^-96 for a pair. Who knows the pseudonyms of some addresses learns nothing
  // of the others. The port stays.
  SocketAddress of(const SocketAddress& address);
  ConnectionId of(ConnectionId id) const;
  // Of an id that stands in a packet where `right` should. A damaged one has as many wrong bits as before; one that
  // differs in more than damage does gets a pseudonym of its own, because the difference of two ids tells of both.
  ConnectionId of(ConnectionId stands, ConnectionId right) const;
  // Fills `out` with bytes that depend on `bytes` as a whole and on `domain`, and on nothing else.
  void replace(char domain, ByteView bytes, MutableBytes out) const;

 private:
  std::uint32_t ipv4(std::uint32_t address) const;
  std::uint32_t permuted(std::uint32_t value, int bits) const;
  void permute(ByteView prefix, MutableBytes rest) const;

  Key key_;
  std::map<SocketAddress, SocketAddress> addresses_;  // with port 0
};

}  // namespace mxp::dump
