// A client of mxp-perf whose server's name has several addresses (RFC 8305).
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <memory>
#include <thread>

#include "common/observe/observation.h"
#include "common/output.h"
#include "common/signals.h"
#include "mxp-perf/client/client.h"
#include "mxp-perf/server.h"
#include "mxp/event_loop.h"

using namespace mxp;
using namespace mxp::perf;
using namespace std::chrono_literals;

namespace {

const SocketAddress kLoopback = SocketAddress::ipv4(127, 0, 0, 1, 0);

// A server that runs beside the test.
struct RunningServer {
  Server handler;
  std::unique_ptr<EventLoop> loop;
  std::thread thread;
  RunningServer() {
    EndpointConfig config{.identity = PrivateKey::generate(system_random()), .accept = true};
    config.transport.flow_control.max_streams_unidirectional = kMaxStreams;
    auto made = EventLoop::create({.bind = kLoopback}, std::move(config), handler);
    BOOST_REQUIRE(made.has_value());
    loop = *std::move(made);
    handler.attach(*loop);
    thread = std::thread([this] { (void)loop->run(); });
  }
  ~RunningServer() {
    loop->stop();
    thread.join();
  }
  SocketAddress address() const { return loop->local_address(); }
};

// An address of which the system says that nobody listens there.
SocketAddress refused_address() {
  Handler handler;
  const auto gone =
      EventLoop::create({.bind = kLoopback}, {.identity = PrivateKey::generate(system_random())}, handler);
  BOOST_REQUIRE(gone.has_value());
  return (*gone)->local_address();
}

ClientResult measure(std::vector<SocketAddress> addresses, const PublicKey& server_key) {
  Options options;
  options.workload.duration = 500ms;
  options.workload.connections = 3;
  tools::Output output("mxp-perf", tools::Verbosity::quiet);
  const tools::SignalWatch signals;
  const auto observation = tools::Observation::create({}, "mxp-perf", output);
  BOOST_REQUIRE(observation.has_value());
  return Client(options, output)
      .run(std::move(addresses), server_key, PrivateKey::generate(system_random()), signals, **observation);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(perf_addresses)

BOOST_AUTO_TEST_CASE(all_connections_go_to_the_address_that_answers) {
  RunningServer server;
  const ClientResult result = measure({refused_address(), server.address()}, server.loop->endpoint().public_key());
  BOOST_TEST(!result.error.has_value());
  BOOST_REQUIRE(result.result.has_value());
  BOOST_TEST(result.result->transport.connections == 3u);
  BOOST_TEST(result.result->bytes > 0u);
}

BOOST_AUTO_TEST_CASE(the_error_names_all_addresses_that_were_tried) {
  const SocketAddress one = refused_address();
  const SocketAddress other = refused_address();
  const ClientResult result = measure({one, other}, PrivateKey::generate(system_random()).public_key());
  BOOST_TEST(!result.result.has_value());
  BOOST_REQUIRE(result.error.has_value());
  BOOST_TEST((result.error->kind == tools::ErrorKind::network));
  BOOST_TEST(result.error->message ==
             one.to_string() + " and " + other.to_string() + ": nobody listens there (port unreachable)");
}

BOOST_AUTO_TEST_SUITE_END()
