// Two endpoints that hand each other their datagrams in memory: once the buffers have grown to the size of the windows,
// a packet costs no allocation on either side, whatever it carries.
#include <boost/test/unit_test.hpp>

#include "support/allocation_counter.h"
#include "support/host.h"

using namespace mxp;
using namespace mxp::test;

namespace {

// Hands datagrams over, and lets the clock run from deadline to deadline when nothing moves.
struct Pump {
  DirectPair& pair;
  std::uint64_t datagrams = 0;

  template <typename Done>
  void run(Done done) {
    // A round trip of 1 ms, so that the estimators have something to estimate.
    while (!done()) {
      bool busy = false;
      busy |= hand_over(pair.client, pair.server);
      busy |= hand_over(pair.server, pair.client);
      if (busy) continue;
      pair.now = std::max(pair.now, std::min(pair.client.endpoint.next_timeout(), pair.server.endpoint.next_timeout()));
      for (Host* host : {&pair.client, &pair.server})
        if (host->endpoint.next_timeout() <= pair.now) host->endpoint.on_timeout(pair.now);
    }
  }
  bool hand_over(Host& from, Host& to) {
    const std::size_t count = from.poll(
        pair.now, [&](const SocketAddress&, ByteView datagram) { to.receive(pair.now, datagram, from.address); });
    datagrams += count;
    if (count != 0) pair.now += std::chrono::microseconds(20);
    return count != 0;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(endpoint_allocation)

BOOST_AUTO_TEST_CASE(the_counter_counts) {
  const std::uint64_t before = allocations();
  const std::int64_t live = live_bytes();
  {
    const auto thing = std::make_unique<std::array<char, 1000>>();
    BOOST_TEST(allocations() == before + 1);
    BOOST_TEST(live_bytes() >= live + 1000);
  }
  BOOST_TEST(live_bytes() == live);
}

BOOST_AUTO_TEST_CASE(a_bulk_transfer_allocates_nothing_per_packet) {
  for (const std::size_t segments : {std::size_t{1}, std::size_t{64}}) {
    DirectPair::Config config;
    config.max_segments = segments;
    config.client.transport.max_udp_payload = config.server.transport.max_udp_payload = kMinInitialSize;
    DirectPair pair(config);
    Connection* connection = pair.establish();
    pair.server.app.keep_data = pair.client.app.keep_data = false;
    const StreamId id = *connection->open_stream(StreamType::unidirectional);
    Bytes chunk(64 * 1024);
    const auto top_up = [&] {
      while (connection->writable_bytes(id) >= chunk.size()) (void)connection->write(id, chunk);
    };
    Pump pump{pair};
    const auto transfer = [&](std::uint64_t bytes) {
      const std::uint64_t target = pair.server.app.bytes + bytes;
      pump.run([&] {
        top_up();
        return pair.server.app.bytes >= target;
      });
    };
    transfer(120'000'000);  // until windows, rings and logs have the size they get
    // The recorders of the trace are the test's own.
    pair.client_trace.sent.reserve(pair.client_trace.sent.size() + 100'000);
    pair.server_trace.sent.reserve(pair.server_trace.sent.size() + 100'000);
    const std::uint64_t before = allocations();
    const std::uint64_t datagrams = pump.datagrams;
    transfer(10'000'000);
    BOOST_TEST(allocations() - before == 0u);
    BOOST_TEST(pump.datagrams - datagrams > 8000u);
  }
}

BOOST_AUTO_TEST_CASE(datagrams_allocate_nothing) {
  DirectPair::Config config;  // new keys allocate their ciphers, once for many thousand packets
  config.client.transport.key_update = config.server.transport.key_update = {.packets = 1'000'000, .interval = 24h};
  config.server.transport.datagrams.max_payload = 1170;
  DirectPair pair(std::move(config));
  Connection* connection = pair.establish();
  pair.server.app.keep_data = false;
  Pump pump{pair};
  const Bytes data(1170);
  std::uint64_t sent = 0;
  const auto datagrams = [&](std::uint64_t count) {
    const std::uint64_t target = sent + count;
    pair.client.app.outcomes.clear();
    pump.run([&] {
      // Of all sizes and policies, more than the queue holds.
      for (;; ++sent) {
        const DatagramOptions options{.traffic_class = static_cast<MessageClass>(sent % 4),
                                      .policy = sent % 7 == 0 ? DatagramPolicy::drop_oldest : DatagramPolicy::block,
                                      .expires_at = sent % 3 == 0 ? pair.now + 50ms : kNever,
                                      .cookie = sent % 2 == 0 ? std::optional(sent) : std::nullopt};
        if (!connection->send_datagram(ByteView(data).first(sent * 13 % 1171), options)) break;
      }
      return sent >= target;
    });
  };
  for (TraceRecorder* trace : {&pair.client_trace, &pair.server_trace}) trace->sent.reserve(500'000);
  pair.client.app.outcomes.reserve(200'000);
  datagrams(150'000);
  const std::uint64_t before = allocations();
  const DatagramStats stats = connection->stats().datagrams;
  datagrams(50'000);
  BOOST_TEST(allocations() - before == 0u);
  BOOST_TEST(connection->stats().datagrams.sent - stats.sent > 20'000u);
}

// The peer's turn and ours: no more than the ciphers of one phase, however many packets it protects.
BOOST_AUTO_TEST_CASE(a_key_update_allocates_a_fixed_number) {
  DirectPair::Config config;
  config.client.transport.key_update.packets = 1;
  DirectPair pair(std::move(config));
  Connection* connection = pair.establish();
  pair.server.app.keep_data = false;
  const StreamId id = *connection->open_stream(StreamType::unidirectional);
  for (TraceRecorder* trace : {&pair.client_trace, &pair.server_trace}) trace->sent.reserve(100'000);
  std::uint64_t per_update = 0;
  for (int update = 0; update < 20; ++update) {
    for (TraceRecorder* trace : {&pair.client_trace, &pair.server_trace}) {  // the test's own lists
      trace->secrets.clear();
      trace->key_updates.clear();
    }
    const std::uint64_t updates = connection->stats().key_updates;
    const std::uint64_t before = allocations();
    for (int i = 0; i < 100 && connection->stats().key_updates == updates; ++i) {
      (void)connection->write(id, text("x"));
      pair.advance(20ms);
    }
    BOOST_REQUIRE(connection->stats().key_updates == updates + 1);
    const std::uint64_t made = allocations() - before;
    if (update == 10) per_update = made;
    if (update > 10) BOOST_TEST(made == per_update);
  }
  BOOST_TEST(per_update < 30u);
}

BOOST_AUTO_TEST_CASE(small_streams_in_their_thousands_recycle_their_memory) {
  DirectPair::Config config;  // new keys allocate their ciphers, once for many thousand packets
  config.client.transport.key_update = config.server.transport.key_update = {.packets = 1'000'000, .interval = 24h};
  DirectPair pair(std::move(config));
  Connection* connection = pair.establish();
  pair.server.app.keep_data = false;
  Pump pump{pair};
  pair.server.app.opened.reserve(20000);
  pair.server.app.ended.reserve(20000);
  pair.client.app.finished.reserve(20000);
  pair.client_trace.sent.reserve(100'000);
  pair.server_trace.sent.reserve(100'000);
  const Bytes words(100);
  const auto streams = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const StreamId id = *connection->open_stream(StreamType::unidirectional);
      (void)connection->write(id, words);
      (void)connection->finish(id);
      const std::size_t target = pair.client.app.finished.size() + 1;
      pump.run([&] { return pair.client.app.finished.size() >= target; });
    }
  };
  streams(16000);  // until the list of skipped packet numbers is as long as it gets
  const std::uint64_t before = allocations();
  streams(2000);
  BOOST_TEST(allocations() - before == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
