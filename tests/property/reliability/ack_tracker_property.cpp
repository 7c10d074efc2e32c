// The tracker's fixed array against a plain set.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <set>

#include "reliability/ack_tracker.h"

using namespace mxp;

BOOST_AUTO_TEST_SUITE(ack_tracker_property)

BOOST_AUTO_TEST_CASE(ranges_say_exactly_what_arrived_up_to_their_number) {
  BOOST_TEST(rc::check("model", [](std::vector<std::uint16_t> jumps) {
    AckTracker tracker(std::chrono::milliseconds(25));
    std::set<std::uint64_t> arrived;
    std::uint64_t head = 0;
    bool full = false;
    Timestamp now(std::chrono::seconds(1));
    // Mostly ahead, sometimes behind; three passes so that the array overflows too.
    for (int pass = 0; pass < 3; ++pass) {
      for (const std::uint16_t jump : jumps) {
        head += jump % 3;
        const std::uint64_t back = jump % 7 == 0 ? std::min<std::uint64_t>(head, jump % 64) : 0;
        tracker.on_packet_received(now, PacketNumber(head - back), true);
        arrived.insert(head - back);
        full = full || tracker.ranges().size() > kMaxAckRanges;
      }
    }
    if (arrived.empty()) return;
    const auto ranges = tracker.ranges();
    RC_ASSERT(!ranges.empty());
    RC_ASSERT(ranges.size() <= kMaxAckRanges + 1);
    RC_ASSERT(ranges.front().last.value() == *arrived.rbegin());
    std::uint64_t above = kMaxVarint;
    for (const AckRange& range : ranges) {
      RC_ASSERT(range.first <= range.last);
      RC_ASSERT(range.last.value() + 1 < above);  // descending, and not adjacent
      above = range.first.value();
      for (std::uint64_t n = range.first.value(); n <= range.last.value(); ++n) RC_ASSERT(arrived.contains(n));
    }
    if (!full) {  // nothing was dropped: everything is there
      std::size_t total = 0;
      for (const AckRange& range : ranges) total += range.last.value() - range.first.value() + 1;
      RC_ASSERT(total == arrived.size());
    }
  }));
}

BOOST_AUTO_TEST_CASE(peer_never_loses_a_packet_between_two_acks) {
  // The peer forgets nothing it was told. Whatever gets lost among ACKs and ACKs of ACKs, after a last ACK it knows all
  // that arrived (as long as no range had to give way).
  BOOST_TEST(rc::check("forgetting is safe", [](std::vector<std::uint8_t> moves) {
    AckTracker tracker(std::chrono::milliseconds(25));
    std::set<std::uint64_t> arrived, known;
    std::vector<std::pair<std::uint64_t, std::set<std::uint64_t>>> acks;  // largest, contents
    std::uint64_t head = 0;
    Timestamp now(std::chrono::seconds(1));
    const auto contents = [&] {
      std::set<std::uint64_t> numbers;
      for (const AckRange& range : tracker.ranges()) {
        for (std::uint64_t n = range.first.value(); n <= range.last.value(); ++n) numbers.insert(n);
      }
      return numbers;
    };
    for (const std::uint8_t move : moves) {
      if (tracker.ranges().size() > kMaxAckRanges - 2) return;
      switch (move % 6) {
        case 0:
        case 1: head += 1 + move / 6 % 2; [[fallthrough]];
        case 2: {
          const std::uint64_t number = move % 6 == 2 ? head - std::min<std::uint64_t>(head, move / 6 % 8) : head;
          if (arrived.contains(number)) break;  // the caller drops duplicates
          arrived.insert(number);
          tracker.on_packet_received(now, PacketNumber(number), true);
          break;
        }
        case 3:
        case 4:
          if (tracker.ranges().empty()) break;
          acks.emplace_back(tracker.ranges().front().last.value(), contents());
          tracker.on_ack_sent(now);
          break;
        default:  // one of the ACKs arrives, and we hear of it
          if (acks.empty()) break;
          const auto& [largest, numbers] = acks[move / 6u % acks.size()];
          known.insert(numbers.begin(), numbers.end());
          tracker.on_ack_acknowledged(PacketNumber(largest));
      }
    }
    const auto last = contents();
    known.insert(last.begin(), last.end());
    RC_ASSERT(known == arrived);
  }));
}

BOOST_AUTO_TEST_SUITE_END()
