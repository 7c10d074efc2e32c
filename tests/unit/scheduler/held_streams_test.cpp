// What holds back a stream, in cases of which the answer is known. The property test beside this one has all the rest.
#include "scheduler/held_streams.h"

#include <boost/test/unit_test.hpp>
#include <chrono>

#include "unit/scheduler/streams_fixture.h"

namespace mxp::test::held_streams_test {
using namespace std::chrono_literals;
namespace {

struct HeldPair : StreamPair {
  HeldPair() : StreamPair(small_config(), small_config()) { client.streams.on_clock(now, 10ms); }

  void pass(Duration time) {
    now += time;
    client.streams.on_clock(now, 10ms);
  }
  // A run of so many packets, after which `reason` holds the connection.
  std::vector<Packet> run(int packets, BlockedBy reason, std::size_t size = 300) {
    std::vector<Packet> sent;
    for (int i = 0; i < packets; ++i) sent.push_back(write_packet(client.streams, size));
    connection.note(now, reason);
    const bool carried = client.streams.outbox.take_served() != 0;
    client.streams.note_held(now, reason, connection,
                             carried ? HeldStreams::Run::Carried::data : HeldStreams::Run::Carried::nothing);
    return sent;
  }
  StreamId stream(std::size_t bytes, std::uint8_t urgency = 3) {
    const StreamId id = *client.streams.open(StreamType::unidirectional);
    BOOST_TEST_REQUIRE(client.streams.set_priority(id, {.urgency = urgency}).has_value());
    if (bytes != 0) BOOST_TEST(client.streams.write(id, pattern_bytes(0, bytes)).value() == bytes);
    return id;
  }
  Duration of(StreamId id, BlockedBy reason) const {
    return client.streams.stats(id)->blocked_time[static_cast<std::size_t>(reason)];
  }

  Timestamp now{1h};
  BlockedTime connection{now, BlockedBy::application};
};

BOOST_AUTO_TEST_SUITE(held_streams)

BOOST_FIXTURE_TEST_CASE(an_idle_stream_waits_for_its_application, HeldPair) {
  const StreamId id = stream(0);
  pass(5ms);  // no drive has seen it yet
  run(0, BlockedBy::application);
  pass(1s);
  BOOST_CHECK(client.streams.stats(id)->open_time == 1s);
  BOOST_CHECK(of(id, BlockedBy::application) == 1s);
}

BOOST_FIXTURE_TEST_CASE(a_stream_that_was_served_shares_the_fate_of_the_connection, HeldPair) {
  const StreamId id = stream(900);
  run(1, BlockedBy::pacing);
  pass(3ms);
  run(1, BlockedBy::congestion);
  pass(40ms);
  run(0, BlockedBy::congestion);  // a packet of acknowledgements only
  pass(2ms);
  run(9, BlockedBy::application);
  pass(100ms);
  BOOST_CHECK(of(id, BlockedBy::pacing) == 3ms);
  BOOST_CHECK(of(id, BlockedBy::congestion) == 42ms);
  BOOST_CHECK(of(id, BlockedBy::application) == 100ms);
  BOOST_CHECK(client.streams.stats(id)->open_time == 145ms);
  BOOST_CHECK(client.streams.stats(id)->bytes_sent == 900u);
}

BOOST_FIXTURE_TEST_CASE(one_that_waits_while_others_go_is_held_back_by_its_class, HeldPair) {
  const StreamId first = stream(900, 0), second = stream(600, 7);
  run(1, BlockedBy::congestion);
  pass(10ms);
  run(1, BlockedBy::congestion);
  pass(10ms);
  run(2, BlockedBy::congestion);  // the rest of the first, and the beginning of the second
  pass(10ms);
  BOOST_CHECK(of(first, BlockedBy::congestion) == 20ms);
  BOOST_CHECK(of(second, BlockedBy::traffic_class) == 20ms);
  BOOST_CHECK(of(second, BlockedBy::congestion) == 10ms);
  BOOST_TEST(client.streams.stats(second)->bytes_unsent > 0u);
}

BOOST_FIXTURE_TEST_CASE(credit_of_the_stream_and_of_the_connection, HeldPair) {
  const StreamId id = stream(1500);  // the stream's window is 1000
  run(5, BlockedBy::application);
  pass(7ms);
  BOOST_CHECK(of(id, BlockedBy::stream_credit) == 7ms);
  std::vector<StreamId> others;
  for (int i = 0; i < 3; ++i) others.push_back(stream(1000));
  run(15, BlockedBy::application);  // 4000 bytes are gone, all of the connection's window
  std::ignore = client.streams.on_frame(MaxStreamDataFrame{id, 5000});
  run(0, BlockedBy::application);
  pass(11ms);
  BOOST_CHECK(of(id, BlockedBy::stream_credit) == 7ms);
  BOOST_CHECK(of(id, BlockedBy::connection_credit) == 11ms);
  BOOST_CHECK(of(others[0], BlockedBy::application) == 11ms);
  // Credit comes while the window is full.
  std::ignore = client.streams.on_frame(MaxDataFrame{9000});
  run(0, BlockedBy::congestion);
  pass(2ms);
  BOOST_CHECK(of(id, BlockedBy::connection_credit) == 11ms);
  BOOST_CHECK(of(id, BlockedBy::congestion) == 2ms);
}

BOOST_FIXTURE_TEST_CASE(lost_data_do_not_wait_for_credit, HeldPair) {
  std::vector<StreamId> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(stream(1000));
  const auto sent = run(20, BlockedBy::application);  // all of the connection's window
  lose(client.streams, sent.front());
  run(0, BlockedBy::congestion);
  pass(5ms);
  Duration held{};
  for (const StreamId id : ids) held += of(id, BlockedBy::congestion);
  BOOST_CHECK(held == 5ms);
}

BOOST_FIXTURE_TEST_CASE(the_account_ends_with_the_last_acknowledgement, HeldPair) {
  const StreamId id = *client.streams.open(StreamType::bidirectional);
  BOOST_TEST(client.streams.write(id, pattern_bytes(0, 100)).has_value());
  BOOST_TEST(client.streams.finish(id).has_value());
  const auto sent = run(1, BlockedBy::application);
  pass(20ms);
  acknowledge(client.streams, sent[0]);
  pass(5s);  // the other direction goes on
  run(0, BlockedBy::application);
  BOOST_CHECK(client.streams.stats(id)->open_time == 20ms);
  BOOST_CHECK(of(id, BlockedBy::application) == 20ms);
}

BOOST_FIXTURE_TEST_CASE(streams_without_a_sending_side_have_no_account, HeldPair) {
  BOOST_TEST(client.data(server_uni(0), 0, "x").has_value());
  BOOST_CHECK(client.streams.stats(server_uni(0)).error() == StreamError::wrong_direction);
  BOOST_CHECK(client.streams.stats(client_uni(0)).error() == StreamError::unknown_stream);
  client.streams.drop_all();
  BOOST_CHECK(client.streams.stats(server_uni(0)).error() == StreamError::connection_closed);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::test::held_streams_test
