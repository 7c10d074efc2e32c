#include "mxp-netem/api/proxy.h"

#include <utility>

namespace mxp::tools {

netem::LinkState ProxyLinks::operator()(netem::Direction direction, std::uint64_t client) const {
  netem::LinkState link{.spec = direction == netem::Direction::up ? up : down, .blocked = !enabled};
  // What a `spec` says is the link that the others then make worse.
  for (const bool whole : {true, false}) {
    for (const Toxic& toxic : toxics) {
      if (toxic.direction == direction && (toxic.type == "spec") == whole && toxic.is_for(client, seed))
        toxic.apply_to(link);
    }
  }
  return link;
}

Proxy::Proxy(std::string name, Options options, std::string upstream, Relay& relay)
    : name_(std::move(name)),
      options_(std::move(options)),
      upstream_(std::move(upstream)),
      links_{.up = options_.up(), .down = options_.down(), .toxics = {}, .enabled = true, .seed = options_.seed},
      relay_(&relay) {}

Result<std::unique_ptr<Proxy>> Proxy::open(std::string name, Options options, std::string upstream, Output& output) {
  auto relay = Relay::open(options, nullptr, output);
  if (!relay) return std::unexpected(relay.error());
  (*relay)->start();
  auto proxy = std::make_unique<Proxy>(std::move(name), std::move(options), std::move(upstream), **relay);
  proxy->own_relay_ = std::move(*relay);
  return proxy;
}

nlohmann::json Proxy::json() const {
  nlohmann::json all = nlohmann::json::array();
  for (const Toxic& toxic : links_.toxics) all.push_back(toxic.json());
  return {{"name", name_},
          {"listen", listen()},
          {"upstream", upstream_},
          {"enabled", links_.enabled},
          {"toxics", all},
          {"up", netem::to_string(links_.up)},
          {"down", netem::to_string(links_.down)},
          {"per_client", per_client()},
          {"seed", options_.seed}};
}

void Proxy::set_links(ProxyLinks links) {
  links_ = std::move(links);
  relay_->choose_links(links_);
}

}  // namespace mxp::tools
