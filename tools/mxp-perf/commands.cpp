#include "mxp-perf/commands.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/counted.h"
#include "common/escape.h"
#include "common/key_files.h"
#include "common/observe/observation.h"
#include "common/resolve.h"
#include "common/signals.h"
#include "common/units.h"
#include "mxp-perf/baseline/tls_baseline.h"
#include "mxp-perf/capacity/capacity.h"
#include "mxp-perf/client/client.h"
#include "mxp-perf/client/client_limits.h"
#include "mxp-perf/config_json.h"
#include "mxp-perf/emulated_link.h"
#include "mxp-perf/limits/limits.h"
#include "mxp-perf/memory.h"
#include "mxp-perf/partner.h"
#include "mxp-perf/server.h"
#include "mxp/event_loop.h"

namespace mxp::perf {

using tools::ErrorKind;

namespace {

// `connections`: how many connections are known to come; later each gets the share of the memory that its client's
// request implies (server.cpp).
EndpointConfig server_config(const Options& options, PrivateKey identity, AddressFamily family, unsigned connections) {
  EndpointConfig config{.identity = std::move(identity), .accept = true, .suites = options.suites};
  config.transport.max_udp_payload = options.udp_payload(family);
  config.transport.recovery.congestion_control = options.congestion_control;
  config.transport.flow_control = shared_flow_control(connections);
  // All connections of a client are of one key, and those of its last test may not be forgotten yet.
  config.limits.max_connections_per_key = 4 * kMaxConnections;
  config.transport.flow_control.max_streams_bidirectional = kMaxStreams + 1;  // the control stream
  config.transport.flow_control.max_streams_unidirectional = kMaxStreams;
  config.transport.datagrams.max_payload = kLargestDatagram;
  return config;
}

// Prints and writes the result, and holds it against the user's bounds. One that was `cut_short` is not held against
// them: the reason stands beside it.
tools::Result<void> deliver(const Options& options, const Result& result,
                            const std::optional<tools::ToolError>& cut_short, ResultSinks& sinks) {
  std::optional<tools::ToolError> error = cut_short;
  if (!error) error = broken_assertions(options.assertions, result);
  nlohmann::json document = to_json(result);
  document["config"].update(config_of(options));
  if (error) document.update(to_json(*error));
  const auto written = sinks.deliver(result, document, error);
  std::string text = to_text(result);
  if (!options.link.empty()) text += fmt::format("link      {}\n", tools::escape(options.link));
  const auto printed = sinks.print(text);  // even if the JSON found no room
  if (!written) return written;
  if (!printed) return printed;
  if (error) return std::unexpected(*error);
  return {};
}

tools::Result<void> add_limits(const Options& options, const tools::SignalWatch& signals, Result& result) {
  if (!options.measure_limits) return {};
  const auto interrupted = tools::fail(ErrorKind::interrupted,
                                       "interrupted after the test, whose result is whole; its limits are not there");
  const auto udp = measure_udp(result.datagram_bytes, kLimitDuration);
  if (signals.received() != 0) return interrupted;
  if (!udp) return std::unexpected(udp.error());
  const auto sealed =
      measure_sealed(result.datagram_bytes, result.suite == "chacha20" ? Suite::chacha20_poly1305 : Suite::aes_256_gcm,
                     kLimitDuration);
  if (signals.received() != 0) return interrupted;
  if (!sealed) return std::unexpected(sealed.error());
  result.udp_bits_per_second = *udp;
  result.sealed_bits_per_second = *sealed;
  return {};
}

tools::Result<void> measure(const Options& options, tools::Output& output, const std::vector<SocketAddress>& server,
                            const PublicKey& key, ResultSinks& sinks, std::vector<pid_t> partners = {}) {
  const tools::SignalWatch signals;
  auto identity = tools::key_of_file_or_new(options.identity_file, system_random());
  if (!identity) return std::unexpected(identity.error());
  if (options.command == Command::find_capacity)
    return search_capacity(options, output, sinks, signals, [&](const Options& trial) -> ClientResult {
      const auto watched = tools::Observation::create(trial.observe, "mxp-perf", output);
      if (!watched) return {.result = {}, .error = watched.error()};
      Client client(trial, output, partners);
      return client.run(server, key, *identity, signals, **watched);
    });
  const auto observation = tools::Observation::create(options.observe, "mxp-perf", output);
  if (!observation) return std::unexpected(observation.error());
  Client client(options, output, std::move(partners));
  client.on_interval = [&](const IntervalRate& rate) { sinks.interval(rate); };
  sinks.begin();
  ClientResult outcome = client.run(server, key, *identity, signals, **observation);
  if (!outcome.result) return std::unexpected(*outcome.error);
  if (!outcome.error && options.tls_baseline) {
    output.verbose("the test is over; the same work over TLS");
    auto tls = measure_tls(options, outcome.result->suite, signals);
    if (signals.received() != 0)
      outcome.error = tools::ToolError{ErrorKind::interrupted,
                                       "interrupted after the test, whose result is whole; its baseline is not there"};
    else if (!tls) outcome.error = tls.error();  // the result of the test is there all the same
    else outcome.result->tls = *tls;
  }
  if (!outcome.error) {
    if (options.measure_limits) output.verbose("the test is over; measuring the limits of this machine");
    if (auto limits = add_limits(options, signals, *outcome.result); !limits) {
      if (limits.error().kind != ErrorKind::interrupted) return limits;
      outcome.error = limits.error();
    }
  }
  return deliver(options, *outcome.result, outcome.error, sinks);
}

// `target`: the server as HOST:PORT; `server`: its addresses.
tools::Result<void> measure_over_link(const Options& options, tools::Output& output, std::vector<SocketAddress> server,
                                      const std::string& target, const PublicKey& key, ResultSinks& sinks) {
  std::optional<EmulatedLink> link;
  if (!options.link.empty()) {
    auto started = EmulatedLink::start(options.link, target);
    if (!started) return std::unexpected(started.error());
    link.emplace(*std::move(started));
    server = {link->address()};
  }
  std::vector<pid_t> partners;
  if (link) partners.push_back(link->process());
  return measure(options, output, server, key, sinks, std::move(partners));
}

nlohmann::json to_json(const LimitMode& mode) {
  nlohmann::json entry = {{"name", mode.name}};
  if (mode.datagram_bytes) entry["datagram_bytes"] = *mode.datagram_bytes;
  if (mode.bits_per_second) entry["bits_per_second"] = *mode.bits_per_second;
  if (mode.ns_per_op) entry["ns_per_op"] = *mode.ns_per_op;
  if (mode.us) entry["us"] = {{"p50", mode.us->p50_us}, {"p99", mode.us->p99_us}};
  return entry;
}

std::string to_text(const LimitMode& mode) {
  std::string line = fmt::format("{:<20}", mode.name);
  line += mode.datagram_bytes ? fmt::format("{:>7} B  ", *mode.datagram_bytes) : std::string(11, ' ');
  if (mode.bits_per_second) line += tools::format_bit_rate(*mode.bits_per_second);
  if (mode.ns_per_op) line += fmt::format("{:.0f} ns", *mode.ns_per_op);
  if (mode.us) line += fmt::format("p50 {:.1f} us, p99 {:.1f} us", mode.us->p50_us, mode.us->p99_us);
  return line;
}

}  // namespace

tools::Result<void> run_server(const Options& options, tools::Output& output, ResultSinks& sinks) {
  const tools::SignalWatch signals;
  auto identity = tools::key_of_file_or_new(options.identity_file, system_random());
  if (!identity) return std::unexpected(identity.error());
  EndpointConfig config = server_config(options, std::move(*identity), options.listen.family, 1);
  Server server(options.server_limits);
  if (!options.authorized_keys_file.empty()) {
    auto keys = tools::load_authorized_keys(options.authorized_keys_file);
    if (!keys) return std::unexpected(keys.error());
    const auto entry_of = [keys = std::move(*keys)](const PublicKey& client) {
      const auto found = std::ranges::find(keys, client, &tools::AuthorizedKey::key);
      return found == keys.end() ? std::nullopt : std::optional(*found);
    };
    config.authorize = [entry_of](const PublicKey& client) { return entry_of(client).has_value(); };
    server.name_of = [entry_of](const PublicKey& client) {
      const auto entry = entry_of(client);
      return entry ? entry->name : std::string();
    };
  }
  const auto observation = tools::Observation::create(options.observe, "mxp-perf", output);
  if (!observation) return std::unexpected(observation.error());
  auto loop = EventLoop::create({.bind = options.listen}, std::move(config), server, &(*observation)->sink());
  if (!loop) return tools::fail(ErrorKind::network, loop.error().message);
  server.attach(**loop);
  (*observation)->attach(**loop);
  server.waiting = options.waiting;
  LoopRun running(**loop, options.waiting);
  server.on_client_gone = [&](const Account& account) {
    output.summary(to_text(account));
    (void)sinks.json().write_line(to_json(account));  // json.status() tells at the end
  };
  const SocketAddress shown = tools::dialable((*loop)->local_address());
  output.line(fmt::format("listening mxp://{}@{}", (*loop)->endpoint().public_key().to_string(), shown.to_string()));
  (*loop)->watch(signals.fd(), FdEvent::readable, [&] {
    (*loop)->unwatch(signals.fd());  // it stays readable
    (*loop)->endpoint().close_all(static_cast<AppErrorCode>(AppCode::interrupted), "the server was interrupted");
    running.stop_when_closed(kCloseLimit);
  });
  if (auto ran = running.run(); !ran) return tools::fail(ErrorKind::network, ran.error().message);
  if (!sinks.json().status()) return sinks.json().status();
  output.summary("served " + tools::counted(server.clients_served(), "test"));
  return tools::fail(ErrorKind::interrupted, "interrupted");
}

tools::Result<void> run_client(const Options& options, tools::Output& output, ResultSinks& sinks) {
  const auto server = tools::resolve_all(options.url.host, options.url.port);
  if (!server) return std::unexpected(server.error());
  const std::string target = tools::host_port(options.url.host, options.url.port);
  return measure_over_link(options, output, *server, target, *options.url.key, sinks);
}

tools::Result<void> run_both(const Options& options, tools::Output& output, ResultSinks& sinks) {
  const PrivateKey server_key = PrivateKey::generate(system_random());
  const auto partner = Partner::start([&](int told) {
    Server server;
    auto loop = EventLoop::create({.bind = SocketAddress::ipv4(127, 0, 0, 1, 0)},
                                  server_config(options, server_key, AddressFamily::ipv4, options.workload.connections),
                                  server);
    if (!loop) return 1;
    server.attach(**loop);
    const std::uint16_t port = (*loop)->local_address().port;
    if (write(told, &port, sizeof port) != static_cast<ssize_t>(sizeof port)) return 1;
    server.waiting = options.waiting;
    return LoopRun(**loop, options.waiting).run() ? 0 : 1;
  });
  if (!partner) return std::unexpected(partner.error());
  std::uint16_t port = 0;
  if (read(partner->from_it(), &port, sizeof port) != static_cast<ssize_t>(sizeof port))
    return tools::fail(ErrorKind::network, "the server process could not listen on loopback");
  const SocketAddress server = SocketAddress::ipv4(127, 0, 0, 1, port);
  return measure_over_link(options, output, {server}, server.to_string(), server_key.public_key(), sinks);
}

tools::Result<void> run_limits(const Options& options, tools::Output& output, ResultSinks& sinks) {
  const tools::SignalWatch signals;
  nlohmann::json list = nlohmann::json::array();
  std::string text;
  const auto measured = measure_all_limits(options.mtu, [&](const LimitMode& mode) {
    // A measurement that was interrupted by a signal is not whole.
    if (signals.received() != 0) return TakeMore::no;
    list.push_back(to_json(mode));
    text += to_text(mode) + "\n";
    output.verbose(to_text(mode));
    return TakeMore::yes;
  });
  nlohmann::json document = {{"schema", kSchemaName}};
  tools::Result<void> result;
  if (signals.received() != 0) {
    if (list.empty()) return tools::fail(ErrorKind::interrupted, "interrupted before anything was measured");
    result = tools::fail(ErrorKind::interrupted, "interrupted after " + tools::counted(list.size(), "measurement"));
    document.update(to_json(result.error()));
  } else if (!measured) {
    return measured;
  }
  document["limits"] = {{"modes", std::move(list)}};
  const auto written = sinks.json().write_document(document);
  const auto printed = sinks.print(text);
  if (!written) return written;
  if (!printed) return printed;
  return result;
}

}  // namespace mxp::perf
