#include "mxp-netem/api/proxy_registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/resolve.h"

namespace mxp::tools {
namespace {

constexpr int kBadRequest = 400;
constexpr int kNotFound = 404;
constexpr int kConflict = 409;
constexpr int kServerError = 500;

std::unexpected<ApiError> no_such_proxy() { return api_error(kNotFound, "proxy not found"); }
std::unexpected<ApiError> no_such_toxic() { return api_error(kNotFound, "toxic not found"); }

ApiResult<std::optional<netem::LinkSpec>> spec_member(const nlohmann::json& json, const char* name) {
  const auto text = text_member(json, name);
  if (!text) return std::unexpected(text.error());
  if (!*text) return std::nullopt;
  auto spec = spec_of_request(**text);
  if (!spec) return bad_body(fmt::format("{}: {}", name, spec.error()));
  return *spec;
}

ApiResult<void> read_addresses(const nlohmann::json& json, ProxyRequest& request) {
  const auto listen = text_member(json, "listen");
  if (!listen) return std::unexpected(listen.error());
  const auto upstream = text_member(json, "upstream");
  if (!upstream) return std::unexpected(upstream.error());
  if (*listen && !(*listen)->empty()) {
    const auto address = parse_listen_address(**listen);
    if (!address) return api_error(kBadRequest, address.error().message);
    request.listen = *address;
  }
  if (*upstream && !(*upstream)->empty()) {
    const auto target = parse_host_port(**upstream);
    if (!target) return api_error(kBadRequest, target.error().message);
    request.target = *target;
    request.upstream = **upstream;
  }
  return {};
}

ApiResult<void> read_toxics(const nlohmann::json& json, ProxyRequest& request) {
  const auto found = json.find("toxics");
  if (found == json.end() || found->is_null()) return {};
  if (!found->is_array()) return bad_body("toxics is a list");
  std::vector<Toxic> toxics;
  for (const nlohmann::json& one : *found) {
    auto toxic = toxic_from(one);
    if (!toxic) return std::unexpected(toxic.error());
    if (std::any_of(toxics.begin(), toxics.end(), [&](const Toxic& other) { return other.name == toxic->name; }))
      return api_error(kConflict, "toxic already exists");
    if (toxics.size() == ProxyRegistry::kMostToxics)
      return bad_body(fmt::format("a proxy has at most {} toxics", ProxyRegistry::kMostToxics));
    toxics.push_back(std::move(*toxic));
  }
  request.toxics = std::move(toxics);
  return {};
}

// What a request says of the links, in place of what was.
ProxyLinks merged(ProxyLinks links, const ProxyRequest& request, std::uint32_t header_bytes) {
  if (request.up) links.up = *request.up;
  if (request.down) links.down = *request.down;
  links.up.header_bytes = links.down.header_bytes = header_bytes;
  if (request.toxics) links.toxics = *request.toxics;
  if (request.enabled) links.enabled = *request.enabled;
  return links;
}

// The one that would make this proxy as it is.
ProxyRequest request_for(const Proxy& proxy) {
  const ProxyLinks& links = proxy.links();
  return {.name = proxy.name(),
          .listen = proxy.relay().local(),
          .target = proxy.options().target,
          .upstream = proxy.upstream(),
          .enabled = links.enabled,
          .per_client = proxy.per_client(),
          .up = links.up,
          .down = links.down,
          .toxics = links.toxics};
}

// What a request leaves open stays as it was.
ProxyRequest completed(ProxyRequest request, const ProxyRequest& former) {
  request.name = former.name;
  if (!request.listen) request.listen = former.listen;
  if (!request.target) {
    request.target = former.target;
    request.upstream = former.upstream;
  }
  if (!request.up) request.up = former.up;
  if (!request.down) request.down = former.down;
  if (!request.toxics) request.toxics = former.toxics;
  if (!request.enabled) request.enabled = former.enabled;
  if (!request.per_client) request.per_client = former.per_client;
  return request;
}

// Whether a request names another address than a proxy has.
bool moves(const ProxyRequest& request, const Proxy& proxy) {
  return (request.listen && *request.listen != proxy.relay().local()) ||
         (request.target && *request.target != proxy.options().target);
}

}  // namespace

ApiResult<ProxyRequest> proxy_request_from(const nlohmann::json& json) {
  if (!json.is_object()) return bad_body("an object is expected");
  ProxyRequest request;
  const auto name = text_member(json, "name");
  if (!name) return std::unexpected(name.error());
  if (*name && (*name)->size() > kMostNameBytes)
    return bad_body(fmt::format("name has more than {} bytes", kMostNameBytes));
  request.name = *name;
  const auto enabled = flag_member(json, "enabled");
  if (!enabled) return std::unexpected(enabled.error());
  request.enabled = *enabled;
  const auto per_client = flag_member(json, "per_client");
  if (!per_client) return std::unexpected(per_client.error());
  request.per_client = *per_client;
  for (const char* member : {"spec", "up", "down"}) {
    const auto spec = spec_member(json, member);
    if (!spec) return std::unexpected(spec.error());
    if (!*spec) continue;
    if (std::string_view(member) != "down") request.up = *spec;
    if (std::string_view(member) != "up") request.down = *spec;
  }
  if (auto read = read_addresses(json, request); !read) return std::unexpected(read.error());
  if (auto read = read_toxics(json, request); !read) return std::unexpected(read.error());
  return request;
}

Proxy* ProxyRegistry::find(const std::string& name) {
  const auto found =
      std::find_if(proxies_.begin(), proxies_.end(), [&](const auto& proxy) { return proxy->name() == name; });
  return found == proxies_.end() ? nullptr : found->get();
}

nlohmann::json ProxyRegistry::all() const {
  nlohmann::json json = nlohmann::json::object();
  for (const auto& proxy : proxies_) json[proxy->name()] = proxy->json();
  return json;
}

ApiResult<std::unique_ptr<Proxy>> ProxyRegistry::make(const ProxyRequest& request) {
  Options options = defaults_;
  options.listen = request.listen.value_or(SocketAddress::ipv4(127, 0, 0, 1, 0));
  options.target = *request.target;
  // As there, each client has a connection of its own, and the toxics are of the connection.
  const bool per_client = request.per_client.value_or(true);
  LinkPlan plan;
  plan.sharing = per_client ? LinkSharing::one_for_each : LinkSharing::one_for_all;
  const auto header_bytes = static_cast<std::uint32_t>(ip_and_udp_headers(options.target.family));
  plan.timeline.up = request.up.value_or(netem::LinkSpec{});
  plan.timeline.down = request.down.value_or(netem::LinkSpec{});
  plan.timeline.up.header_bytes = plan.timeline.down.header_bytes = header_bytes;
  options.plans = {std::move(plan)};
  auto proxy = Proxy::open(*request.name, std::move(options), *request.upstream, output_);
  if (!proxy)
    return api_error(proxy.error().kind == ErrorKind::usage ? kBadRequest : kServerError, proxy.error().message);
  (*proxy)->set_links(merged((*proxy)->links(), request, header_bytes));
  return std::move(*proxy);
}

ApiResult<nlohmann::json> ProxyRegistry::create(const ProxyRequest& request) {
  if (!request.name || request.name->empty()) return api_error(kBadRequest, "missing required field: name");
  if (!request.target) return api_error(kBadRequest, "missing required field: upstream");
  if (find(*request.name) != nullptr) return api_error(kConflict, "proxy already exists");
  if (proxies_.size() >= kMostProxies)
    return api_error(kServerError, fmt::format("there are {} proxies, which is the most", kMostProxies));
  auto proxy = make(request);
  if (!proxy) return std::unexpected(proxy.error());
  proxies_.push_back(std::move(*proxy));
  on_added(proxies_.back()->relay());
  return proxies_.back()->json();
}

ApiResult<nlohmann::json> ProxyRegistry::show(const std::string& name) {
  const Proxy* proxy = find(name);
  if (proxy == nullptr) return no_such_proxy();
  return proxy->json();
}

// Another address is another relay, whose clients are new. A request that fails leaves what was.
ApiResult<void> ProxyRegistry::replace(Proxy& proxy, const ProxyRequest& request) {
  const ProxyRequest former = request_for(proxy);
  // The former one goes first where both want the same port, be it of different addresses: one may include the other.
  const bool same_port = request.listen && request.listen->port == former.listen->port;
  const auto place =
      std::find_if(proxies_.begin(), proxies_.end(), [&](const auto& one) { return one.get() == &proxy; });
  if (!same_port) {
    auto fresh = make(request);
    if (!fresh) return std::unexpected(fresh.error());
    on_removed(proxy.relay());
    *place = std::move(*fresh);
    on_added((*place)->relay());
    return {};
  }
  on_removed(proxy.relay());
  proxies_.erase(place);
  auto created = create(request);
  if (created) return {};
  (void)create(former);
  return std::unexpected(created.error());
}

ApiResult<nlohmann::json> ProxyRegistry::update(const std::string& name, const ProxyRequest& request) {
  Proxy* proxy = find(name);
  if (proxy == nullptr) return no_such_proxy();
  if (moves(request, *proxy)) {
    if (auto replaced = replace(*proxy, completed(request, request_for(*proxy))); !replaced)
      return std::unexpected(replaced.error());
    return show(name);
  }
  proxy->set_links(merged(proxy->links(), request, proxy->links().up.header_bytes));
  return proxy->json();
}

ApiResult<void> ProxyRegistry::remove(const std::string& name) {
  const auto found =
      std::find_if(proxies_.begin(), proxies_.end(), [&](const auto& proxy) { return proxy->name() == name; });
  if (found == proxies_.end()) return no_such_proxy();
  on_removed((*found)->relay());
  proxies_.erase(found);
  return {};
}

ApiResult<nlohmann::json> ProxyRegistry::populate(const std::vector<ProxyRequest>& requests) {
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (!requests[i].name || requests[i].name->empty())
      return api_error(kBadRequest, fmt::format("missing required field: name at proxy {}", i + 1));
    if (!requests[i].target)
      return api_error(kBadRequest, fmt::format("missing required field: upstream at proxy {}", i + 1));
  }
  nlohmann::json made = nlohmann::json::array();
  for (const ProxyRequest& request : requests) {
    if (Proxy* proxy = find(*request.name)) {
      if (!moves(request, *proxy)) {
        made.push_back(proxy->json());
        continue;
      }
      if (auto replaced = replace(*proxy, request); !replaced) return std::unexpected(replaced.error());
      made.push_back(find(*request.name)->json());
      continue;
    }
    auto created = create(request);
    if (!created) return std::unexpected(created.error());
    made.push_back(std::move(*created));
  }
  return nlohmann::json{{"proxies", made}};
}

