// What the requests of the HTTP interface do: the verbs of Toxiproxy's API on the proxies of this process. All of it
// runs in the loop that owns the relays, one request after the other, so each takes effect at once or not at all.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/output.h"
#include "mxp-netem/api/proxy.h"
#include "mxp-netem/api/toxic.h"

namespace mxp::tools {

// A request's proxy, read and resolved before the loop hears of it: names may take their time to be looked up.
struct ProxyRequest {
  std::optional<std::string> name;
  std::optional<SocketAddress> listen;
  std::optional<SocketAddress> target;
  std::optional<std::string> upstream;  // the text of `target`
  std::optional<bool> enabled;
  std::optional<bool> per_client;
  std::optional<netem::LinkSpec> up;
  std::optional<netem::LinkSpec> down;
  std::optional<std::vector<Toxic>> toxics;
};
ApiResult<ProxyRequest> proxy_request_from(const nlohmann::json& json);

class ProxyRegistry {
 public:
  // What new proxies have in common with the command line: the seed, --spin. `output` outlives the registry.
  ProxyRegistry(Options defaults, Output& output) : defaults_(std::move(defaults)), output_(output) {
    defaults_.recording.reset();  // it is of the command line's relay
  }

  static constexpr std::size_t kMostProxies = 64;  // our choices: each has a socket and links
  static constexpr std::size_t kMostToxics = 64;   // for one proxy

  void adopt(std::unique_ptr<Proxy> proxy) { proxies_.push_back(std::move(proxy)); }

  nlohmann::json all() const;
  ApiResult<nlohmann::json> create(const ProxyRequest& request);
  ApiResult<nlohmann::json> show(const std::string& name);
  ApiResult<nlohmann::json> update(const std::string& name, const ProxyRequest& request);
  ApiResult<void> remove(const std::string& name);
  // Those that are there with the same addresses stay as they are, others are made anew.
  ApiResult<nlohmann::json> populate(const std::vector<ProxyRequest>& requests);
  // All enabled and without toxics.
  void reset();

  ApiResult<nlohmann::json> toxics(const std::string& name);
  ApiResult<nlohmann::json> add_toxic(const std::string& name, const Toxic& toxic);
  ApiResult<nlohmann::json> show_toxic(const std::string& name, const std::string& toxic);
  ApiResult<nlohmann::json> update_toxic(const std::string& name, const std::string& toxic, const nlohmann::json& json);
  ApiResult<void> remove_toxic(const std::string& name, const std::string& toxic);

  const std::vector<std::unique_ptr<Proxy>>& proxies() const { return proxies_; }
  // Told before a relay goes, and after one has come.
  std::function<void(Relay&)> on_removed = [](Relay&) {};
  std::function<void(Relay&)> on_added = [](Relay&) {};

 private:
  Proxy* find(const std::string& name);
  ApiResult<std::unique_ptr<Proxy>> make(const ProxyRequest& request);
  ApiResult<void> replace(Proxy& proxy, const ProxyRequest& request);

  Options defaults_;
  Output& output_;
  std::vector<std::unique_ptr<Proxy>> proxies_;
};

}  // namespace mxp::tools
