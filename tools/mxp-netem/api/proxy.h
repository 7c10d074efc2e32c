// A proxy as Toxiproxy's clients see it: a name, where it listens, where it sends to, toxics. Behind it stands a relay.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "mxp-netem/api/toxic.h"
#include "mxp-netem/options.h"
#include "mxp-netem/relay.h"

namespace mxp::tools {

// The part of a proxy that says what the links of its clients are. It owns all that it uses, so a copy of it serves as
// the relay's LinkGroup::Chooser.
struct ProxyLinks {
  netem::LinkSpec up;
  netem::LinkSpec down;
  std::vector<Toxic> toxics;  // in the order in which they were added
  bool enabled = true;
  std::uint64_t seed = 0;

  netem::LinkState operator()(netem::Direction direction, std::uint64_t client) const;
};

class Proxy {
 public:
  // Takes over a relay that runs already.
  Proxy(std::string name, Options options, std::string upstream, Relay& relay);
  // Opens one. `upstream` is how the client wrote it.
  static Result<std::unique_ptr<Proxy>> open(std::string name, Options options, std::string upstream, Output& output);

  const std::string& name() const { return name_; }
  const Options& options() const { return options_; }
  const std::string& upstream() const { return upstream_; }
  std::string listen() const { return relay_->local().to_string(); }
  Relay& relay() { return *relay_; }
  const Relay& relay() const { return *relay_; }
  // Whether each client has a link of its own.
  bool per_client() const { return options_.plans.back().sharing == LinkSharing::one_for_each; }
  nlohmann::json json() const;

  const ProxyLinks& links() const { return links_; }
  // All at once: no packet sees a part of it.
  void set_links(ProxyLinks links);

 private:
  std::string name_;
  Options options_;
  std::string upstream_;
  ProxyLinks links_;
  std::unique_ptr<Relay> own_relay_;
  Relay* relay_;
};

}  // namespace mxp::tools