void ProxyRegistry::reset() {
  for (const auto& proxy : proxies_) {
    ProxyLinks links = proxy->links();
    links.enabled = true;
    links.toxics.clear();
    proxy->set_links(std::move(links));
  }
}

// --- toxics ---------------------------------------------------------------------------------------------------------

namespace {

auto toxic_named(auto& toxics, const std::string& name) {
  return std::find_if(toxics.begin(), toxics.end(), [&](const Toxic& toxic) { return toxic.name == name; });
}

}  // namespace

ApiResult<nlohmann::json> ProxyRegistry::toxics(const std::string& name) {
  const Proxy* proxy = find(name);
  if (proxy == nullptr) return no_such_proxy();
  return proxy->json()["toxics"];
}

ApiResult<nlohmann::json> ProxyRegistry::add_toxic(const std::string& name, const Toxic& toxic) {
  Proxy* proxy = find(name);
  if (proxy == nullptr) return no_such_proxy();
  ProxyLinks links = proxy->links();
  if (toxic_named(links.toxics, toxic.name) != links.toxics.end()) return api_error(kConflict, "toxic already exists");
  if (links.toxics.size() >= kMostToxics) return bad_body(fmt::format("a proxy has at most {} toxics", kMostToxics));
  links.toxics.push_back(toxic);
  proxy->set_links(std::move(links));
  return toxic.json();
}

