// Small messages that share packets, and the cork.
#include <boost/test/unit_test.hpp>

#include "connection/access.h"
#include "connection/flows.h"
#include "endpoint/entry.h"
#include "support/host.h"

using namespace mxp;
using namespace mxp::test;

namespace coalescing_test {

BOOST_AUTO_TEST_SUITE(coalescing)

namespace {

struct Talk {
  explicit Talk(DirectPair::Config config = {}) : pair(std::move(config)), client(*pair.establish()) {
    pair.advance(1s);  // what the beginning has to say is said
    begin = pair.datagrams[0];
  }
  void send(MessageType type = MessageType::event, std::size_t size = 10) {
    const Bytes payload(size);
    BOOST_REQUIRE(client.send_message({.type = type, .id = next_id++, .payload = payload}).has_value());
  }
  // What went from the client to the server.
  std::uint64_t packets() const { return pair.datagrams[0] - begin; }
  std::uint64_t received() const { return pair.server_connection()->stats().messages_received; }

  DirectPair pair;
  Connection& client;
  std::uint64_t begin = 0;
  std::uint64_t next_id = 1;
};

DirectPair::Config with_delay(Duration delay) {
  DirectPair::Config config;
  config.client.transport.scheduler.coalescing_delay = delay;
  return config;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_message_alone_goes_at_once_and_those_close_behind_it_share_a_packet) {
  Talk talk;
  talk.send();
  talk.pair.exchange();
  BOOST_TEST(talk.received() == 1u);
  BOOST_TEST(talk.packets() == 1u);
  for (int i = 0; i < 20; ++i) {
    talk.send();
    talk.pair.advance(2us);
  }
  BOOST_TEST(talk.received() == 1u);
  talk.pair.advance(9us);
  BOOST_TEST(talk.received() == 1u);
  talk.pair.advance(1us);  // 50 µs after the first packet
  BOOST_TEST(talk.received() == 21u);
  BOOST_TEST(talk.packets() == 2u);
}

BOOST_AUTO_TEST_CASE(full_packets_do_not_wait) {
  Talk talk;
  talk.send();
  talk.pair.exchange();
  for (int i = 0; i < 5; ++i) talk.send(MessageType::event, 1000);
  talk.pair.exchange();
  BOOST_TEST(talk.received() >= 5u);
  talk.pair.advance(50us);
  BOOST_TEST(talk.received() == 6u);
}

BOOST_AUTO_TEST_CASE(what_is_critical_does_not_wait_and_takes_the_others_along) {
  Talk talk;
  talk.send();
  talk.pair.exchange();
  talk.send();
  talk.pair.exchange();
  BOOST_TEST(talk.received() == 1u);
  talk.send(MessageType::call);
  talk.pair.exchange();
  BOOST_TEST(talk.received() == 3u);
  BOOST_TEST(talk.packets() == 2u);
}

BOOST_AUTO_TEST_CASE(data_of_streams_do_not_wait) {
  Talk talk;
  talk.send();
  talk.pair.exchange();
  const StreamId id = *talk.client.open_stream(StreamType::unidirectional);
  BOOST_TEST(talk.client.write(id, Bytes(5)).has_value());
  talk.send();
  talk.pair.exchange();
  BOOST_TEST(talk.received() == 2u);
  BOOST_TEST(talk.pair.server.app.data[id].size() == 5u);
}

BOOST_AUTO_TEST_CASE(nothing_waits_where_the_delay_is_none) {
  Talk talk(with_delay(0ms));
  for (std::uint64_t i = 1; i <= 5; ++i) {
    talk.send();
    talk.pair.exchange();
    BOOST_TEST(talk.received() == i);
  }
  BOOST_TEST(talk.packets() == 5u);
}

BOOST_AUTO_TEST_CASE(a_cork_holds_streams_and_messages_until_a_packet_is_full_or_it_is_pulled) {
  Talk talk;
  const StreamId id = *talk.client.open_stream(StreamType::unidirectional);
  talk.client.cork();
  talk.send();
  for (int i = 0; i < 10; ++i) {
    BOOST_TEST(talk.client.write(id, Bytes(10)).has_value());
    talk.pair.advance(1ms);
  }
  BOOST_TEST(talk.packets() == 0u);
  talk.client.uncork();
  talk.pair.exchange();
  BOOST_TEST(talk.received() == 1u);
  BOOST_TEST(talk.pair.server.app.data[id].size() == 100u);
  BOOST_TEST(talk.packets() == 1u);

  talk.client.cork();
  BOOST_TEST(talk.client.write(id, Bytes(5000)).has_value());
  talk.pair.exchange();
  const std::size_t arrived = talk.pair.server.app.data[id].size();
  BOOST_TEST(arrived >= 100 + 5000 - 1472u);
  BOOST_TEST(arrived < 5100u);
  talk.send(MessageType::call);  // takes the rest along
  talk.pair.exchange();
  BOOST_TEST(talk.pair.server.app.data[id].size() == 5100u);
}

// Otherwise each burst would have a second turn of the loop, 50 µs later, for the few messages that fill no packet.
BOOST_AUTO_TEST_CASE(what_was_corked_goes_at_once_when_the_cork_is_pulled_and_the_last_packet_too) {
  Talk talk;
  talk.send();
  talk.pair.exchange();
  talk.client.cork();
  for (int i = 0; i < 4; ++i) talk.send(MessageType::event, 1000);
  talk.client.uncork();
  talk.pair.exchange();
  BOOST_TEST(talk.received() == 5u);
  // That burst is over: the next message that is close behind waits as ever.
  talk.send();
  talk.pair.exchange();
  BOOST_TEST(talk.received() == 5u);
  talk.pair.advance(50us);
  BOOST_TEST(talk.received() == 6u);
}

BOOST_AUTO_TEST_CASE(a_cork_that_follows_at_once_holds_what_the_last_one_let_go) {
  Talk talk;
  talk.send();
  talk.pair.exchange();
  talk.client.cork();
  talk.send();
  talk.client.uncork();
  talk.client.cork();
  talk.send();
  talk.pair.exchange();
  BOOST_TEST(talk.received() == 1u);
  talk.client.uncork();
  talk.pair.exchange();
  BOOST_TEST(talk.received() == 3u);
}

BOOST_AUTO_TEST_CASE(a_cork_that_is_forgotten_holds_for_200_ms) {
  Talk talk;
  talk.client.cork();
  talk.send();
  talk.pair.advance(199ms);
  BOOST_TEST(talk.received() == 0u);
  talk.pair.advance(1ms);
  BOOST_TEST(talk.received() == 1u);
  // It holds nothing any more.
  talk.pair.advance(1ms);
  talk.send();
  talk.pair.exchange();
  BOOST_TEST(talk.received() == 2u);
}

BOOST_AUTO_TEST_CASE(a_cork_holds_no_end_of_a_stream_for_ever_and_no_acknowledgement) {
  Talk talk;
  const StreamId id = *talk.client.open_stream(StreamType::unidirectional);
  BOOST_TEST(talk.client.write(id, Bytes(10)).has_value());
  talk.pair.exchange();
  talk.client.cork();
  Connection& server = *talk.pair.server_connection();
  const StreamId back = *server.open_stream(StreamType::unidirectional);
  BOOST_TEST(server.write(back, Bytes(10)).has_value());
  BOOST_TEST(server.finish(back).has_value());
  talk.pair.advance(100ms);
  BOOST_TEST((talk.pair.server.app.finished == std::vector<StreamId>{back}));
  BOOST_TEST(talk.client.finish(id).has_value());
  talk.pair.advance(1s);
  BOOST_TEST((talk.pair.client.app.finished == std::vector<StreamId>{id}));
}

// What the connection itself adds to what waits needs no word of the application's to go in time.
BOOST_AUTO_TEST_CASE(an_ack_that_waits_for_company_goes_when_the_wait_is_over) {
  Talk talk;
  Connection& server = *talk.pair.server_connection();
  BOOST_TEST(server.send_message({.type = MessageType::event, .id = 1}).has_value());
  talk.pair.advance(10us);
  BOOST_TEST(talk.client.stats().messages_received == 1u);
  BOOST_TEST(
      talk.client
          .send_message(
              {.type = MessageType::call, .flags = static_cast<std::uint8_t>(MessageFlag::requires_ack), .id = 2})
          .has_value());
  talk.pair.advance(39us);
  BOOST_TEST(talk.client.stats().messages_received == 1u);
  talk.pair.advance(1us);
  BOOST_TEST(talk.client.stats().messages_received == 2u);
}

// To ask for another one would delay it, since the carrier gets it afterwards.
BOOST_AUTO_TEST_CASE(a_packet_that_was_the_last_is_not_followed_by_another_drive) {
  Talk talk;
  const StreamId id = *talk.client.open_stream(StreamType::unidirectional);
  BOOST_REQUIRE(talk.client.write(id, text("x")).has_value());
  Bytes buffer(kMaxUdpPayload);
  BOOST_REQUIRE(talk.pair.client.endpoint.poll_transmit(talk.pair.now, buffer, {}).has_value());
  Parts& parts = ConnectionAccess::parts(talk.client);
  BOOST_TEST(parts.recovery.application_limit_is_noted());
  BOOST_TEST(!has_something_to_send(parts, talk.pair.now));
  BOOST_TEST(!static_cast<const Entry&>(parts.ready).ready);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace coalescing_test
