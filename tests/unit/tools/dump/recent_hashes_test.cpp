// The last packets of a path, held against a list that is searched from end to end.
#include "mxp-dump/dissect/recent_hashes.h"

#include <rapidcheck/boost_test.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <deque>

namespace mxp::dump::test {

BOOST_AUTO_TEST_SUITE(recent_hashes)

// Few different hashes, so that they come again, share their last byte, and leave the ring in between.
RC_BOOST_PROP(what_is_kept_is_found_and_nothing_else, (const std::vector<std::uint16_t>& values)) {
  RecentHashes recent;
  std::deque<std::uint64_t> kept;
  const auto look = [&](std::uint64_t hash, std::uint64_t now) {
    const RecentHashes::Entry* found = recent.find(hash);
    RC_ASSERT((found != nullptr) == (std::ranges::find(kept, hash) != kept.end()));
    if (found != nullptr) {
      RC_ASSERT(found->hash == hash);
      return;
    }
    recent.add(hash, now);
    kept.push_back(hash);
    if (kept.size() > RecentHashes::kKept) kept.pop_front();
  };
  std::uint64_t now = 0;
  for (int round = 0; round < 12; ++round) {
    for (const std::uint16_t value : values) {
      look(std::uint64_t{value} % 16 << 32 | (value & 0x700u) | (value & 3u), ++now);
      look(std::uint64_t{now} << 8 | (value & 7u), now);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_later_time_stays_with_its_entry) {
  RecentHashes recent;
  recent.add(0x107, 1);
  recent.add(0x207, 2);
  recent.touch(*recent.find(0x107), 3);
  BOOST_TEST(recent.find(0x107)->time_ns.value_or(0) == 3u);
  BOOST_TEST(recent.find(0x207)->time_ns.value_or(0) == 2u);
  BOOST_TEST((recent.find(0x307) == nullptr));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::dump::test
