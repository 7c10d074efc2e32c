// The clients of the relay: one entry for each client address. Each has a socket of its own towards the target, as a
// client behind a NAT has a port.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "mxp-netem/link_group.h"
#include "mxp-netem/relay_socket.h"
#include "mxp/address.h"
#include "mxp/time.h"
#include "netem/link.h"

namespace mxp::tools {

struct Client {
  netem::FlowId flow = 0;  // in the order of first datagrams
  SocketAddress address;
  std::optional<SocketAddress> reached_at;  // our address that it sends to, without port
  RelaySocket upstream;
  // After a rebinding the old socket stays open and nobody reads from it, as with a NAT that has forgotten the port. If
  // it were closed, ICMP errors would tell the target.
  std::optional<RelaySocket> retired;
  Timestamp last_seen;
  LinkPair* links = nullptr;
};

class ClientTable {
 public:
  // Our choices: RFC 4787 REQ-5 recommends five minutes for a NAT's UDP mappings, and each client costs a descriptor.
  static constexpr Duration kIdle = std::chrono::minutes(5);
  static constexpr std::size_t kMost = 4096;

  Client* find(const SocketAddress& address);
  Client* find(netem::FlowId flow);
  bool full() const { return by_address_.size() >= kMost; }
  std::size_t size() const { return by_address_.size(); }
  // REQUIRES: not full, address unknown.
  Client& add(const SocketAddress& address, RelaySocket upstream, Timestamp now);

  // Removes the clients that have been idle for kIdle, and returns them.
  std::vector<std::unique_ptr<Client>> take_idle(Timestamp now);

  template <typename Visit>
  void for_each(Visit visit) {
    for (auto& [address, client] : by_address_) visit(*client);
  }

  std::uint64_t ever() const { return next_flow_; }

 private:
  std::map<SocketAddress, std::unique_ptr<Client>> by_address_;
  std::unordered_map<netem::FlowId, Client*> by_flow_;
  netem::FlowId next_flow_ = 0;
};

}  // namespace mxp::tools
