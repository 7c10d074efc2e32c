// Which links there are to be, and for whom: what the command line and a scenario file come to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "mxp/address.h"
#include "netem/timeline.h"

namespace mxp::tools {

// Clients by address, "10.0.0.0/8", or by number, in the order of their first datagrams, from 1.
struct ClientMatch {
  std::optional<SocketAddress> network;  // without port
  unsigned prefix_bits = 0;
  std::optional<std::uint64_t> number;
  bool operator()(const SocketAddress& client, std::uint64_t client_number) const;
};
// Nothing for anything else than an address, or one with /BITS.
std::optional<ClientMatch> parse_network(std::string_view text);

enum class LinkSharing : std::uint8_t { one_for_all, one_for_each };

struct LinkPlan {
  std::string name;   // of the clients that it is for; empty: all others
  ClientMatch match;  // with a name only
  LinkSharing sharing = LinkSharing::one_for_all;
  netem::Timeline timeline;
};

}  // namespace mxp::tools
