#include "connection/message_acks.h"

#include <boost/test/unit_test.hpp>

#include "calls_fixture.h"

using namespace mxp;
using namespace mxp::test;

namespace message_acks_test {
namespace {

constexpr auto kWantsAck = static_cast<std::uint8_t>(MessageFlag::requires_ack);

}  // namespace

BOOST_AUTO_TEST_SUITE(message_acks)

BOOST_AUTO_TEST_CASE(message_that_wants_an_ack_is_acknowledged_once_taken) {
  CallPair pair({}, {});
  pair.server.app.takes_messages = false;
  pair.client.send({.type = MessageType::event, .flags = kWantsAck, .id = 7, .trace_id = 8});
  pair.client.send({.type = MessageType::event, .id = 9});
  pair.exchange();
  BOOST_TEST(pair.client.app.messages.empty());  // the transport has it, the application has not
  pair.server.app.takes_messages = true;
  pair.server.messages.resume();
  pair.server.messages.deliver_resumed();
  pair.exchange();
  BOOST_TEST((pair.server.app.ids == std::vector<std::uint64_t>{7, 9}));
  BOOST_TEST((pair.client.app.messages == std::vector{MessageType::ack}));
  BOOST_TEST((pair.client.app.ids == std::vector<std::uint64_t>{7}));
}

BOOST_AUTO_TEST_CASE(ack_is_not_acknowledged) {
  CallPair pair({}, {});
  pair.client.send({.type = MessageType::ack, .flags = kWantsAck, .id = 7});
  pair.exchange();
  BOOST_TEST((pair.server.app.messages == std::vector{MessageType::ack}));
  BOOST_TEST(pair.server.messages.sent().sent == 0u);
}

BOOST_AUTO_TEST_CASE(call_that_wants_an_ack_has_one_beside_its_answer) {
  CallPair pair({}, calls_on());
  const auto payload = encode_payload(CallPayload{});
  pair.client.send({.type = MessageType::call, .flags = kWantsAck, .id = 7, .payload = payload});
  pair.exchange();
  BOOST_TEST_REQUIRE(pair.server.app.calls.size() == 1u);
  BOOST_TEST((pair.client.app.messages == std::vector{MessageType::ack}));
  BOOST_TEST(pair.server.calls.answer(pair.server.app.calls.front().id, {}).has_value());
  pair.exchange();
  BOOST_TEST((pair.client.app.messages == std::vector{MessageType::ack, MessageType::response}));
}

BOOST_AUTO_TEST_CASE(peer_that_takes_no_messages_has_no_ack_and_holds_up_nothing) {
  MessageConfig none;
  none.window = 0;
  CallPair pair({}, {}, none);
  for (std::uint64_t id = 0; id != 3; ++id)
    pair.client.send({.type = MessageType::event, .flags = kWantsAck, .id = id});
  pair.exchange();
  BOOST_TEST(pair.server.app.ids.size() == 3u);
}

BOOST_AUTO_TEST_CASE(t69_acks_without_room_hold_up_only_those_who_want_them) {
  MessageConfig small;
  small.send_buffer = 300;  // a few Acks
  CallPair pair({}, {}, {}, small);
  for (std::uint64_t id = 0; id != 100; ++id)
    pair.client.send({.type = MessageType::event, .flags = kWantsAck, .id = id});
  // The client's packets come in, and what the server has to say stays where it is.
  const auto carry = [&] {
    pair.pass(0ms);
    while (pair.client.has_pending()) {
      const CallPacket packet = pair.client.packet();
      pair.server.receive(packet);
      pair.client.acknowledge(packet);
    }
  };
  carry();
  const std::size_t taken = pair.server.app.ids.size();
  BOOST_TEST(taken > 1u);
  BOOST_TEST(taken < 20u);
  BOOST_TEST(pair.server.messages.memory() < 20'000u);
  pair.client.send({.type = MessageType::agent_heartbeat, .id = 1000});
  carry();
  BOOST_TEST(pair.server.app.ids.size() == taken + 1);
  BOOST_TEST(pair.server.app.ids.back() == 1000u);
  // Once the Acks go, all of them come.
  for (int i = 0; i != 100; ++i) {
    pair.exchange();
    pair.server.messages.deliver_resumed();
  }
  BOOST_TEST(pair.server.app.ids.size() == 101u);
  BOOST_TEST(pair.client.app.ids.size() == 100u);
  BOOST_TEST((std::set<std::uint64_t>(pair.client.app.ids.begin(), pair.client.app.ids.end()).size() == 100u));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace message_acks_test
