// What a server keeps for each connection that waits: all of the heap, OpenSSL's part included, which is more than half
// of it (five cipher contexts). A change that passes a bound costs every server with many idle clients.
#include <malloc.h>

#include <boost/test/unit_test.hpp>

#include "support/host.h"
#include "support/sanitized.h"

using namespace mxp;
using namespace mxp::test;

#ifndef MXP_SANITIZED  // with a sanitizer the heap is another one

namespace {

constexpr std::size_t kConnections = 300;

std::int64_t heap_in_use() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<std::int64_t>(info.uordblks + info.hblkhd);
}

// A server and many clients, of which only the server is measured: the clients are gone by then.
class CrowdedServer {
 public:
  explicit CrowdedServer(const EndpointConfig& server_config = config(default_server()),
                         std::size_t connections = kConnections)
      : before_(heap_in_use()), server_(server_config, kServerAddress, 1) {
    server_.app.keep_data = false;
    clients_.emplace(config(default_client()), kClientAddress, 2);
    clients_->app.keep_data = false;
    without_connections_ = heap_in_use() - before_;
    for (std::size_t i = 0; i < connections; ++i) {
      (void)clients_->endpoint.connect(now_, kServerAddress, server_.endpoint.public_key());
      run_for(1ms);
    }
  }

  Recorder& server() { return server_.app; }
  Recorder& clients() { return clients_->app; }

  void run_for(Duration span) {
    const Timestamp end = now_ + span;
    while (true) {
      for (Host* host : {&*clients_, &server_})
        if (host->endpoint.next_timeout() <= now_) host->endpoint.on_timeout(now_);
      if (pass(*clients_, server_) + pass(server_, *clients_) != 0) continue;
      const Timestamp next = std::min(clients_->endpoint.next_timeout(), server_.endpoint.next_timeout());
      if (next > end) break;
      now_ = std::max(now_, next);
    }
    now_ = end;
  }

  // Bytes for each connection, once the remembered answers are forgotten.
  std::int64_t idle_bytes() {
    run_for(20s);
    clients_.reset();
    BOOST_TEST_REQUIRE(server_.endpoint.connection_count() == kConnections);
    // The recorder of the events is the test's own.
    server_.app.connected = {};
    server_.app.opened = server_.app.ended = server_.app.finished = {};
    return (heap_in_use() - before_ - without_connections_) / static_cast<std::int64_t>(kConnections);
  }

 private:
  static EndpointConfig config(EndpointConfig base) {
    base.transport.idle_timeout = 1h;
    return base;
  }
  std::size_t pass(Host& from, Host& to) {
    return from.poll(now_, [&](const SocketAddress&, ByteView datagram) { to.receive(now_, datagram, from.address); });
  }

  Timestamp now_{1h};
  std::int64_t before_;
  std::int64_t without_connections_ = 0;
  Host server_;
  std::optional<Host> clients_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(endpoint_memory)

BOOST_AUTO_TEST_CASE(a_client_that_waits_costs_little) {
  CrowdedServer all;
  const std::int64_t bytes = all.idle_bytes();
  BOOST_TEST_MESSAGE("an idle connection: " << bytes << " bytes");
  BOOST_TEST(bytes < 11'200);
}

// Streams of both sides, small and large, that stay open with all their bytes delivered; and many that have ended.
BOOST_AUTO_TEST_CASE(what_traffic_left_behind_is_given_back) {
  CrowdedServer all;
  const auto talk = [&](Connection& connection, StreamId id, std::size_t size) {
    BOOST_TEST(connection.write(id, Bytes(size)).value_or(0) == size);
  };
  std::vector<StreamId> ids;
  for (Connection* connection : all.clients().connected)
    ids.push_back(*connection->open_stream(StreamType::bidirectional));
  const auto all_talk = [&](std::size_t size) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      talk(*all.clients().connected[i], ids[i], size);
      for (int j = 0; j < 20; ++j) {
        const StreamId small = *all.clients().connected[i]->open_stream(StreamType::unidirectional);
        talk(*all.clients().connected[i], small, 3000);
        (void)all.clients().connected[i]->finish(small);
      }
      all.run_for(1ms);
      talk(*all.server().connected[i], ids[i], size);
      all.run_for(1ms);
    }
  };
  all_talk(100'000);
  all.run_for(1s);
  const std::uint64_t once = all.server().bytes;
  all.run_for(10s);  // they rest, and then they go on where they were
  all_talk(100'000);
  all.run_for(1s);
  BOOST_TEST(all.server().bytes == 2 * once);
  const std::int64_t bytes = all.idle_bytes();
  BOOST_TEST_MESSAGE("an idle connection with an open stream: " << bytes << " bytes");
  BOOST_TEST(bytes < 12'900);
}

// Ten thousand streams of one connection that stay open after a call of 64 bytes each way.
BOOST_AUTO_TEST_CASE(ten_thousand_open_streams) {
  constexpr std::size_t kStreams = 10'000;
  EndpointConfig config = default_server();
  config.transport.idle_timeout = 1h;
  config.transport.flow_control.max_streams_bidirectional = kStreams;
  CrowdedServer all(config, 1);
  Connection& client = *all.clients().connected.front();
  all.run_for(10ms);
  const std::int64_t before = heap_in_use();
  const Bytes call(64);
  for (std::size_t opened = 0; opened < kStreams; opened += 100) {
    std::array<StreamId, 100> ids;
    for (StreamId& id : ids) {
      id = client.open_stream(StreamType::bidirectional).value();
      BOOST_TEST(client.write(id, call).value_or(0) == call.size());
    }
    all.run_for(1ms);
    for (const StreamId id : ids)
      BOOST_TEST(all.server().connected.front()->write(id, call).value_or(0) == call.size());
  }
  all.run_for(1s);
  BOOST_TEST(all.server().bytes == kStreams * call.size());
  all.server().opened = {};
  const std::int64_t both = heap_in_use() - before;
  BOOST_TEST_MESSAGE("10,000 open streams: " << both / 2 << " bytes at each end");
  BOOST_TEST(both / 2 < 10'000'000);
}

// An endpoint has room for one payload that its connections share: large ones do not stay in it.
BOOST_AUTO_TEST_CASE(room_for_a_large_payload_is_given_back_by_an_endpoint_at_rest) {
  CrowdedServer all;
  {
    const Bytes zeros(16u << 20);
    BOOST_TEST_REQUIRE(all.clients()
                           .connected.front()
                           ->send_message({.payload = zeros}, {.compress = PayloadCompression::zstd})
                           .has_value());
  }
  all.run_for(1s);
  std::uint64_t opened = 0;
  for (const Connection* connection : all.server().connected) opened += connection->stats().payloads_opened;
  BOOST_TEST(opened == 1u);
  BOOST_TEST(all.idle_bytes() < 11'200 + 800);  // zstd's context stays
}

BOOST_AUTO_TEST_SUITE_END()

#endif
