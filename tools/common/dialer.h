// A client's attempts to reach a server that has several addresses (RFC 8305 §5): one after the other, each begun 250
// ms after the last or as soon as that has failed. The first that answers wins and the others are given up.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/tool_error.h"
#include "mxp/address.h"
#include "mxp/event_loop.h"
#include "mxp/keys.h"

namespace mxp::tools {

// The local address from which all of `addresses` can be reached. Those of a family that the system does not have are
// left out of the list. REQUIRES: `addresses` is not empty.
SocketAddress local_address_for(std::vector<SocketAddress>& addresses);

class Dialer {
 public:
  // `loop` outlives the dialer. REQUIRES: `addresses` is not empty.
  Dialer(EventLoop& loop, std::vector<SocketAddress> addresses, const PublicKey& key);
  ~Dialer();
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  // Begins with the first address.
  Result<void> start();
  // No attempt is begun any more.
  void stop();

  // `connection` has been answered: true if it is the first, false if it comes too late.
  bool on_connected(const Connection& connection);
  // `connection` has ended without an answer: whether the server may still be reached, or has been, over another.
  bool on_failed(const Connection& connection);

  // "192.0.2.1:9000", or "192.0.2.1:9000 and [2001:db8::1]:9000": what has been tried.
  std::string tried() const;

 private:
  Result<void> begin_next();
  void begin_next_later();

  EventLoop& loop_;
  std::vector<SocketAddress> addresses_;
  PublicKey key_;
  std::size_t begun_ = 0;               // of addresses_
  std::vector<Connection*> under_way_;  // attempts that have neither ended nor won
  std::optional<std::uint64_t> timer_;
  bool won_ = false;
};

}  // namespace mxp::tools
