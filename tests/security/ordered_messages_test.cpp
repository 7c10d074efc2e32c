// Threats t72 to t74: what a peer can do with ordered channels of messages (docs/protocol.md §5.2). It leaves holes,
// lies about what is before its messages, and lets messages expire whose places have to be kept.
#include <boost/test/unit_test.hpp>

#include "connection/access.h"
#include "connection/flows.h"
#include "support/attacker.h"

using namespace mxp;
using namespace mxp::test;

namespace ordered_messages_test {

BOOST_AUTO_TEST_SUITE(ordered_messages)

namespace {

constexpr std::uint64_t kCredit = 100'000;
constexpr std::uint64_t kCharge = 42;  // of event()

struct OrderScene {
  OrderScene()
      : pair([&] {
          DirectPair::Config config;
          MessageConfig& messages = config.server.transport.messages;
          messages.receive_window = messages.max_receive_window = kCredit;
          return config;
        }()),
        attacker(pair.server, pair.now) {
    BOOST_REQUIRE(attacker.connect());
    base = memory();
  }
  void sends(std::uint64_t sequence, const std::optional<OrderLink>& order = {}) {
    attacker.ask(frames(MessageFrame{MessageFrame::Form::compact, sequence, kEvent, order}));
  }
  ConnectionStats stats() const { return attacker.connection().stats(); }
  std::uint64_t told() const { return stats().messages_received - stats().messages_kept; }
  std::uint64_t memory() const { return pair.server.endpoint.stats().memory_in_use; }
  std::optional<TransportErrorCode> closed_with() const {
    const auto close = attacker.seen_close();
    return close ? std::optional(close->transport_code()) : std::nullopt;
  }

