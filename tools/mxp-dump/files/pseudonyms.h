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

  // Another address of the same kind: loopback (kept as it is), private, link-local, carrier-grade NAT, multicast,
  // public. For IPv4 no two addresses get one pseudonym; for IPv6 they do with a chance of 2^-100. The port stays.
  SocketAddress of(const SocketAddress& address);
  ConnectionId of(ConnectionId id) const;
  // Fills `out` with bytes that depend on `bytes` as a whole and on `domain`, and on nothing else.
  void replace(char domain, ByteView bytes, MutableBytes out) const;

 private:
  std::uint32_t ipv4(std::uint32_t address) const;
  std::uint32_t shuffle(std::uint32_t value) const;

  Key key_;
  std::map<SocketAddress, SocketAddress> addresses_;  // with port 0
};

}  // namespace mxp::dump
