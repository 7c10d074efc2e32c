#include "core/range_set.h"

#include <boost/test/unit_test.hpp>

using namespace mxp;

namespace {

std::vector<std::pair<std::uint64_t, std::uint64_t>> listed(const RangeSet& set) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> out;
  for (const auto& range : set.ranges()) out.emplace_back(range.begin, range.end);
  return out;
}
using Pairs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

}  // namespace

BOOST_AUTO_TEST_SUITE(range_set)

BOOST_AUTO_TEST_CASE(adjacent_ranges_become_one) {
  RangeSet set;
  BOOST_TEST(set.add(0, 10) == 10u);
  BOOST_TEST(set.add(10, 20) == 10u);
  BOOST_TEST((listed(set) == Pairs{{0, 20}}));
  BOOST_TEST(set.add(30, 40) == 10u);
  BOOST_TEST(set.add(20, 30) == 10u);  // fills the gap exactly
  BOOST_TEST((listed(set) == Pairs{{0, 40}}));
}

BOOST_AUTO_TEST_CASE(only_new_values_are_counted) {
  RangeSet set;
  set.add(10, 20);
  set.add(30, 40);
  BOOST_TEST(set.add(5, 45) == 20u);
  BOOST_TEST(set.add(7, 9) == 0u);
  BOOST_TEST(set.total() == 40u);
  BOOST_TEST(set.add(3, 3) == 0u);
  BOOST_TEST(set.range_count() == 1u);
}

BOOST_AUTO_TEST_CASE(range_below_all_others_is_put_in_front) {
  RangeSet set;
  set.add(100, 110);
  set.add(0, 5);
  set.add(50, 60);
  BOOST_TEST((listed(set) == Pairs{{0, 5}, {50, 60}, {100, 110}}));
}

BOOST_AUTO_TEST_CASE(removal_can_split_trim_and_swallow) {
  RangeSet set;
  set.add(0, 100);
  BOOST_TEST(set.remove(40, 60) == 20u);
  BOOST_TEST((listed(set) == Pairs{{0, 40}, {60, 100}}));
  BOOST_TEST(set.remove(30, 70) == 20u);
  BOOST_TEST((listed(set) == Pairs{{0, 30}, {70, 100}}));
  BOOST_TEST(set.remove(40, 60) == 0u);
  set.remove_below(80);
  BOOST_TEST((listed(set) == Pairs{{80, 100}}));
  BOOST_TEST(set.remove(0, 1000) == 20u);
  BOOST_TEST(set.empty());
}

BOOST_AUTO_TEST_CASE(whole_ranges_are_looked_up) {
  RangeSet set;
  set.add(10, 20);
  set.add(30, 40);
  BOOST_TEST(set.contains(10, 20));
  BOOST_TEST(!set.contains(10, 21));
  BOOST_TEST(!set.contains(15, 35));
  BOOST_TEST(set.contains(25, 25));
  BOOST_TEST(set.contains(19));
  BOOST_TEST(!set.contains(20));
  BOOST_TEST(!set.contains(9));
}

BOOST_AUTO_TEST_CASE(ends_can_be_dropped) {
  RangeSet set;
  set.add(1, 2);
  set.add(4, 5);
  set.add(7, 8);
  set.pop_front();
  set.pop_back();
  BOOST_TEST((listed(set) == Pairs{{4, 5}}));
}

BOOST_AUTO_TEST_CASE(values_up_to_the_largest_are_kept) {
  constexpr std::uint64_t kTop = ~std::uint64_t{0};
  RangeSet set;
  BOOST_TEST(set.add(kTop - 1, kTop) == 1u);
  BOOST_TEST(set.contains(kTop - 1));
  BOOST_TEST(set.add(0, kTop) == kTop - 1);
  BOOST_TEST(set.range_count() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
