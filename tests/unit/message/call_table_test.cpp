#include "message/call_table.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>
#include <vector>

#include "support/allocation_counter.h"

using namespace mxp;

namespace call_table_test {
namespace {

Timestamp at(int milliseconds) { return Timestamp(std::chrono::milliseconds(milliseconds)); }

}  // namespace

BOOST_AUTO_TEST_SUITE(call_table)

BOOST_AUTO_TEST_CASE(call_is_found_until_its_answer_has_come) {
  CallTable calls(4);
  const auto id = calls.begin(at(10), 77);
  BOOST_REQUIRE(id.has_value());
  BOOST_REQUIRE(calls.find(*id) != nullptr);
  BOOST_TEST(calls.find(*id)->cookie == 77u);
  BOOST_TEST((calls.find(*id)->deadline == at(10)));
  const auto call = calls.finish(*id);
  BOOST_REQUIRE(call.has_value());
  BOOST_TEST((call->id == *id && call->cookie == 77 && call->deadline == at(10)));
  BOOST_TEST(calls.size() == 0u);
  BOOST_TEST((calls.find(*id) == nullptr));
  BOOST_TEST(!calls.finish(*id).has_value());  // the second answer
}

BOOST_AUTO_TEST_CASE(late_answer_finds_nothing_though_its_place_is_taken_again) {
  CallTable calls(1);
  const auto expired = calls.begin(at(10), 1);
  BOOST_REQUIRE(calls.poll_expired(at(10)).has_value());
  const auto next = calls.begin(at(20), 2);
  BOOST_REQUIRE(next.has_value());
  BOOST_TEST(*next != *expired);
  BOOST_TEST(!calls.finish(*expired).has_value());
  BOOST_TEST((calls.find(*next)->cookie == 2));
}

BOOST_AUTO_TEST_CASE(answer_of_a_cancelled_call_finds_nothing) {
  CallTable calls(4);
  const auto id = calls.begin(at(10), 1);
  BOOST_TEST(calls.cancel(*id).value().cookie == 1u);
  BOOST_TEST(!calls.cancel(*id).has_value());
  BOOST_TEST(!calls.finish(*id).has_value());
  BOOST_TEST((calls.next_deadline() == kNever));
  BOOST_TEST(!calls.poll_expired(at(100)).has_value());
}

BOOST_AUTO_TEST_CASE(ids_that_were_never_given_out_find_nothing) {
  CallTable calls(4);
  const auto first = calls.begin(at(10), 1);
  for (std::uint64_t id = 0; id < 100; ++id) BOOST_TEST((calls.find(id) != nullptr) == (id == *first), id);
  for (const std::uint64_t id : {~std::uint64_t{0}, *first | std::uint64_t{1} << 63, *first + (std::uint64_t{1} << 32)})
    BOOST_TEST((calls.find(id) == nullptr));
}

BOOST_AUTO_TEST_CASE(no_more_calls_than_the_limit_wait) {
  for (const std::size_t limit : {std::size_t{1}, std::size_t{3}, std::size_t{4}, CallTable::kMaxLimit}) {
    CallTable calls(limit);
    BOOST_TEST(calls.limit() == limit);
    std::set<std::uint64_t> ids;
    for (std::size_t i = 0; i < limit; ++i) ids.insert(calls.begin(at(10), i).value());
    BOOST_TEST(ids.size() == limit);
    BOOST_TEST(!ids.contains(0));
    BOOST_TEST(calls.full());
    BOOST_TEST(!calls.begin(at(10), 0).has_value());
    BOOST_TEST(calls.size() == limit);
    BOOST_TEST(calls.finish(*ids.begin()).has_value());
    BOOST_TEST(calls.begin(at(10), 0).has_value());
  }
}

BOOST_AUTO_TEST_CASE(calls_expire_in_the_order_of_their_deadlines) {
  CallTable calls(8);
  for (const int deadline : {30, 10, 20, 10}) calls.begin(at(deadline), static_cast<std::uint64_t>(deadline));
  BOOST_TEST((calls.next_deadline() == at(10)));
  BOOST_TEST(!calls.poll_expired(at(9)).has_value());
  const auto first = calls.poll_expired(at(10)), second = calls.poll_expired(at(10));  // at its deadline, not after it
  BOOST_REQUIRE((first && second));
  BOOST_TEST((first->cookie == 10 && second->cookie == 10 && first->id < second->id));
  BOOST_TEST(!calls.poll_expired(at(10)).has_value());
  BOOST_TEST((calls.next_deadline() == at(20)));
  BOOST_TEST(calls.poll_expired(at(1000)).value().cookie == 20u);
  BOOST_TEST(calls.poll_expired(at(1000)).value().cookie == 30u);
  BOOST_TEST(!calls.poll_expired(at(1000)).has_value());
  BOOST_TEST((calls.next_deadline() == kNever));
}

BOOST_AUTO_TEST_CASE(call_without_deadline_waits_until_the_connection_ends) {
  CallTable calls(8);
  calls.begin(kNever, 1);
  BOOST_TEST((calls.next_deadline() == kNever));
  BOOST_TEST(!calls.poll_expired(at(1'000'000'000)).has_value());
  calls.begin(at(10), 2);
  BOOST_TEST(calls.poll_expired(kNever).value().cookie == 2u);
  BOOST_TEST(calls.poll_expired(kNever).value().cookie == 1u);
  BOOST_TEST(!calls.poll_expired(kNever).has_value());
}

// One call after the other, as a client makes them that waits for each: a million of them fit into the ids that compaction
// writes in four bytes.
BOOST_AUTO_TEST_CASE(ids_stay_small) {
  CallTable calls(1024);
  std::uint64_t largest = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    const std::uint64_t id = calls.begin(at(10), 0).value();
    BOOST_REQUIRE(id > largest);
    largest = id;
    calls.finish(id);
  }
  BOOST_TEST(largest < (1u << 30));
}

BOOST_AUTO_TEST_CASE(nothing_is_allocated_once_the_table_has_grown) {
  CallTable calls(1000);
  std::vector<std::uint64_t> ids(1000);
  std::uint64_t before = 0;
  for (int round = 0; round < 3; ++round) {
    if (round == 1) before = test::allocations();
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = calls.begin(at(static_cast<int>(i * 7919 % 1000)), i).value();
    for (std::size_t i = 0; i < ids.size(); i += 2) calls.finish(ids[i]);
    while (calls.poll_expired(at(1000))) {
    }
  }
  const std::uint64_t after = test::allocations();
  BOOST_TEST(after == before);
  BOOST_TEST(calls.size() == 0u);
}

BOOST_AUTO_TEST_CASE(no_more_is_allocated_than_the_memory_bound_says) {
  const auto before = test::live_bytes();
  CallTable calls(5000);
  std::size_t too_much = 0;
  for (int i = 0; i < 5000; ++i) {
    calls.begin(at(i), 0);
    too_much += static_cast<std::size_t>(test::live_bytes() - before) > calls.memory_bound() ? 1 : 0;
  }
  BOOST_TEST(too_much == 0u);
  BOOST_TEST(calls.memory_bound() < 5000u * 70);
}

BOOST_AUTO_TEST_CASE(deadline_can_be_changed_while_a_call_waits) {
  CallTable calls(4);
  const auto first = calls.begin(at(10), 1), second = calls.begin(at(20), 2);
  calls.set_deadline(*first, at(30));
  BOOST_TEST((calls.next_deadline() == at(20)));
  BOOST_TEST(calls.next().id == *second);
  calls.set_deadline(*second, at(40));
  BOOST_TEST(calls.next().id == *first);
  BOOST_TEST((calls.find(*first)->deadline == at(30)));
  calls.finish(*first);
  calls.set_deadline(*first, at(1));  // it waits no longer
  BOOST_TEST((calls.next_deadline() == at(40)));
}

BOOST_AUTO_TEST_CASE(ids_of_calls_that_are_over_are_known_from_those_never_given_out) {
  CallTable calls(4);
  std::vector<std::uint64_t> given;
  for (int i = 0; i < 5; ++i) given.push_back(calls.finish(calls.begin(at(10), 1).value()).value().id);
  given.push_back(calls.begin(at(10), 1).value());
  given.push_back(calls.begin(at(10), 1).value());
  for (std::uint64_t id = 0; id < 100; ++id)
    BOOST_TEST(calls.was_given_out(id) == (std::ranges::find(given, id) != given.end()), id);
  BOOST_TEST(!calls.was_given_out(given.back() | std::uint64_t{1} << 63));
}

BOOST_AUTO_TEST_CASE(places_are_below_the_limit_and_of_one_call_at_a_time) {
  CallTable calls(3);
  std::set<std::size_t> places;
  for (int i = 0; i < 3; ++i) places.insert(calls.place_of(calls.begin(at(10), 1).value()));
  BOOST_TEST((places == std::set<std::size_t>{0, 1, 2}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace call_table_test