  static inline const Bytes kEvent = {0x12, 0x00, 0x05, 'u', 'p'};
  DirectPair pair;
  Attacker attacker;
  std::uint64_t base = 0;
};

OrderLink back(std::uint32_t distance, MessageClass channel = MessageClass::background) { return {channel, distance}; }

}  // namespace

BOOST_AUTO_TEST_CASE(t72_a_hole_keeps_its_senders_credit_and_nobody_elses_messages) {
  OrderScene scene;
  std::uint64_t sequence = 1;
  for (; (sequence + 4) * kCharge < kCredit; ++sequence) scene.sends(sequence, back(1));
  BOOST_TEST(scene.stats().messages_kept == sequence - 1);
  BOOST_TEST(scene.memory() < scene.base + 4 * kCredit);
  scene.sends(sequence++);
  scene.sends(sequence++, back(0, MessageClass::control));
  BOOST_TEST(scene.told() == 2u);
  BOOST_REQUIRE(!scene.closed_with());
  for (int i = 0; i < 8; ++i) scene.sends(sequence++, back(1));
  BOOST_TEST((scene.closed_with() == TransportErrorCode::message_limit_error));
}

BOOST_AUTO_TEST_CASE(t72_a_hole_that_is_filled_gives_each_its_turn_once_and_all_credit_back) {
  OrderScene scene;
  // From the last to the first, so that each new one is in front of all others.
  const std::uint64_t count = kCredit / kCharge - 4;
  for (std::uint64_t sequence = count; sequence > 0; --sequence) scene.sends(sequence, back(1));
  BOOST_TEST(scene.stats().messages_kept == count);
  scene.sends(0, back(0));
  BOOST_TEST(scene.stats().messages_kept == 0u);
  BOOST_TEST(scene.told() == count + 1);
  BOOST_TEST(scene.attacker.count<MaxMessagesFrame>() >= 1u);
  for (std::uint64_t sequence = count + 1; sequence < 2 * count; ++sequence) scene.sends(sequence, back(1));
  BOOST_REQUIRE(!scene.closed_with());
  BOOST_TEST(scene.told() == 2 * count);
}

BOOST_AUTO_TEST_CASE(t73_links_that_lie_hold_up_only_what_says_so) {
  OrderScene scene;
  scene.sends(5, back(0));                         // to nothing: itself, if it were a distance
  scene.sends(6, back(1, MessageClass::control));  // to one of another channel, that is there
  BOOST_TEST(scene.told() == 2u);
  scene.sends(8, back(1, MessageClass::control));  // to one that will be in none
  scene.sends(9, back(1));                         // to one of another channel that waits itself
  scene.sends(10, back(5));                        // behind one that had its turn, and again to the same
  scene.sends(11, back(6));
  BOOST_TEST(scene.told() == 5u);
  BOOST_TEST(scene.stats().messages_kept == 1u);
  scene.sends(7);
  BOOST_TEST(scene.stats().messages_kept == 0u);
  scene.sends(13, back(1));
  scene.sends(12, back(1));
  for (std::uint64_t sequence = 0; sequence < 5; ++sequence)
    scene.sends(sequence, back(static_cast<std::uint32_t>(sequence)));
  BOOST_TEST(scene.told() == 14u);
  BOOST_REQUIRE(!scene.closed_with());
  scene.sends(20, back(21));
  BOOST_TEST((scene.closed_with() == TransportErrorCode::frame_encoding_error));
  BOOST_TEST(scene.attacker.seen_close()->frame_type == frame_type::kOrdered);
}

BOOST_AUTO_TEST_CASE(t74_places_of_expired_messages_keep_credit) {
  OrderScene scene;
  // All behind number 0: one behind another that has expired would need no place of its own.
  const auto expires = [&](std::uint64_t number) {
    scene.attacker.ask(frames(ExpiredFrame{number, 1, 40, back(static_cast<std::uint32_t>(number))}));
  };
  std::uint64_t sequence = 1;
  for (; (sequence + 4) * 40 < kCredit; ++sequence) expires(sequence);
  BOOST_TEST(scene.stats().messages_expired_by_peer == sequence - 1);  // this does not wait for its turn
  BOOST_TEST(scene.memory() < scene.base + 4 * kCredit);
  BOOST_REQUIRE(!scene.closed_with());
  for (int i = 0; i < 8; ++i) expires(sequence++);
  BOOST_TEST((scene.closed_with() == TransportErrorCode::message_limit_error));
}

BOOST_AUTO_TEST_CASE(t74_a_place_without_credit_is_none) {
  OrderScene scene;
  scene.attacker.ask(frames(ExpiredFrame{1, 1, 39, back(1)}));
  BOOST_TEST((scene.closed_with() == TransportErrorCode::frame_encoding_error));
}

// One frame that expires many keeps one place, and what it does not need for that is free at once.
BOOST_AUTO_TEST_CASE(t74_many_that_expire_together_keep_one_place) {
  OrderScene scene;
  for (std::uint64_t first = 1; first < 1000; first += 100) {
    scene.attacker.ask(frames(ExpiredFrame{first, 100, 900, back(static_cast<std::uint32_t>(first))}));
    BOOST_REQUIRE(!scene.closed_with());
  }
  BOOST_TEST(scene.stats().messages_expired_by_peer == 1000u);
  BOOST_TEST(scene.memory() < scene.base + 20'000u);
}

BOOST_AUTO_TEST_CASE(order_of_who_takes_no_messages_is_an_unknown_frame) {
  DirectPair::Config config;
  config.server.transport.messages.window = 0;
  DirectPair pair(config);
  Attacker attacker(pair.server, pair.now);
  BOOST_REQUIRE(attacker.connect());
  attacker.ask(frames(MessageFrame{MessageFrame::Form::compact, 0, OrderScene::kEvent, back(0)}));
  BOOST_REQUIRE(attacker.seen_close().has_value());
  BOOST_TEST((attacker.seen_close()->transport_code() == TransportErrorCode::unknown_frame));
  BOOST_TEST(attacker.seen_close()->frame_type == frame_type::kOrdered);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace ordered_messages_test