ApiResult<nlohmann::json> ProxyRegistry::show_toxic(const std::string& name, const std::string& toxic) {
  const Proxy* proxy = find(name);
  if (proxy == nullptr) return no_such_proxy();
  const std::vector<Toxic>& there = proxy->links().toxics;
  const auto found = toxic_named(there, toxic);
  if (found == there.end()) return no_such_toxic();
  return found->json();
}

ApiResult<nlohmann::json> ProxyRegistry::update_toxic(const std::string& name, const std::string& toxic,
                                                      const nlohmann::json& json) {
  Proxy* proxy = find(name);
  if (proxy == nullptr) return no_such_proxy();
  ProxyLinks links = proxy->links();
  const auto found = toxic_named(links.toxics, toxic);
  if (found == links.toxics.end()) return no_such_toxic();
  auto changed = changed_toxic(*found, json);
  if (!changed) return std::unexpected(changed.error());
  *found = *changed;
  proxy->set_links(std::move(links));
  return changed->json();
}

ApiResult<void> ProxyRegistry::remove_toxic(const std::string& name, const std::string& toxic) {
  Proxy* proxy = find(name);
  if (proxy == nullptr) return no_such_proxy();
  ProxyLinks links = proxy->links();
  const auto found = toxic_named(links.toxics, toxic);
  if (found == links.toxics.end()) return no_such_toxic();
  links.toxics.erase(found);
  proxy->set_links(std::move(links));
  return {};
}

}  // namespace mxp::tools
