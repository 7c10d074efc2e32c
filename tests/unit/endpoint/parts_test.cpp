// The small parts of the endpoint: what waits, until when, and who is answered from memory.
#include <rapidcheck.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <deque>

#include "endpoint/deadline_heap.h"
#include "endpoint/handshake_budget.h"
#include "endpoint/ready_queue.h"
#include "endpoint/recent_transmits.h"
#include "endpoint/response_cache.h"
#include "support/allocation_counter.h"
#include "support/host.h"

using namespace mxp;
using namespace mxp::test;

namespace {

struct Timed {
  Timestamp heap_deadline = kNever;
  std::size_t heap_index = kNotInHeap;
};

struct Waiting {
  Waiting* next_ready = nullptr;
  Waiting* previous_ready = nullptr;
  bool ready = false;
};

ResponseCache::Mac1 mac(std::uint64_t low, std::uint64_t high = 0) {
  ResponseCache::Mac1 mac1{};
  std::memcpy(mac1.data(), &low, 8);
  std::memcpy(mac1.data() + 8, &high, 8);
  return mac1;
}

const Timestamp kStart{1h};

}  // namespace

BOOST_AUTO_TEST_SUITE(deadline_heap)

BOOST_AUTO_TEST_CASE(answers_like_a_plain_list) {
  BOOST_TEST(rc::check("heap and list agree after every step", [] {
    std::array<Timed, 24> entries;
    std::array<Timestamp, 24> model;
    model.fill(kNever);
    DeadlineHeap<Timed> heap;
    const auto steps = *rc::gen::container<std::vector<std::tuple<std::uint8_t, std::uint8_t, std::uint8_t>>>(
        rc::gen::arbitrary<std::tuple<std::uint8_t, std::uint8_t, std::uint8_t>>());
    for (const auto& [who, when, what] : steps) {
      const std::size_t i = who % entries.size();
      if (what % 4 == 0) {
        heap.remove(entries[i]);
        model[i] = kNever;
      } else {
        // Few different times, so that equal ones are frequent.
        model[i] = what % 4 == 1 ? kNever : Timestamp(Duration(when % 16));
        heap.set(entries[i], model[i]);
      }
      const Timestamp least = *std::ranges::min_element(model);
      RC_ASSERT(heap.next() == least);
      RC_ASSERT(heap.empty() == (least == kNever));
      if (!heap.empty()) RC_ASSERT(model[static_cast<std::size_t>(&heap.top() - entries.data())] == least);
      for (std::size_t k = 0; k < entries.size(); ++k)
        RC_ASSERT((entries[k].heap_index == kNotInHeap) == (model[k] == kNever));
    }
    // Emptied from the top, it is a sort.
    std::vector<Timestamp> sorted;
    for (const Timestamp& time : model)
      if (time != kNever) sorted.push_back(time);
    std::ranges::sort(sorted);
    for (const Timestamp& time : sorted) {
      RC_ASSERT(heap.next() == time);
      heap.remove(heap.top());
    }
    RC_ASSERT(heap.empty());
  }));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(ready_queue)

BOOST_AUTO_TEST_CASE(keeps_the_order_of_a_plain_queue) {
  BOOST_TEST(rc::check("queue and deque agree after every step", [] {
    std::array<Waiting, 12> entries;
    std::deque<Waiting*> model;
    ReadyQueue<Waiting> queue;
    const auto steps = *rc::gen::container<std::vector<std::pair<std::uint8_t, bool>>>(
        rc::gen::arbitrary<std::pair<std::uint8_t, bool>>());
    for (const auto& [who, join] : steps) {
      Waiting& entry = entries[who % entries.size()];
      const auto found = std::ranges::find(model, &entry);
      if (join) {
        queue.push_back(entry);
        if (found == model.end()) model.push_back(&entry);
      } else {
        queue.remove(entry);
        if (found != model.end()) model.erase(found);
      }
      RC_ASSERT(queue.empty() == model.empty());
      if (!model.empty()) RC_ASSERT(&queue.front() == model.front());
    }
    for (Waiting* entry : model) {
      RC_ASSERT(&queue.front() == entry);
      queue.remove(*entry);
    }
    RC_ASSERT(queue.empty());
  }));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(handshake_budget)

SocketAddress in_network(std::uint32_t i) {
  return SocketAddress::ipv4(static_cast<std::uint8_t>(i >> 16), static_cast<std::uint8_t>(i >> 8),
                             static_cast<std::uint8_t>(i), 1, 40000);
}

std::uint64_t taken(HandshakeBudget& budget, Timestamp now, std::uint64_t tries, std::uint32_t networks) {
  std::uint64_t count = 0;
  for (std::uint64_t i = 0; i < tries; ++i)
    count += budget.take(now, in_network(static_cast<std::uint32_t>(i % networks))) ? 1 : 0;
  return count;
}

BOOST_AUTO_TEST_CASE(no_more_than_the_rate_is_taken_however_many_ask) {
  HandshakeBudget budget(1000, 99);
  BOOST_TEST(taken(budget, kStart, 10'000, 5000) == 1000u);  // a second's worth at once
  BOOST_TEST(!budget.take(kStart, in_network(7)));
  std::uint64_t count = 0;
  for (int i = 1; i <= 2000; ++i) count += taken(budget, kStart + i * 1ms, 100, 5000);
  BOOST_TEST(count >= 1990u);
  BOOST_TEST(count <= 2000u);
  // What was not used is not saved up beyond a second.
  BOOST_TEST(taken(budget, kStart + 1h, 10'000, 5000) == 1000u);
}

BOOST_AUTO_TEST_CASE(what_is_given_back_may_be_taken_again) {
  HandshakeBudget budget(10, 99);
  for (int i = 0; i < 1000; ++i) {
    BOOST_TEST(budget.take(kStart, in_network(0)));
    budget.give_back(in_network(0));
  }
  // But never more than there was.
  for (int i = 0; i < 1000; ++i) budget.give_back(in_network(0));
  BOOST_TEST(taken(budget, kStart, 1000, 500) == 10u);
}

BOOST_AUTO_TEST_CASE(a_flood_from_one_network_leaves_a_share_for_the_others) {
  for (std::uint64_t key = 0; key < 20; ++key) {
    HandshakeBudget budget(1000, mix(key));
    std::uint64_t flood = 0, honest = 0, asked = 0;
    for (int i = 0; i < 5000; ++i) {
      const Timestamp now = kStart + i * 1ms;
      SocketAddress attacker = in_network(1);
      for (std::uint16_t port = 0; port < 20; ++port) {
        attacker.port = port;  // a new port is no new source
        flood += budget.take(now, attacker) ? 1 : 0;
      }
      if (i % 10 != 0) continue;
      honest += budget.take(now, in_network(1000 + static_cast<std::uint32_t>(i))) ? 1 : 0;
      ++asked;
    }
    BOOST_TEST(flood <= 6000u);
    BOOST_TEST(honest * 100 >= asked * 95);  // a few share the place of the flood
  }
}

BOOST_AUTO_TEST_CASE(the_least_rate_still_serves_one) {
  HandshakeBudget budget(1, 99);
  BOOST_TEST(budget.take(kStart, in_network(1)));
  BOOST_TEST(!budget.take(kStart + 999ms, in_network(2)));
  BOOST_TEST(budget.take(kStart + 1s, in_network(2)));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(response_cache)

BOOST_AUTO_TEST_CASE(the_oldest_goes_when_it_is_full) {
  ResponseCache cache(3, 10s, 99);
  for (std::uint8_t i = 0; i < 5; ++i) cache.insert(kStart + i * 1s, mac(i), kClientAddress, {i}, {});
  BOOST_TEST(cache.size() == 3u);
  BOOST_TEST(cache.find(mac(0)) == nullptr);
  BOOST_TEST(cache.find(mac(1)) == nullptr);
  for (std::uint8_t i = 2; i < 5; ++i) {
    BOOST_REQUIRE(cache.find(mac(i)) != nullptr);
    BOOST_TEST(cache.find(mac(i))->datagram == Bytes{i});
  }
}

BOOST_AUTO_TEST_CASE(an_entry_lives_for_its_lifetime) {
  ResponseCache cache(10, 10s, 99);
  BOOST_TEST((cache.deadline() == kNever));
  cache.insert(kStart, mac(1), kClientAddress, {1}, {});
  cache.insert(kStart + 4s, mac(2), kClientAddress, {2}, {});
  BOOST_TEST((cache.deadline() == kStart + 10s));
  cache.expire(kStart + 10s - 1ns);
  BOOST_TEST(cache.size() == 2u);
  cache.expire(kStart + 10s);
  BOOST_TEST(cache.find(mac(1)) == nullptr);
  BOOST_TEST(cache.find(mac(2)) != nullptr);
  BOOST_TEST((cache.deadline() == kStart + 14s));
  cache.expire(kStart + 1h);
  BOOST_TEST(cache.size() == 0u);
  BOOST_TEST((cache.deadline() == kNever));
}

BOOST_AUTO_TEST_CASE(a_cache_without_room_keeps_nothing) {
  ResponseCache cache(0, 10s, 99);
  cache.insert(kStart, mac(1), kClientAddress, {1}, {});
  BOOST_TEST(cache.size() == 0u);
  BOOST_TEST((cache.deadline() == kNever));
}

BOOST_AUTO_TEST_CASE(an_answer_goes_to_every_source_so_often_and_altogether_so_often) {
  constexpr unsigned kOne = ResponseCache::kMaxAnswersForSource, kAll = ResponseCache::kMaxAnswers;
  ResponseCache cache(10, 10s, 99);
  const auto source = [](std::uint16_t port) { return SocketAddress::ipv4(10, 0, 0, 1, port); };
  cache.insert(kStart, mac(1), source(1), {1}, {});
  ResponseCache::Entry* entry = cache.find(mac(1));
  BOOST_REQUIRE(entry != nullptr);
  // The answer to the first message 1 counts.
  for (unsigned i = 1; i < kOne; ++i) BOOST_TEST(entry->take_answer(source(1)));
  BOOST_TEST(!entry->take_answer(source(1)));
  BOOST_TEST(entry->take_answer(source(2)));
  BOOST_TEST(entry->take_answer(SocketAddress()));
  // However many there were before: a further source gets it.
  for (std::uint16_t port = 3; port < 20; ++port) BOOST_TEST(entry->take_answer(source(port)));
  unsigned given = kOne + 19;
  for (std::uint16_t port = 100; entry->take_answer(source(port)); ++port) ++given;
  BOOST_TEST(given == kAll);
  BOOST_TEST(!entry->take_answer(source(1)));
}

BOOST_AUTO_TEST_CASE(the_source_that_came_first_gives_its_place_to_a_further_one) {
  ResponseCache cache(10, 10s, 99);
  const auto source = [](std::size_t i) { return SocketAddress::ipv4(10, 0, 0, 1, static_cast<std::uint16_t>(i)); };
  cache.insert(kStart, mac(1), source(0), {1}, {});
  ResponseCache::Entry* entry = cache.find(mac(1));
  BOOST_REQUIRE(entry != nullptr);
  for (unsigned i = 1; i < ResponseCache::kMaxAnswersForSource; ++i) (void)entry->take_answer(source(0));
  for (std::size_t i = 1; i < ResponseCache::kCountedSources; ++i) BOOST_TEST(entry->take_answer(source(i)));
  BOOST_TEST(!entry->take_answer(source(0)));  // it is known, and has had its share
  BOOST_TEST(entry->take_answer(source(ResponseCache::kCountedSources)));
  for (std::size_t i = 1; i <= ResponseCache::kCountedSources; ++i)
    BOOST_TEST(std::ranges::count(entry->sources, source(i), &ResponseCache::Entry::Source::address) == 1);
  BOOST_TEST(std::ranges::count(entry->sources, source(0), &ResponseCache::Entry::Source::address) == 0);
}

BOOST_AUTO_TEST_CASE(a_flood_leaves_no_more_than_the_bound) {
  const std::int64_t before = live_bytes();
  {
    ResponseCache cache(100, 10s, 99);
    std::int64_t at_bound = 0;
    for (std::uint64_t i = 0; i < 20'000; ++i) {
      cache.insert(kStart, mac(i, mix(i)), kClientAddress, Bytes(1200), {});
      if (i == 2000) at_bound = live_bytes() - before;
    }
    BOOST_TEST(cache.size() == 100u);
    BOOST_TEST(live_bytes() - before <= at_bound + 8192);
  }
  BOOST_TEST(live_bytes() == before);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(recent_transmits)

struct Sender {
  int visits = 0;
};

const SocketAddress kHere = SocketAddress::ipv4(10, 0, 0, 1, 1);
const SocketAddress kThere = SocketAddress::ipv4(10, 0, 0, 1, 2);

BOOST_AUTO_TEST_CASE(those_who_sent_to_an_address_are_visited_once_each) {
  RecentTransmits<Sender> recent;
  Sender one, two, elsewhere;
  for (int i = 0; i < 5; ++i) {
    recent.note(one, kHere);
    recent.note(elsewhere, kThere);
    recent.note(two, kHere);
  }
  recent.for_each(kHere, [](Sender& sender) { ++sender.visits; });
  BOOST_TEST(one.visits == 1);
  BOOST_TEST(two.visits == 1);
  BOOST_TEST(elsewhere.visits == 0);
}

BOOST_AUTO_TEST_CASE(the_last_64_runs_are_remembered_and_one_sender_takes_one_place) {
  RecentTransmits<Sender> recent;
  std::array<Sender, 65> senders;
  for (Sender& sender : senders) recent.note(sender, kHere);
  for (int i = 0; i < 1000; ++i) recent.note(senders.back(), kHere);
  recent.for_each(kHere, [](Sender& sender) { ++sender.visits; });
  BOOST_TEST(senders.front().visits == 0);
  for (std::size_t i = 1; i < senders.size(); ++i) BOOST_TEST(senders[i].visits == 1);
}

BOOST_AUTO_TEST_CASE(who_is_forgotten_is_not_visited_and_a_visit_may_forget_itself) {
  RecentTransmits<Sender> recent;
  Sender gone, stays;
  recent.note(gone, kHere);
  recent.note(stays, kHere);
  recent.note(gone, kHere);
  recent.forget(gone);
  recent.for_each(kHere, [&](Sender& sender) {
    ++sender.visits;
    recent.forget(sender);
  });
  recent.for_each(kHere, [](Sender& sender) { ++sender.visits; });
  BOOST_TEST(gone.visits == 0);
  BOOST_TEST(stays.visits == 1);
}

BOOST_AUTO_TEST_SUITE_END()
