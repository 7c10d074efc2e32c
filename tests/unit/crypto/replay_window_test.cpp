#include "crypto/replay_window.h"

#include <boost/test/unit_test.hpp>
#include <ostream>

namespace mxp {

std::ostream& operator<<(std::ostream& out, ReplayWindow::Verdict verdict) {
  return out << (verdict == ReplayWindow::Verdict::fresh       ? "fresh"
                 : verdict == ReplayWindow::Verdict::duplicate ? "duplicate"
                                                               : "too old");
}

namespace test {
namespace {

using Verdict = ReplayWindow::Verdict;

Verdict check(const ReplayWindow& window, std::uint64_t number) { return window.check(PacketNumber(number)); }
void mark(ReplayWindow& window, std::uint64_t number) { window.mark(PacketNumber(number)); }

}  // namespace

BOOST_AUTO_TEST_SUITE(replay_window)

BOOST_AUTO_TEST_CASE(a_new_window_takes_any_number) {
  const ReplayWindow window;
  BOOST_TEST(!window.largest().has_value());
  BOOST_TEST(check(window, 0) == Verdict::fresh);
  BOOST_TEST(check(window, kMaxVarint) == Verdict::fresh);
  BOOST_TEST(window.size_bits() == ReplayWindow::kInitialBits);
}

BOOST_AUTO_TEST_CASE(a_marked_number_is_a_duplicate) {
  ReplayWindow window;
  mark(window, 0);
  BOOST_TEST(check(window, 0) == Verdict::duplicate);
  BOOST_TEST(check(window, 1) == Verdict::fresh);
  mark(window, 5);
  BOOST_TEST(check(window, 5) == Verdict::duplicate);
  BOOST_TEST(check(window, 3) == Verdict::fresh);
  mark(window, 3);
  BOOST_TEST(check(window, 3) == Verdict::duplicate);
  BOOST_TEST(window.largest()->value() == 5u);
}

BOOST_AUTO_TEST_CASE(checking_marks_nothing) {
  ReplayWindow window;
  mark(window, 10);
  for (int i = 0; i < 3; ++i) BOOST_TEST(check(window, 4) == Verdict::fresh);
  BOOST_TEST(window.largest()->value() == 10u);
}

BOOST_AUTO_TEST_CASE(a_thousand_and_twenty_four_numbers_are_remembered) {
  ReplayWindow window;
  constexpr std::uint64_t kLast = 5000;
  for (std::uint64_t n = 0; n <= kLast; ++n) mark(window, n);
  BOOST_TEST(window.size_bits() == 1024u);  // in order: no reason to grow
  BOOST_TEST(check(window, kLast - 1023) == Verdict::duplicate);
  BOOST_TEST(check(window, kLast - 1024) == Verdict::too_old);
  BOOST_TEST(check(window, 0) == Verdict::too_old);
  BOOST_TEST(window.lowest().value() == kLast - 1023);
}

BOOST_AUTO_TEST_CASE(missing_numbers_inside_the_window_stay_fresh) {
  ReplayWindow window;
  for (std::uint64_t n = 0; n <= 4000; n += 2) mark(window, n);
  for (std::uint64_t n = 4000 - 1022; n <= 4000; ++n)
    BOOST_TEST(check(window, n) == (n % 2 == 0 ? Verdict::duplicate : Verdict::fresh));
}

BOOST_AUTO_TEST_CASE(a_late_arrival_beyond_half_the_window_doubles_it) {
  ReplayWindow window;
  for (std::uint64_t n = 0; n <= 2000; ++n)
    if (n != 1488 && n != 1487) mark(window, n);
  mark(window, 1488);  // 512 behind: half
  BOOST_TEST(window.size_bits() == 1024u);
  mark(window, 1487);
  BOOST_TEST(window.size_bits() == 2048u);
  BOOST_TEST(check(window, 1487) == Verdict::duplicate);
  BOOST_TEST(check(window, 977) == Verdict::duplicate);
  // What had fallen out before stays out: nobody knows whether it was seen.
  BOOST_TEST(check(window, 976) == Verdict::too_old);
}

BOOST_AUTO_TEST_CASE(a_jump_ahead_grows_the_window_so_that_what_it_overtook_can_still_arrive) {
  ReplayWindow window;
  mark(window, 0);
  mark(window, 20'000);
  BOOST_TEST(window.size_bits() == 65536u);
  BOOST_TEST(check(window, 0) == Verdict::duplicate);
  BOOST_TEST(check(window, 1) == Verdict::fresh);
  mark(window, 1);
  BOOST_TEST(check(window, 1) == Verdict::duplicate);
}

BOOST_AUTO_TEST_CASE(the_window_never_exceeds_its_largest_size) {
  ReplayWindow window;
  for (std::uint64_t n = 0; n < 100; ++n) mark(window, n * 1'000'000'000);
  BOOST_TEST(window.size_bits() == ReplayWindow::kMaxBits);
  const std::uint64_t last = 99'000'000'000;
  BOOST_TEST(check(window, last - 65535) == Verdict::fresh);
  BOOST_TEST(check(window, last - 65536) == Verdict::too_old);
}

BOOST_AUTO_TEST_CASE(a_jump_beyond_the_window_forgets_no_duplicate) {
  ReplayWindow window;
  for (std::uint64_t n = 0; n < 200'000; ++n) mark(window, n);
  mark(window, 200'000 + 65'536);  // exactly one ring further
  mark(window, 1'000'000);
  BOOST_TEST(check(window, 1'000'000 - 65'535) == Verdict::fresh);  // marks of the ring before it are gone
  for (std::uint64_t n = 0; n < 200'000; n += 997) BOOST_TEST(check(window, n) == Verdict::too_old);
}

BOOST_AUTO_TEST_CASE(the_largest_packet_number_is_taken) {
  ReplayWindow window;
  mark(window, kMaxVarint - 1);
  mark(window, kMaxVarint);
  BOOST_TEST(check(window, kMaxVarint) == Verdict::duplicate);
  BOOST_TEST(check(window, kMaxVarint - 1) == Verdict::duplicate);
  BOOST_TEST(check(window, kMaxVarint - 2) == Verdict::fresh);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace test
}  // namespace mxp
