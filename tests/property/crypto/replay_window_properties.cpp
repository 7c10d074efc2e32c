// The window against a set that remembers every number for ever.
#include <rapidcheck.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>
#include <vector>

#include "crypto/replay_window.h"

namespace mxp::test {
namespace {

// Walks over numbers near the front, with bursts ahead, late arrivals and repetitions, at several scales.
void window_agrees_with_a_set(std::uint64_t scale) {
  ReplayWindow window;
  std::set<std::uint64_t> seen;
  std::uint64_t front = *rc::gen::inRange<std::uint64_t>(0, scale);
  std::uint64_t lowest_before = 0;
  std::size_t bits_before = window.size_bits();
  const auto steps = *rc::gen::container<std::vector<std::pair<int, std::uint64_t>>>(
      rc::gen::pair(rc::gen::inRange(0, 10), rc::gen::inRange<std::uint64_t>(0, scale)));
  for (const auto& [kind, distance] : steps) {
    std::uint64_t number = front + 1;
    if (kind >= 8) number = front + 1 + distance;
    if (kind >= 4 && kind < 8) number = front - std::min(front, distance);
    const auto verdict = window.check(PacketNumber(number));
    if (seen.contains(number)) {
      RC_ASSERT(verdict != ReplayWindow::Verdict::fresh);  // the one promise that security rests on
      if (number >= window.lowest().value()) RC_ASSERT(verdict == ReplayWindow::Verdict::duplicate);
    } else if (number >= window.lowest().value()) {
      RC_ASSERT(verdict == ReplayWindow::Verdict::fresh);
    } else {
      RC_ASSERT(verdict == ReplayWindow::Verdict::too_old);
    }
    // Never refuse as too old what is among the last 1,024.
    if (verdict == ReplayWindow::Verdict::too_old) RC_ASSERT(number + ReplayWindow::kInitialBits <= *seen.rbegin());
    if (verdict == ReplayWindow::Verdict::fresh) {
      window.mark(PacketNumber(number));
      seen.insert(number);
    }
    front = *seen.rbegin();
    RC_ASSERT(window.largest()->value() == front);
    RC_ASSERT(window.lowest().value() >= lowest_before);
    RC_ASSERT(window.size_bits() >= bits_before && window.size_bits() <= ReplayWindow::kMaxBits);
    RC_ASSERT(front - window.lowest().value() < window.size_bits());
    lowest_before = window.lowest().value();
    bits_before = window.size_bits();
  }
  // And once more over everything: growth and wrap-around have lost or invented nothing.
  for (std::uint64_t n = window.lowest().value(); !seen.empty() && n <= front; ++n) {
    if (n - window.lowest().value() > 4096 && front - n > 4096)
      n = front - 4096;  // both ends are where it can go wrong
    RC_ASSERT((window.check(PacketNumber(n)) == ReplayWindow::Verdict::duplicate) == seen.contains(n));
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(replay_window_properties)

BOOST_AUTO_TEST_CASE(the_window_agrees_with_a_set) {
  for (const std::uint64_t scale : {100u, 1500u, 5000u, 200'000u})
    BOOST_TEST(rc::check("replay window against a set", [scale] { window_agrees_with_a_set(scale); }));
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace mxp::test
