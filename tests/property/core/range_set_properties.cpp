// RangeSet against a std::set of single values.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <set>

#include "core/range_set.h"

using namespace mxp;

namespace {

constexpr std::uint64_t kUniverse = 64;

void same(const RangeSet& set, const std::set<std::uint64_t>& model) {
  RC_ASSERT(set.total() == model.size());
  RC_ASSERT(set.empty() == model.empty());
  RC_ASSERT(set.range_count() == set.ranges().size());
  std::optional<std::uint64_t> last_end;
  for (const auto& range : set.ranges()) {
    RC_ASSERT(range.begin < range.end);
    RC_ASSERT(!last_end || range.begin > *last_end);  // ascending, disjoint and not adjacent
    last_end = range.end;
  }
  for (std::uint64_t value = 0; value < kUniverse; ++value) RC_ASSERT(set.contains(value) == model.contains(value));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(range_set_properties)

BOOST_AUTO_TEST_CASE(behaves_like_a_set_of_single_values) {
  BOOST_TEST(rc::check([] {
    RangeSet set;
    std::set<std::uint64_t> model;
    const int steps = *rc::gen::inRange(1, 40);
    for (int step = 0; step < steps; ++step) {
      const std::uint64_t begin = *rc::gen::inRange<std::uint64_t>(0, kUniverse);
      const std::uint64_t end =
          *rc::gen::inRange<std::uint64_t>(begin, std::min(begin + 1 + *rc::gen::inRange(0, 24), kUniverse));
      std::uint64_t changed = 0;
      switch (*rc::gen::weightedElement<int>({{6, 0}, {4, 1}, {1, 2}, {1, 3}, {1, 4}, {1, 5}})) {
        case 0:
          for (std::uint64_t value = begin; value < end; ++value) changed += model.insert(value).second ? 1 : 0;
          RC_ASSERT(set.add(begin, end) == changed);
          break;
        case 1:
          for (std::uint64_t value = begin; value < end; ++value) changed += model.erase(value);
          RC_ASSERT(set.remove(begin, end) == changed);
          break;
        case 2:
          std::erase_if(model, [&](std::uint64_t value) { return value < end; });
          set.remove_below(end);
          break;
        case 3:
          if (model.empty()) break;
          for (std::uint64_t value = *model.begin(); model.erase(value) != 0; ++value) {
          }
          set.pop_front();
          break;
        case 4:
          if (model.empty()) break;
          for (std::uint64_t value = *model.rbegin(); model.erase(value) != 0; --value) {
          }
          set.pop_back();
          break;
        default: {
          bool all = true;
          for (std::uint64_t value = begin; value < end; ++value) all = all && model.contains(value);
          RC_ASSERT(set.contains(begin, end) == all);
        }
      }
      same(set, model);
    }
  }));
}

BOOST_AUTO_TEST_SUITE_END()
