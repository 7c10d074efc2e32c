// Messages that wait for more credit, and how the peer hears of that.
#include <boost/test/unit_test.hpp>

#include "messages_fixture.h"

using namespace mxp;
using namespace mxp::test;

BOOST_AUTO_TEST_SUITE(messages_blocked)

// The first message has gone when the loss of its MESSAGES_BLOCKED is noticed, and the second needs no more than it did.
BOOST_AUTO_TEST_CASE(a_message_says_that_it_waits_after_the_word_of_another_was_lost) {
  MessagePair pair({}, {.receive_window = 2048, .max_receive_window = 4096});
  const auto first = pair.client.send(1, 1900);
  BOOST_TEST_REQUIRE(first.has_value());
  const MessagePacket word = pair.client.packet();
  BOOST_TEST_REQUIRE(word.frames.size() == 1u);
  BOOST_TEST((word.frames.front().kind == SentFrame::Kind::messages_blocked));
  BOOST_TEST(pair.client.messages.cancel(*first).has_value());
  pair.client.lose(word);
  BOOST_TEST_REQUIRE(pair.client.send(2, 1900).has_value());
  pair.exchange();
  BOOST_TEST(pair.server.app.received == std::vector<std::uint64_t>{2});
}

BOOST_AUTO_TEST_SUITE_END()
