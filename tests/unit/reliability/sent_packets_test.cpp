#include "reliability/sent_packets.h"

#include <boost/test/unit_test.hpp>
#include <vector>

using namespace mxp;
using namespace std::chrono_literals;

namespace {

SentPacket packet(std::uint64_t number, bool in_flight = true) {
  return {.number = PacketNumber(number),
          .sent_at = Timestamp(Duration(number)),
          .size_bytes = 100,
          .ack_eliciting = in_flight,
          .in_flight = in_flight};
}

struct Fixture {
  SentPackets packets;
  std::vector<std::uint64_t> acknowledged, late;
  void add(std::uint64_t first, std::uint64_t last) {
    for (auto number = first; number <= last; ++number) packets.add(packet(number));
  }
  void acknowledge(std::uint64_t first, std::uint64_t last) {
    acknowledged.clear();
    late.clear();
    packets.acknowledge(
        first, last, [&](const SentPacket& it) { acknowledged.push_back(it.number.value()); },
        [&](const SentPackets::Late& it) { late.push_back(it.packet.number.value()); });
  }
};

using Numbers = std::vector<std::uint64_t>;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(sent_packets, Fixture)

BOOST_AUTO_TEST_CASE(each_number_is_reported_once) {
  add(0, 9);
  acknowledge(2, 4);
  BOOST_TEST(acknowledged == (Numbers{2, 3, 4}), boost::test_tools::per_element());
  acknowledge(0, 6);
  BOOST_TEST(acknowledged == (Numbers{0, 1, 5, 6}), boost::test_tools::per_element());
  acknowledge(0, 6);
  BOOST_TEST(acknowledged.empty());
  BOOST_TEST(packets.first_outstanding() == 7u);
}

BOOST_AUTO_TEST_CASE(lost_packet_that_arrives_is_late_and_only_once) {
  add(0, 5);
  packets.mark_lost(1, LossReason::time, 7);
  acknowledge(0, 2);
  BOOST_TEST(acknowledged == (Numbers{0, 2}), boost::test_tools::per_element());
  BOOST_TEST(late == Numbers{1}, boost::test_tools::per_element());
  acknowledge(0, 2);
  BOOST_TEST(late.empty());
}

BOOST_AUTO_TEST_CASE(skipped_numbers_were_never_sent) {
  add(0, 4);
  add(6, 8);
  add(12, 13);
  BOOST_TEST(packets.were_sent(0, 4));
  BOOST_TEST(packets.were_sent(6, 8));
  BOOST_TEST(!packets.were_sent(4, 6));
  BOOST_TEST(!packets.were_sent(5, 5));
  BOOST_TEST(!packets.were_sent(9, 9));
  BOOST_TEST(!packets.were_sent(11, 12));
  BOOST_TEST(packets.were_sent(12, 13));
  BOOST_TEST(!packets.were_sent(13, 14));
  BOOST_TEST(!packets.were_sent(0, kMaxVarint));
}

BOOST_AUTO_TEST_CASE(skipped_number_is_remembered_after_everything_around_it_is_settled) {
  add(0, 4);
  add(6, 8);
  acknowledge(0, 4);
  acknowledge(6, 8);
  packets.trim(Timestamp::max());
  BOOST_TEST(packets.base() == 9u);
  BOOST_TEST(!packets.were_sent(0, 8));
  BOOST_TEST(packets.were_sent(6, 8));
}

BOOST_AUTO_TEST_CASE(numbering_may_begin_anywhere) {
  add(1000, 1002);
  BOOST_TEST(packets.base() == 1000u);
  BOOST_TEST(!packets.were_sent(0, 1000));
  acknowledge(1000, 1002);
  BOOST_TEST(acknowledged.size() == 3u);
}

BOOST_AUTO_TEST_CASE(lost_packet_keeps_the_slots_until_it_is_old) {
  add(0, 9);
  packets.mark_lost(0, LossReason::reordering, 0);
  acknowledge(1, 9);
  packets.trim(Timestamp(0ns));  // sent at 0: not before
  BOOST_TEST(packets.base() == 0u);
  packets.trim(Timestamp(1ns));
  BOOST_TEST(packets.base() == 10u);
}

BOOST_AUTO_TEST_CASE(acknowledgements_only_are_forgotten_in_the_end) {
  for (std::uint64_t number = 0; number < 100'000; ++number) packets.add(packet(number, false));
  packets.trim(Timestamp(0ns));
  BOOST_TEST(packets.span() == SentPackets::kKeptNotInFlight);
  BOOST_TEST(packets.next() - packets.base() == SentPackets::kKeptNotInFlight);
  acknowledge(0, 99'999);
  BOOST_TEST(acknowledged.size() == SentPackets::kKeptNotInFlight);
  BOOST_TEST(late.empty());
}

BOOST_AUTO_TEST_CASE(oldest_outstanding_packet_leads_over_lost_skipped_and_acknowledged_ones) {
  add(0, 3);
  add(5, 9);
  packets.mark_lost(0, LossReason::time, 0);
  acknowledge(1, 3);
  acknowledge(5, 6);
  BOOST_TEST(packets.first_outstanding() == 7u);
  Numbers seen;
  packets.for_each_outstanding([&](const SentPacket& it) {
    seen.push_back(it.number.value());
    return true;
  });
  BOOST_TEST(seen == (Numbers{7, 8, 9}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
