// The relay's clients: each gets a socket of its own towards the target, another one as it is rebound, and is forgotten
// when it has been idle.
#include <fmt/format.h>
#include <sys/epoll.h>

#include "mxp-netem/relay.h"
#include "mxp-netem/source_addresses.h"

namespace mxp::tools {
namespace {

// Our choice: a NAT that gives out another port often keeps its address, so the address moves with every third
// rebinding only.
constexpr std::uint64_t kRebindingsPerAddress = 3;

}  // namespace

Client* Relay::client_for(const InDatagram& datagram, Timestamp now) {
  if (Client* known = clients_.find(datagram.from)) return known;
  std::string problem;
  if (clients_.full()) {
    problem = fmt::format("{} clients are being relayed, which is the most", ClientTable::kMost);
  } else if (auto upstream = connect_to_target(); !upstream) {
    problem = upstream.error().message;
  } else {
    Client& added = clients_.add(datagram.from, std::move(*upstream), now);
    added.links = &links_.join(added.address, added.flow + 1);
    if (auto watched = watch(added.upstream.fd(), kFirstClientTag + added.flow); !watched)
      output_.warning(watched.error().message);
    output_.verbose(fmt::format("client {} is flow {}, towards the target from {}", added.address.to_string(),
                                added.flow, added.upstream.local().to_string()));
    return &added;
  }
  if (!warned_refused_)
    output_.warning(fmt::format("datagrams of the new client {} are dropped: {}", datagram.from.to_string(), problem));
  warned_refused_ = true;
  return nullptr;
}

// The first address is the kernel's own choice, which it may make anew when routes change.
Result<RelaySocket> Relay::connect_to_target() const {
  if (source_ == 0) return RelaySocket::connect(options_.target);
  return RelaySocket::connect(options_.target, sources_[source_]);
}

void Relay::rebind(const LinkGroup& group) {
  if (rebindings_ == 0) sources_ = source_addresses(options_.target);
  if (++rebindings_ % kRebindingsPerAddress == 0 && !sources_.empty()) source_ = (source_ + 1) % sources_.size();
  clients_.for_each([&](Client& client) {
    if (client.links->group != &group) return;
    auto fresh = connect_to_target();
    if (!fresh) {
      output_.warning(fmt::format("flow {} keeps its port: {}", client.flow, fresh.error().message));
      return;
    }
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, client.upstream.fd(), nullptr);
    health_.socket_drops += client.upstream.kernel_drops();
    client.retired = std::move(client.upstream);
    client.upstream = std::move(*fresh);
    if (auto watched = watch(client.upstream.fd(), kFirstClientTag + client.flow); !watched)
      output_.warning(watched.error().message);
    output_.verbose(fmt::format("flow {} rebound to {}", client.flow, client.upstream.local().to_string()));
  });
}

void Relay::close_client(Client& client) {
  health_.socket_drops += client.upstream.kernel_drops();
  links_.leave(*client.links, client.flow);
  output_.verbose(fmt::format("flow {} forgotten: idle for {} minutes", client.flow,
                              std::chrono::duration_cast<std::chrono::minutes>(ClientTable::kIdle).count()));
}

SocketAddress Relay::reached_address(const Client& client) const {
  SocketAddress address = client.reached_at.value_or(listener_.local());
  address.port = listener_.local().port;
  return address;
}

}  // namespace mxp::tools
