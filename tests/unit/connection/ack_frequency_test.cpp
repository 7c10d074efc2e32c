// Requests for another number of ACKs, from end to end (docs/protocol.md §6, "ACK frequency").
#include <boost/test/unit_test.hpp>

#include "connection/access.h"
#include "support/attacker.h"
#include "support/host.h"

using namespace mxp;
using namespace mxp::test;

namespace {

// A client that sends in bulk, and what it sends to whom.
struct Bulk {
  explicit Bulk(std::optional<Duration> min_ack_delay = 1ms)
      : sim({.up = "rate 100mbit delay 25ms limit 600", .down = "delay 25ms", .seed = 4}) {
    sim.client.connected_hook = [this, min_ack_delay](Connection& connection) {
      // As the server's parameters would have said.
      ConnectionAccess::parts(connection).ack_frequency.on_peer_parameters(min_ack_delay, 25ms);
      sim.client.open_and_send(connection, StreamType::unidirectional, std::uint64_t{1} << 40);
    };
    sim.connect();
  }
  ~Bulk() {
    for (const auto& violation : sim.violations()) BOOST_ERROR(violation);
  }
  Parts& client() { return ConnectionAccess::parts(**sim.client.connected.begin()); }
  // ACKs for each round trip of 50 ms in the two seconds from the third on.
  double acks_per_round_trip() {
    sim.run_for(3s);
    const std::uint64_t before = sim.datagrams(Role::server);
    sim.run_for(2s);
    return static_cast<double>(sim.datagrams(Role::server) - before) / 40;
  }

  SimPair sim;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(ack_frequency_end_to_end)

BOOST_AUTO_TEST_CASE(a_bulk_transfer_gets_a_few_acknowledgements_in_each_round_trip) {
  Bulk bulk;
  const double acks = bulk.acks_per_round_trip();
  BOOST_TEST_MESSAGE(acks << " ACKs in a round trip");
  BOOST_TEST(acks >= 4);
  BOOST_TEST(acks <= 16);
}

BOOST_AUTO_TEST_CASE(a_peer_that_takes_no_requests_gets_none) {
  Bulk bulk(std::nullopt);
  BOOST_TEST(bulk.acks_per_round_trip() >= 25);  // every tenth of more than 300 packets
}

BOOST_AUTO_TEST_CASE(the_probe_timeout_follows_an_acknowledged_request) {
  Bulk bulk;
  bulk.sim.run_for(3s);
  const Parts& parts = bulk.client();
  const RttEstimator& rtt = parts.path->control.rtt();
  // A quarter of the round trip, as it was with a queue, where 25 ms would be added without a request.
  const Duration added =
      parts.recovery.probe_timeout() - rtt.smoothed() - std::max<Duration>(4 * rtt.variation(), kTimerGranularity);
  BOOST_TEST((added == parts.ack_frequency.peer_max_ack_delay()));
  BOOST_TEST((added > 10ms && added < 25ms), added / 1us << " us");
}

BOOST_AUTO_TEST_CASE(a_request_decides_when_the_next_packets_are_acknowledged) {
  DirectPair pair;
  Attacker peer(pair.server, pair.now);
  BOOST_REQUIRE(peer.connect());
  peer.ask(frames(PingFrame{}));
  peer.run_due();
  peer.acknowledge();
  const auto acks = [&] { return peer.count<AckFrame>(); };
  peer.ask(frames(AckFrequencyFrame{0, 2, 7ms, 1}));
  std::size_t before = acks();
  peer.ask(frames(PingFrame{}));
  BOOST_TEST(acks() == before);
  peer.ask(frames(PingFrame{}));  // the third with the request's own packet
  BOOST_TEST(acks() == before + 1);
  before = acks();
  peer.ask(frames(PingFrame{}));
  pair.now += 7ms - 1us;
  peer.run_due();
  BOOST_TEST(acks() == before);
  pair.now += 1us;
  peer.run_due();
  BOOST_TEST(acks() == before + 1);
  peer.ask(frames(ImmediateAckFrame{}));
  BOOST_TEST(acks() == before + 2);
  BOOST_TEST(!peer.seen_close().has_value());
}

BOOST_AUTO_TEST_CASE(a_request_for_less_than_min_ack_delay_closes_the_connection) {
  DirectPair pair;
  Attacker peer(pair.server, pair.now);
  BOOST_REQUIRE(peer.connect());
  BOOST_TEST((peer.server_payload->parameters.min_ack_delay == 1ms));
  peer.ask(frames(AckFrequencyFrame{0, 2, 999us, 1}));
  BOOST_REQUIRE(peer.seen_close().has_value());
  BOOST_TEST((peer.seen_close()->transport_code() == TransportErrorCode::protocol_violation));
  BOOST_TEST(peer.seen_close()->frame_type == frame_type::kAckFrequency);
}

// A receiver that waits for many packets answers a probe at once, though nothing is out of order.
BOOST_AUTO_TEST_CASE(a_probe_asks_for_an_answer_at_once) {
  DirectPair pair;
  Connection* client = pair.establish();
  pair.advance(1s);
  const StreamId id = *client->open_stream(StreamType::unidirectional);
  (void)client->write(id, text("arrives"));
  // What comes back is lost: the client probes though everything has arrived.
  pair.lose = [](Role sender, ByteView) { return sender == Role::server; };
  BOOST_REQUIRE(pair.exchange());
  ConnectionAccess::parts(*pair.server_connection()).acks.on_ack_sent(pair.now);
  pair.lose = nullptr;
  const Timestamp timeout = ConnectionAccess::parts(*client).recovery.deadline();
  const std::uint64_t answers = pair.datagrams[1];
  pair.now = timeout;
  pair.client.endpoint.on_timeout(pair.now);
  BOOST_REQUIRE(pair.exchange());
  BOOST_TEST(pair.datagrams[1] > answers);
  BOOST_TEST(client->stats().bytes_in_flight == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
