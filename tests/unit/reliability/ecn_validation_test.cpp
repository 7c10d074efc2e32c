// ECN of sent packets (RFC 9000 §13.4.2, appendix A.4): which paths are marked, which counts are believed, what a CE
// mark does.
#include "reliability/ecn_validation.h"

#include <boost/test/unit_test.hpp>
#include <optional>

#include "support/ecn_text.h"
#include "unit/reliability/sender.h"

using namespace mxp;
using namespace mxp::testing;
using namespace std::chrono_literals;

namespace ecn_validation_test {
namespace {

constexpr auto kNoCounts = std::nullopt;

EcnCounts ect0(std::uint64_t packets, std::uint64_t ce = 0) { return {.ect0 = packets, .ect1 = 0, .ce = ce}; }

// Marks what it sends as long as the path in use wants it.
struct MarkingSender {
  RecoveryConfig config = unpaced();
  PathControl first{PathId::first, config, kDatagram};
  PathControl second{PathId{1}, config, kDatagram};
  Recovery recovery{first};
  std::uint64_t next = 0;

  EcnState state() const { return recovery.path().ecn().state(); }
  bool send(Timestamp now = at(0ms)) {
    const bool marked = recovery.path().ecn().marks();
    recovery.on_packet_sent({.number = PacketNumber(next++),
                             .sent_at = now,
                             .size_bytes = kDatagram,
                             .ack_eliciting = true,
                             .in_flight = true,
                             .ecn_marked = marked,
                             .path = recovery.path().id()});
    return marked;
  }
  // How many of them were marked.
  unsigned send_many(unsigned packets, Timestamp now = at(0ms)) {
    unsigned marked = 0;
    for (unsigned i = 0; i < packets; ++i) marked += send(now) ? 1 : 0;
    return marked;
  }
  void ack(std::initializer_list<AckRange> ranges, const std::optional<EcnCounts>& counts, Timestamp now = at(50ms)) {
    BOOST_REQUIRE(recovery.on_ack(now, AckOf(ranges).with(counts)).has_value());
  }
  void become_capable() {
    BOOST_REQUIRE(send_many(5) == 5u);
    ack({range(0, 4)}, ect0(5));
    BOOST_REQUIRE(state() == EcnState::capable);
  }
  void time_out() { recovery.on_deadline(recovery.deadline()); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ecn_validation, MarkingSender)

BOOST_AUTO_TEST_CASE(ten_packets_are_marked_until_the_counts_agree) {
  BOOST_TEST(state() == EcnState::testing);
  BOOST_TEST(send_many(12) == 10u);
  BOOST_TEST(state() == EcnState::waiting);
  BOOST_TEST(recovery.ecn_marked_sent() == 10u);
  ack({range(0, 1)}, ect0(2));
  BOOST_TEST(state() == EcnState::capable);
  BOOST_TEST(send_many(30) == 30u);
  // An ACK between was lost, and what was not marked is in no count.
  ack({range(0, 41)}, ect0(39, 1), at(100ms));
  BOOST_TEST(state() == EcnState::capable);
}

BOOST_AUTO_TEST_CASE(nothing_is_marked_where_it_is_not_wanted) {
  RecoveryConfig off = unpaced();
  off.ecn = false;
  BOOST_TEST(!PathControl(PathId::first, off, kDatagram).ecn().marks());
  RecoveryConfig reckless = unpaced();
  reckless.congestion_control = CongestionControl::none;
  BOOST_TEST(!PathControl(PathId::first, reckless, kDatagram).ecn().marks());
}

BOOST_AUTO_TEST_CASE(missing_counts_fail) {
  become_capable();
  send_many(2);
  ack({range(0, 6)}, kNoCounts, at(100ms));
  BOOST_TEST(state() == EcnState::failed);
  BOOST_TEST(!send());
  // For good.
  ack({range(0, 7)}, ect0(7), at(150ms));
  BOOST_TEST(state() == EcnState::failed);
}

BOOST_AUTO_TEST_CASE(an_ack_of_unmarked_packets_needs_no_counts) {
  send_many(12);
  ack({one(10)}, kNoCounts);
  BOOST_TEST(state() == EcnState::waiting);
  ack({range(8, 11)}, ect0(2), at(60ms));
  BOOST_TEST(state() == EcnState::capable);
}

// The ACK between was lost. What it would have told is kept for the next ACK of marked packets.
BOOST_AUTO_TEST_CASE(counts_that_grew_in_an_ack_of_unmarked_packets_are_kept) {
  send_many(12);
  ack({one(10)}, ect0(10));
  BOOST_TEST(state() == EcnState::waiting);
  ack({range(0, 11)}, ect0(10), at(60ms));
  BOOST_TEST(state() == EcnState::capable);
}

BOOST_AUTO_TEST_CASE(silence_on_a_path_where_nothing_was_marked_ends_no_test) {
  EcnValidation validation(true);
  validation.on_probe_timeout(1);
  BOOST_TEST(validation.state() == EcnState::testing);
  validation.on_marked_sent();
  validation.on_probe_timeout(2);
  BOOST_TEST(validation.state() == EcnState::waiting);
}

BOOST_AUTO_TEST_CASE(counts_turn_nothing_on_where_marks_are_not_wanted) {
  EcnValidation validation(false);
  BOOST_TEST(validation.on_ack(1, {.sound = true, .marked = 1, .ce = 1}) == 0u);
  BOOST_TEST(validation.state() == EcnState::off);
  validation.on_ack(1, {});
  BOOST_TEST(validation.state() == EcnState::off);
}

BOOST_AUTO_TEST_CASE(counts_that_decrease_fail) {
  become_capable();
  send_many(5);
  ack({range(0, 9)}, ect0(4, 6), at(100ms));  // the sum grew by five
  BOOST_TEST(state() == EcnState::failed);

  MarkingSender other;
  other.send_many(5);
  other.ack({range(0, 4)}, ect0(3, 2));
  BOOST_REQUIRE(other.state() == EcnState::capable);
  other.send_many(5);
  other.ack({range(0, 9)}, ect0(9, 1), at(100ms));  // here too
  BOOST_TEST(other.state() == EcnState::failed);
}

BOOST_AUTO_TEST_CASE(counts_of_fewer_packets_than_were_acknowledged_fail) {
  become_capable();
  send_many(5);
  ack({range(0, 9)}, ect0(9), at(100ms));
  BOOST_TEST(state() == EcnState::failed);
}

BOOST_AUTO_TEST_CASE(counts_of_more_packets_than_were_sent_fail) {
  send_many(5);
  ack({range(0, 4)}, ect0(5, 1));
  BOOST_TEST(state() == EcnState::failed);
  BOOST_TEST(recovery.ecn_ce_reported() == 0u);
}

BOOST_AUTO_TEST_CASE(a_mark_that_was_never_sent_fails) {
  send_many(5);
  ack({range(0, 3)}, EcnCounts{.ect0 = 4, .ect1 = 1, .ce = 0});
  BOOST_TEST(state() == EcnState::failed);
}

BOOST_AUTO_TEST_CASE(an_older_ack_is_not_judged) {
  become_capable();
  send_many(6);
  ack({range(8, 10)}, ect0(8), at(100ms));
  ack({range(0, 7)}, kNoCounts, at(101ms));
  BOOST_TEST(state() == EcnState::capable);
  ack({range(0, 10)}, ect0(1), at(102ms));
  BOOST_TEST(state() == EcnState::capable);
  send_many(1);
  ack({range(0, 11)}, ect0(12), at(150ms));
  BOOST_TEST(state() == EcnState::capable);
}

// The same where the older one acknowledges a marked packet that nobody has given up yet.
BOOST_AUTO_TEST_CASE(an_older_ack_of_a_marked_packet_is_not_judged) {
  become_capable();
  send_many(3);
  ack({range(6, 7)}, ect0(7), at(100ms));
  ack({range(0, 5)}, kNoCounts, at(101ms));
  BOOST_TEST(first.bytes_in_flight() == 0u);
  BOOST_TEST(state() == EcnState::capable);
}

BOOST_AUTO_TEST_CASE(a_path_that_drops_all_that_is_marked_fails) {
  send_many(14);
  ack({range(13, 13)}, kNoCounts);  // ten marked ones are lost, one that was not is waited for
  BOOST_TEST(state() == EcnState::failed);
  BOOST_TEST(!send());

  // One of them is enough.
  MarkingSender other;
  other.send_many(14);
  other.ack({range(13, 13), one(4)}, ect0(1));
  BOOST_TEST(other.state() == EcnState::capable);
}

BOOST_AUTO_TEST_CASE(what_asks_again_after_silence_is_not_marked) {
  BOOST_TEST(send());
  time_out();
  BOOST_TEST(state() == EcnState::waiting);
  BOOST_TEST(send_many(2, at(2s)) == 0u);
  ack({range(0, 2)}, ect0(1), at(2050ms));
  BOOST_TEST(state() == EcnState::capable);
}

BOOST_AUTO_TEST_CASE(a_capable_path_is_doubted_after_three_timeouts) {
  become_capable();
  send_many(3, at(100ms));
  time_out();
  time_out();
  BOOST_TEST(state() == EcnState::capable);
  time_out();
  BOOST_TEST(state() == EcnState::waiting);
  BOOST_TEST(send_many(2, at(3s)) == 0u);
  ack({range(0, 9)}, ect0(8), at(3050ms));
  BOOST_TEST(state() == EcnState::capable);

  send_many(3, at(4s));
  for (int i = 0; i < 3; ++i) time_out();
  BOOST_TEST(!send(at(9s)));
  ack({range(13, 13), range(0, 9)}, ect0(8), at(9050ms));
  BOOST_TEST(state() == EcnState::failed);
}

BOOST_AUTO_TEST_CASE(a_ce_mark_cuts_the_window_once_for_each_round_trip) {
  become_capable();
  send_many(6, at(100ms));
  const std::uint64_t window = first.congestion_window();
  ack({range(0, 6)}, ect0(6, 1), at(150ms));
  const std::uint64_t after = first.congestion_window();
  BOOST_TEST(after == window * 7 / 10);
  BOOST_TEST(recovery.ecn_ce_reported() == 1u);
  // Sent before the cut.
  ack({range(0, 10)}, ect0(6, 5), at(151ms));
  BOOST_TEST(first.congestion_window() == after);
  BOOST_TEST(recovery.ecn_ce_reported() == 5u);
  send_many(2, at(160ms));
  ack({range(0, 12)}, ect0(7, 6), at(210ms));
  BOOST_TEST(first.congestion_window() < after);
}

BOOST_AUTO_TEST_CASE(counts_that_are_not_believed_cut_nothing) {
  become_capable();
  send_many(6, at(100ms));
  const std::uint64_t window = first.congestion_window();
  ack({range(0, 10)}, ect0(0, 1000), at(150ms));
  BOOST_TEST(state() == EcnState::failed);
  BOOST_TEST(first.congestion_window() >= window);
  BOOST_TEST(recovery.ecn_ce_reported() == 0u);
}

BOOST_AUTO_TEST_CASE(what_another_path_does_to_marks_is_not_held_against_the_one_in_use) {
  send_many(3);
  recovery.use(second, nullptr);
  send_many(3);
  ack({range(0, 3)}, ect0(1));  // the first path erases them
  BOOST_TEST(state() == EcnState::capable);
  ack({range(0, 5)}, ect0(3), at(60ms));
  BOOST_TEST(state() == EcnState::capable);

  MarkingSender other;
  other.send_many(3);
  other.recovery.use(other.second, nullptr);
  other.send_many(3);
  const std::uint64_t window = other.second.congestion_window();
  other.ack({range(0, 2)}, ect0(1, 2));
  BOOST_TEST(other.second.congestion_window() >= window);
  BOOST_TEST(other.state() == EcnState::testing);
  other.ack({range(0, 5)}, ect0(4, 2), at(60ms));
  BOOST_TEST(other.second.congestion_window() >= window);
  BOOST_TEST(other.state() == EcnState::capable);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace ecn_validation_test
