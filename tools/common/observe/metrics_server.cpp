#include "common/observe/metrics_server.h"

#include <fmt/format.h>
#include <prometheus/exposer.h>

#include <csignal>
#include <exception>
#include <optional>

#include "common/escape.h"
#include "common/observe/metrics_families.h"
#include "common/resolve.h"

namespace mxp::tools {
namespace {

// Signals are for the thread of the event loop. New threads inherit the mask.
class SignalsForMainThread {
 public:
  SignalsForMainThread() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsForMainThread() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

// "9100" is for this machine alone, unlike the port of a listener: metrics say who is served, and ask for no key.
Result<SocketAddress> read_address(const std::string& text) {
  const bool port_alone = text.find_first_not_of("0123456789") == std::string::npos;
  auto address = parse_listen_address(port_alone ? "127.0.0.1:" + text : text);
  if (!address) return fail(ErrorKind::usage, fmt::format("--metrics {}: {}", escape(text), address.error().message));
  return address;
}

}  // namespace

struct MetricsServer::Parts {
  std::shared_ptr<MetricsCollectable> collectable;
  std::optional<prometheus::Exposer> exposer;
};

Result<std::unique_ptr<MetricsServer>> MetricsServer::start(const std::string& address, const std::string& tool,
                                                            const TransportMetrics& metrics) {
  const auto bind = read_address(address);
  if (!bind) return std::unexpected(bind.error());
  auto parts = std::make_unique<Parts>();
  parts->collectable = std::make_shared<MetricsCollectable>(metrics, tool);
  try {  // the library tells by exceptions what does not work
    const SignalsForMainThread blocked;
    parts->exposer.emplace(bind->to_string(), 1);
    parts->exposer->RegisterCollectable(parts->collectable);
  } catch (const std::exception&) {
    return fail(ErrorKind::network,
                fmt::format("cannot serve metrics at {} (--metrics): is the port taken, or the address not of this "
                            "machine?",
                            bind->to_string()));
  }
  SocketAddress shown = *bind;
  if (const auto ports = parts->exposer->GetListeningPorts(); !ports.empty())
    shown.port = static_cast<std::uint16_t>(ports.front());
  std::unique_ptr<MetricsServer> server(new MetricsServer(std::move(parts)));
  server->url_ = fmt::format("http://{}/metrics", dialable(shown).to_string());
  return server;
}

MetricsServer::MetricsServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
MetricsServer::~MetricsServer() = default;

}  // namespace mxp::tools
