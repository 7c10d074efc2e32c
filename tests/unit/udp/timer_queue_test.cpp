#include "udp/timer_queue.h"

#include <rapidcheck.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <string>
#include <vector>

namespace mxp {
namespace {

using std::chrono::milliseconds;

Timestamp at(int ms) { return Timestamp(milliseconds(ms)); }

}  // namespace

BOOST_AUTO_TEST_SUITE(timer_queue)

BOOST_AUTO_TEST_CASE(timers_fire_in_the_order_of_their_times_and_equal_ones_as_added) {
  TimerQueue timers;
  std::string fired;
  timers.add(at(30), [&] { fired += 'c'; });
  timers.add(at(10), [&] { fired += 'a'; });
  timers.add(at(20), [&] { fired += 'b'; });
  timers.add(at(10), [&] { fired += 'A'; });
  BOOST_TEST((timers.next() == at(10)));
  timers.run_due(at(9));
  BOOST_TEST(fired == "");
  timers.run_due(at(20));
  BOOST_TEST(fired == "aAb");
  BOOST_TEST((timers.next() == at(30)));
  timers.run_due(at(1000));
  BOOST_TEST(fired == "aAbc");
  BOOST_TEST((timers.next() == kNever));
}

BOOST_AUTO_TEST_CASE(a_cancelled_timer_does_not_fire_and_wakes_nobody) {
  TimerQueue timers;
  bool fired = false;
  const auto id = timers.add(at(10), [&] { fired = true; });
  timers.add(at(20), [] {});
  timers.cancel(id);
  BOOST_TEST((timers.next() == at(20)));
  timers.run_due(at(30));
  BOOST_TEST(!fired);
  timers.cancel(id);  // again, and an unknown one: nothing
  timers.cancel(999);
}

BOOST_AUTO_TEST_CASE(a_callback_may_cancel_another_that_is_due_too) {
  TimerQueue timers;
  std::string fired;
  std::uint64_t second = 0;
  timers.add(at(10), [&] {
    fired += '1';
    timers.cancel(second);
  });
  second = timers.add(at(10), [&] { fired += '2'; });
  timers.add(at(10), [&] { fired += '3'; });
  timers.run_due(at(10));
  BOOST_TEST(fired == "13");
}

BOOST_AUTO_TEST_CASE(a_timer_that_renews_itself_at_once_waits_for_the_next_turn) {
  TimerQueue timers;
  int count = 0;
  std::function<void()> again = [&] {
    ++count;
    timers.add(at(0), again);
  };
  timers.add(at(0), again);
  for (int turn = 1; turn <= 3; ++turn) {
    timers.run_due(at(5));
    BOOST_TEST(count == turn);
    BOOST_TEST((timers.next() == at(0)));
  }
}

BOOST_AUTO_TEST_CASE(moving_one_timer_on_for_ever_does_not_grow_the_queue) {
  TimerQueue timers;
  timers.add(at(1), [] {});
  std::uint64_t id = timers.add(at(1000), [] {});
  for (int i = 0; i < 10'000; ++i) {
    timers.cancel(id);
    id = timers.add(at(1000 + i), [] {});
  }
  BOOST_TEST(timers.size() == 2u);
  BOOST_TEST((timers.next() == at(1)));
}

BOOST_AUTO_TEST_CASE(behaves_like_a_sorted_list) {
  BOOST_TEST(rc::check("timers fire as a sorted list says", [] {
    TimerQueue timers;
    std::map<std::pair<Timestamp, std::uint64_t>, int> model;
    std::vector<std::pair<std::uint64_t, Timestamp>> ids;
    std::vector<int> fired;
    int now = 0;
    const int steps = *rc::gen::inRange(0, 60);
    for (int i = 0; i < steps; ++i) {
      switch (*rc::gen::inRange(0, 4)) {
        case 0:
        case 1: {
          const Timestamp when = at(now + *rc::gen::inRange(-5, 30));
          const auto id = timers.add(when, [&fired, i] { fired.push_back(i); });
          model[{when, id}] = i;
          ids.emplace_back(id, when);
          break;
        }
        case 2:
          if (!ids.empty()) {
            const auto [id, when] = ids[*rc::gen::inRange<std::size_t>(0, ids.size())];
            timers.cancel(id);
            model.erase({when, id});
          }
          break;
        default: {
          now += *rc::gen::inRange(0, 10);
          std::vector<int> expected;
          while (!model.empty() && model.begin()->first.first <= at(now)) {
            expected.push_back(model.begin()->second);
            model.erase(model.begin());
          }
          fired.clear();
          timers.run_due(at(now));
          RC_ASSERT(fired == expected);
        }
      }
      RC_ASSERT(timers.next() == (model.empty() ? kNever : model.begin()->first.first));
      RC_ASSERT(timers.size() == model.size());
    }
  }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp
