#include "mxp-dump/dissect/packet_fates.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <initializer_list>
#include <utility>
#include <vector>

namespace mxp::dump::test {
namespace {

// Ranges from the highest down, as on the wire; but for the first with numbers below 64, so that each takes one byte.
void acknowledge(PacketFates& fates, std::initializer_list<std::pair<std::uint64_t, std::uint64_t>> ranges) {
  std::vector<std::uint8_t> encoded;
  std::uint64_t above = ranges.begin()->first;
  for (auto range = ranges.begin() + 1; range != ranges.end(); ++range) {
    encoded.push_back(static_cast<std::uint8_t>(above - range->second - 2));
    encoded.push_back(static_cast<std::uint8_t>(range->second - range->first));
    above = range->first;
  }
  AckFrame frame;
  frame.largest = PacketNumber(ranges.begin()->second);
  frame.ranges = AckRanges({PacketNumber(ranges.begin()->first), frame.largest}, encoded, ranges.size() - 1);
  fates.acknowledged(frame);
}

PacketFates captured(std::uint64_t begin, std::uint64_t end, std::initializer_list<std::uint64_t> without = {}) {
  PacketFates fates;
  for (std::uint64_t number = begin; number < end; ++number) {
    if (std::find(without.begin(), without.end(), number) == without.end()) fates.sent(number);
  }
  return fates;
}

void are(const PacketFates& fates, std::uint64_t lost, std::uint64_t unacknowledged, std::uint64_t not_captured,
         std::uint64_t unknown) {
  const PacketFates::Counts counts = fates.counts();
  BOOST_TEST(counts.lost == lost);
  BOOST_TEST(counts.unacknowledged == unacknowledged);
  BOOST_TEST(counts.not_captured == not_captured);
  BOOST_TEST(counts.unknown == unknown);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(packet_fates)

BOOST_AUTO_TEST_CASE(numbers_of_lost_packets_are_told_apart_from_what_nobody_reported) {
  PacketFates fates;
  fates.remember_lost();
  for (std::uint64_t number = 0; number < 40; ++number) fates.sent(number);
  acknowledge(fates, {{18, 30}, {10, 12}, {5, 7}});
  const PacketFates::LostNumbers lost = fates.lost_numbers();
  BOOST_TEST((lost.reported.ranges()[0] == RangeSet::Range{8, 10}));
  BOOST_TEST((lost.reported.ranges()[1] == RangeSet::Range{13, 18}));
  BOOST_TEST(lost.reported.total() == fates.counts().lost);
  BOOST_TEST((lost.unacknowledged.ranges()[0] == RangeSet::Range{0, 5}));
  BOOST_TEST(lost.known_from == 0);
}

BOOST_AUTO_TEST_CASE(numbers_of_lost_packets_stay_when_only_counts_are_kept_of_the_rest) {
  PacketFates fates;
  fates.remember_lost();
  std::uint64_t lost = 0;
  for (std::uint64_t number = 0; number < 8 * PacketFates::kMaxRanges; number += 4) {
    for (std::uint64_t each = number; each < number + 4; ++each) fates.sent(each);
    if (number < 8) continue;
    acknowledge(fates, {{number, number + 2}, {number - 4, number - 2}});  // number - 1 never comes
    ++lost;
  }
  BOOST_TEST(fates.lost_numbers().reported.total() == fates.counts().lost);
  BOOST_TEST(fates.counts().lost == lost);
  BOOST_TEST(fates.lost_numbers().reported.contains(7));
}

BOOST_AUTO_TEST_CASE(what_is_reported_missing_and_was_captured_is_lost) {
  PacketFates fates = captured(0, 20);
  acknowledge(fates, {{10, 15}, {0, 7}});
  are(fates, 2, 0, 0, 0);
  acknowledge(fates, {{8, 15}});  // it had only come late
  are(fates, 0, 0, 0, 0);
}

BOOST_AUTO_TEST_CASE(what_is_near_the_largest_acknowledged_is_not_judged) {
  PacketFates fates = captured(0, 20);
  acknowledge(fates, {{9, 9}, {0, 5}});
  are(fates, 1, 0, 0, 0);  // 6; three below the largest, 7 and 8 are not
}

BOOST_AUTO_TEST_CASE(what_is_acknowledged_and_not_there_was_not_captured) {
  PacketFates fates = captured(0, 20, {4, 11, 12});
  acknowledge(fates, {{0, 19}});
  are(fates, 0, 0, 3, 0);
}

BOOST_AUTO_TEST_CASE(what_is_reported_missing_and_not_there_is_unknown) {
  PacketFates fates = captured(0, 20, {4, 11, 12});
  acknowledge(fates, {{13, 19}, {5, 10}, {0, 3}});
  are(fates, 0, 0, 0, 3);
}

BOOST_AUTO_TEST_CASE(without_a_word_single_numbers_are_unknown_and_stretches_not_captured) {
  PacketFates fates = captured(0, 20, {4, 11, 12});
  are(fates, 0, 0, 2, 1);
  acknowledge(fates, {{18, 19}});
  are(fates, 0, 14, 2, 1);  // 0..16 but those three
}

BOOST_AUTO_TEST_CASE(a_capture_that_begins_in_the_middle_misses_nothing_before_it) {
  PacketFates joined = captured(100, 110);
  are(joined, 0, 0, 0, 0);
  joined.begins_at_zero();
  are(joined, 0, 0, 100, 0);
}

BOOST_AUTO_TEST_CASE(more_ranges_than_are_kept_are_judged_as_well) {
  PacketFates fates;
  fates.begins_at_zero();
  constexpr std::uint64_t kHoles = 4 * PacketFates::kMaxRanges;
  for (std::uint64_t i = 0; i <= kHoles; ++i) {
    fates.sent(4 * i);
    fates.sent(4 * i + 1);
    acknowledge(fates, {{4 * i, 4 * i + 1}});
  }
  are(fates, 0, 0, 2 * kHoles, 0);
  BOOST_TEST(!fates.sent(0));  // long judged
}

BOOST_AUTO_TEST_CASE(acknowledgements_of_what_was_never_sent_make_no_later_packet_a_copy) {
  PacketFates fates = captured(0, 10);
  acknowledge(fates, {{0, 9}});
  for (std::uint64_t i = 0; i < 4 * PacketFates::kMaxRanges; ++i)
    acknowledge(fates, {{1000 + 4 * i, 1000 + 4 * i}});  // a range each
  BOOST_TEST(fates.sent(10));
  BOOST_TEST(!fates.sent(10));
}

BOOST_AUTO_TEST_CASE(acknowledgements_beyond_all_that_could_be_read_count_nothing) {
  PacketFates fates = captured(0, 10);
  acknowledge(fates, {{0, 9}});
  acknowledge(fates, {{kMaxVarint - 1, kMaxVarint}});
  are(fates, 0, 0, 0, 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::dump::test
