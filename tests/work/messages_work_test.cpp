// As work_test.cpp: what a peer can make us do for each byte of its messages and calls.
#include <boost/test/unit_test.hpp>

#include "connection/callee.h"
#include "core/split_mix.h"
#include "core/work.h"
#include "message/header.h"
#include "scheduler/message_receiver.h"
#include "support/pattern.h"

namespace mxp::testing {

namespace {

constexpr std::uint64_t kBytesOfPart = 10;          // type, sequence, size of the whole, offset, one byte of data
constexpr std::uint64_t kBytesOfExpired = 5;        // type, first, count, length
constexpr std::uint64_t kBytesOfCall = 3 + 4 + 20;  // a compact Call with a long id and without data

struct Silent final : MessageEvents, CallEvents {
  bool on_message(const Message&) override { return true; }
  void on_messages_expired(std::uint64_t) override {}
  void on_message_outcome(MessageTicket, MessageOutcome) override {}
  void on_messages_writable(MessageClass) override {}
  void on_answer(const CallAnswer&) override {}
  void on_call(const IncomingCall&) override {}
  void on_call_cancelled(IncomingCallId, CallEnd) override {}
};

double steps_for_each_byte(const char* structure, std::uint64_t bytes) {
  const double steps = static_cast<double>(work_done) / static_cast<double>(bytes);
  BOOST_TEST_MESSAGE(structure << ": " << steps << " steps for each byte of the peer");
  return steps;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(messages_work)

BOOST_AUTO_TEST_CASE(gaps_in_a_message_that_has_not_come_whole) {
  Silent events;
  MessageReceiver receiver(MessageConfig{}, events);
  const std::vector<std::uint8_t> byte(1, 7);
  std::uint64_t frames = 0;
  const auto part = [&](std::uint64_t offset) {
    ++frames;
    return receiver.on_frame(MessagePartFrame{.sequence = 0, .body_size = 100'000, .offset = offset, .data = byte});
  };
  work_done = 0;
  // From the end, so that each moves all before it; then the lowest again and again.
  for (std::uint64_t i = IncomingMessage::kMaxSpans; i > 0; --i)
    BOOST_TEST_REQUIRE(part(kMessageHeaderSize + 2 * i).has_value());
  BOOST_TEST(steps_for_each_byte("gaps in a message", frames * kBytesOfPart) < 100);
  work_done = frames = 0;
  for (int i = 0; i != 10'000; ++i) BOOST_TEST_REQUIRE(part(kMessageHeaderSize + 2).has_value());
  BOOST_TEST(steps_for_each_byte("the same part of a message again", frames * kBytesOfPart) < 2);
  // One more piece is refused.
  BOOST_TEST(!part(99'000).has_value());
}

// EXPIRED of as many numbers as there may be costs a few bytes, and settles nothing when it comes again.
BOOST_AUTO_TEST_CASE(expired_numbers_again_and_again) {
  Silent events;
  const MessageConfig config{.window = kMaxMessageWindow};
  MessageReceiver receiver(config, events);
  work_done = 0;
  std::uint64_t frames = 1;
  // The lowest stays open, so that the window does not move on.
  const ExpiredFrame all{.first = 1, .count = config.window - 1};
  while (receiver.on_frame(all)) BOOST_TEST_REQUIRE(++frames < 100'000u);
  // The connection closes once it has cost some steps for each number that was ever settled.
  BOOST_TEST(work_done < 10 * config.window);
  BOOST_TEST_MESSAGE(frames << " EXPIRED frames, " << work_done << " steps");
}

// Numbers in the order that leaves the most gaps.
BOOST_AUTO_TEST_CASE(expired_numbers_one_by_one) {
  Silent events;
  const MessageConfig config;
  MessageReceiver receiver(config, events);
  work_done = 0;
  std::uint64_t frames = 0;
  for (std::uint64_t at = config.window - 1; at > 1; at -= 2, ++frames)
    BOOST_TEST_REQUIRE(receiver.on_frame(ExpiredFrame{.first = at}).has_value());
  BOOST_TEST(steps_for_each_byte("numbers of messages", frames * kBytesOfExpired) < 2.0);
}

BOOST_AUTO_TEST_CASE(calls_whose_ids_collide) {
  const CallConfig config;
  constexpr std::uint64_t kGuessed = 1;
  const std::size_t most = config.max_incoming;
  std::vector<std::uint64_t> colliding;
  // All in one chain of a table for as many calls as may be open, if its key were the one that the peer guesses.
  for (std::uint64_t id = 0; colliding.size() < most; ++id)
    if ((split_mix(id * kGuessed) & (most - 1)) == 5) colliding.push_back(id);
  const auto worst_with = [&](std::uint64_t hash_key) {
    Silent events;
    const MessageConfig message_config;
    Messages messages(message_config, events);
    PayloadTools tools{1000};
    test::SeededRandom random{1};
    const PrivateKey identity = PrivateKey::generate(random);
    const PublicKey peer = identity.public_key();
    MessageWrapper wrapper(messages, tools, random, identity, peer);
    Callee callee(config, wrapper, events, hash_key);
    const std::vector<std::uint8_t> payload(20);  // target, and a timeout that never ends
    for (const std::uint64_t id : colliding) callee.on_call({.type = MessageType::call, .id = id, .payload = payload});
    BOOST_TEST_REQUIRE(callee.open() == most);
    double worst = 0;
    for (const std::uint64_t id : colliding) {  // calls with the ids of open ones
      work_done = 0;
      callee.on_call({.type = MessageType::call, .id = id, .payload = payload});
      worst = std::max(worst, static_cast<double>(work_done) / static_cast<double>(kBytesOfCall));
    }
    return worst;
  };
  BOOST_TEST(worst_with(kGuessed) > 20.0);  // the ids are chosen well
  double worst = 0;
  for (std::uint64_t i = 1; i <= 20; ++i) worst = std::max(worst, worst_with(test::mix(i)));
  BOOST_TEST_MESSAGE("open calls by the peer's ids: " << worst << " steps for each byte of the peer");
  BOOST_TEST(worst < 2.0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::testing
