#include "scheduler/message_queue.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <random>

namespace mxp::message_queue_test {
namespace {

using State = MessageQueue::State;

// What an entry holds is told by its index, so that nothing need be remembered of it.
std::uint8_t byte_of(std::uint64_t index) { return static_cast<std::uint8_t>(index * 37 + 1); }

void add(MessageQueue& queue, std::size_t size, bool is_long) {
  const auto added = is_long ? queue.add_long(std::make_unique<LongMessage>(size)) : queue.add(size);
  std::ranges::fill(added.body, byte_of(added.index));
}

void settle(MessageQueue& queue, std::uint64_t index) {
  queue.at(index).state = State::settled;
  queue.drop_long(queue.at(index));
  queue.release_settled();
}

bool is_whole(const MessageQueue& queue, std::uint64_t index, std::size_t size) {
  const ByteView body = queue.body(queue.at(index));
  return body.size() == size && std::ranges::all_of(body, [&](std::uint8_t byte) { return byte == byte_of(index); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(message_queue)

BOOST_AUTO_TEST_CASE(a_queue_that_is_never_empty_gives_back_the_memory_of_its_peak) {
  for (const bool is_long : {false, true}) {
    MessageQueue queue;
    for (int i = 0; i != 4000; ++i) add(queue, 1000, is_long), queue.take_next();
    BOOST_TEST(queue.memory() > 4'000'000u);
    for (std::uint64_t index = 1; index != 4000; ++index) settle(queue, index);
    queue.shrink();
    BOOST_TEST(queue.memory() < 10'000u);
    BOOST_TEST(is_whole(queue, 4000, 1000));
    BOOST_TEST(queue.queued_bytes() == 0u);
    BOOST_TEST(queue.bytes() == 1000u);
    add(queue, 1100, false);
    BOOST_TEST(queue.queued_bytes() == 1100u);
    BOOST_TEST((is_whole(queue, 4000, 1000) && is_whole(queue, 4001, 1100)));
  }
}

BOOST_AUTO_TEST_CASE(what_needs_its_memory_is_not_copied) {
  MessageQueue queue;
  for (int i = 0; i != 1000; ++i) add(queue, 1000, false), queue.take_next();
  const std::uint8_t* const body = queue.body(queue.at(1000)).data();
  for (std::uint64_t index = 1; index != 700; ++index) settle(queue, index), queue.shrink();
  BOOST_TEST(queue.body(queue.at(1000)).data() == body);
}

// Shrinking with each message that leaves is paid for by those that came: it copies no more than they are.
BOOST_AUTO_TEST_CASE(a_queue_that_shrinks_all_the_time_rarely_copies) {
  MessageQueue queue;
  int copies = 0;
  for (int round = 0; round != 4; ++round) {
    const std::uint64_t first = queue.end();
    for (int i = 0; i != 4096; ++i) add(queue, 1000, false), queue.take_next();
    for (std::uint64_t index = first; index + 1 != queue.end(); ++index) {
      const std::uint8_t* const body = queue.body(queue.at(queue.end() - 1)).data();
      settle(queue, index);
      queue.shrink();
      copies += queue.body(queue.at(queue.end() - 1)).data() != body ? 1 : 0;
    }
    settle(queue, queue.end() - 1);
  }
  BOOST_TEST(copies > 0);
  BOOST_TEST(copies <= 4 * 12);  // it is halved, at least, each time
}

BOOST_AUTO_TEST_CASE(everything_stays_as_it_was_when_memory_is_given_back) {
  std::mt19937 random(5);
  const auto below = [&](std::uint64_t bound) { return random() % bound; };
  MessageQueue queue;
  std::map<std::uint64_t, std::size_t> kept;  // sizes by index, without those that were settled
  for (int step = 0; step != 30'000; ++step) {
    const bool grows = step / 3000 % 2 == 0;
    if (below(8) < (grows ? 6u : 2u)) {
      const std::size_t size = 1 + below(below(4) == 0 ? 3000 : 60);
      kept[queue.end()] = size;
      add(queue, size, size > 1100);
    }
    if (queue.has_queued() && below(2) == 0) queue.take_next();
    if (!kept.empty() && below(grows ? 4 : 2) != 0) {
      const auto at =
          std::next(kept.begin(), static_cast<std::ptrdiff_t>(below(std::min<std::size_t>(kept.size(), 4))));
      if (at->first < queue.next()) {
        settle(queue, at->first);
        kept.erase(at);
      }
    }
    if (below(20) == 0) queue.shrink();
    if (step % 100 != 0) continue;
    for (const auto& [index, size] : kept) BOOST_TEST_REQUIRE(is_whole(queue, index, size));
  }
  while (queue.has_queued()) queue.take_next();
  for (const auto& [index, size] : kept) settle(queue, index);
  queue.shrink();
  BOOST_TEST(queue.memory() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::message_queue_test
