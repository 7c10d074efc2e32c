// The search for the largest datagram, one answer at a time.
#include "connection/datagram_size_search.h"

#include <boost/test/unit_test.hpp>

using namespace mxp;
using namespace std::chrono_literals;

namespace datagram_size_search_test {
namespace {

constexpr std::uint64_t kWide = 1 << 20;     // a window that holds four of any size
constexpr std::uint64_t kYoung = 10 * 1200;  // that of a new connection
constexpr std::uint64_t kPaced = 32 * 1472;  // the largest that one may begin with

struct Asker {
  explicit Asker(std::size_t ceiling = kMaxUdpPayload, AddressFamily family = AddressFamily::ipv4)
      : search(family, ceiling) {}

  std::size_t due(std::uint64_t window = kWide) { return search.probe_due(now, window).value_or(0); }
  // Sends the probe that is due and says what became of it. Returns its size, 0 where none is due.
  std::size_t ask(bool passes, std::uint64_t window = kWide) {
    const std::size_t size = due(window);
    if (size == 0) return 0;
    search.on_probe_sent(next, size);
    if (passes) search.on_probe_acknowledged(now, next);
    else search.on_probe_lost(now, next);
    next = next.next();
    return size;
  }
  // Sizes in the order in which they are asked for on a path that carries `mtu`, until the search rests or waits.
  std::vector<std::size_t> run(std::size_t largest, std::uint64_t window = kWide) {
    std::vector<std::size_t> asked;
    while (const std::size_t size = due(window)) {
      if (asked.empty() || asked.back() != size) asked.push_back(size);
      ask(size <= largest, window);
    }
    return asked;
  }
  void ordinary(std::size_t size, bool arrives) {
    if (arrives) search.on_packet_acknowledged(next, size);
    else search.on_packet_lost(next, size);
    next = next.next();
  }
  // So many large packets without a loss that the path counts as a good one.
  void settle_in(std::size_t size) {
    for (int i = 0; i < 200; ++i) ordinary(size, true);
  }

  Timestamp now{1s};
  PacketNumber next{100};
  DatagramSizeSearch search;
};

using Sizes = std::vector<std::size_t>;

}  // namespace

BOOST_AUTO_TEST_SUITE(datagram_size_search)

BOOST_AUTO_TEST_CASE(ceiling_that_passes_ends_the_search_with_one_probe) {
  Asker asker(65507);
  BOOST_TEST(asker.search.size() == 1200u);
  BOOST_TEST(asker.run(65507) == (Sizes{65507}), boost::test_tools::per_element());
  BOOST_TEST(asker.search.size() == 65507u);
  BOOST_TEST(asker.search.probes_sent() == 1u);
  asker.now += 24h;
  BOOST_TEST(asker.due() == 0u);  // there is nothing above to look for
}

BOOST_AUTO_TEST_CASE(ethernet_on_a_young_connection_takes_two_questions) {
  for (const std::uint64_t window : {kYoung, kPaced}) {
    Asker asker;
    BOOST_TEST(asker.run(1472, window) == (Sizes{1472, 1488}), boost::test_tools::per_element());
    BOOST_TEST(asker.search.size() == 1472u);
    BOOST_TEST(asker.search.probes_sent() == 1u + 3 + 3);  // what failed was asked once more
    BOOST_TEST(asker.search.resting());
  }
  Asker jumbo(8972);
  BOOST_TEST(jumbo.due(kPaced) == 1472u);
  BOOST_TEST(jumbo.due(kPaced + 2048) == 8972u);
}

BOOST_AUTO_TEST_CASE(what_is_just_above_ethernet_is_asked_for_before_all_that_is_larger) {
  Asker asker;
  BOOST_TEST(asker.ask(true, kYoung) == 1472u);
  BOOST_TEST(asker.ask(true) == 1488u);  // although the window has grown
  BOOST_TEST(asker.ask(true) == 65507u);
  Asker narrow(1480);
  BOOST_TEST(narrow.ask(true, kYoung) == 1472u);
  BOOST_TEST(narrow.due() == 0u);  // too little is left
}

BOOST_AUTO_TEST_CASE(usual_sizes_follow_the_headers_of_the_address_family) {
  Asker v4;
  BOOST_TEST(v4.due(kYoung) == 1500u - 28);
  Asker v6(kMaxUdpPayload, AddressFamily::ipv6);
  BOOST_TEST(v6.due(kYoung) == 1500u - 48);
  Asker jumbo;
  BOOST_TEST(jumbo.run(8972) == (Sizes{65507, 8972, 8988}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(tunnels_are_found_by_halving_the_usual_sizes) {
  Asker least;
  BOOST_TEST(least.run(1252, kYoung) == (Sizes{1472, 1392, 1252, 1372, 1268}), boost::test_tools::per_element());
  Asker wireguard;
  BOOST_TEST(wireguard.run(1392, kYoung) == (Sizes{1472, 1392, 1432, 1408}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(unusual_size_is_found_by_halving_the_interval) {
  Asker asker;
  asker.run(2000);
  BOOST_TEST(asker.search.size() <= 2000u);
  BOOST_TEST(asker.search.size() + DatagramSizeSearch::kGap > 2000u);
}

BOOST_AUTO_TEST_CASE(size_fails_with_its_third_loss) {
  Asker asker(1472);
  BOOST_TEST(asker.ask(false) == 1472u);
  BOOST_TEST(asker.ask(false) == 1472u);
  BOOST_TEST(asker.due() == 1472u);
  BOOST_TEST(asker.ask(false) == 1472u);
  BOOST_TEST(asker.due() < 1472u);
  Asker lucky(1472);
  lucky.ask(false);
  lucky.ask(false);
  lucky.ask(true);
  BOOST_TEST(lucky.search.size() == 1472u);
}

BOOST_AUTO_TEST_CASE(losses_of_another_size_do_not_count) {
  Asker asker(8972);
  BOOST_TEST(asker.ask(false) == 8972u);
  BOOST_TEST(asker.ask(false) == 8972u);
  BOOST_TEST(asker.ask(false, kYoung) == 1472u);  // the window fell: its first loss
  BOOST_TEST(asker.ask(false, kYoung) == 1472u);
  BOOST_TEST(asker.due(kYoung) == 1472u);
}

BOOST_AUTO_TEST_CASE(interval_is_not_halved_before_usual_sizes_were_asked_for) {
  Asker asker(4000);
  BOOST_TEST(asker.run(1500, kYoung) == (Sizes{1472, 1488}), boost::test_tools::per_element());
  BOOST_TEST(asker.due(kYoung) == 0u);  // waits for a window of 16,000, though 2744 would fit
}

BOOST_AUTO_TEST_CASE(search_that_chance_leads_astray_ends) {
  unsigned most = 0;
  unsigned state = 1;
  for (int i = 0; i < 300; ++i) {
    Asker asker;
    while (asker.due() != 0) asker.ask((state = state * 1664525 + 1013904223) >> 30 == 0);
    most = std::max(most, asker.search.probes_sent());
  }
  BOOST_TEST(most == DatagramSizeSearch::kMaxProbes);
}

BOOST_AUTO_TEST_CASE(one_probe_is_in_flight_at_a_time) {
  Asker asker;
  asker.search.on_probe_sent(PacketNumber(7), asker.due());
  BOOST_TEST(asker.due() == 0u);
  BOOST_TEST(asker.search.is_probe(PacketNumber(7)));
  asker.search.on_probe_acknowledged(asker.now, PacketNumber(6));  // not the probe
  asker.search.on_probe_lost(asker.now, PacketNumber(8));
  BOOST_TEST(asker.due() == 0u);
  BOOST_TEST(asker.search.size() == 1200u);
  asker.search.on_probe_acknowledged(asker.now, PacketNumber(7));
  BOOST_TEST(asker.search.size() == 65507u);
}

BOOST_AUTO_TEST_CASE(size_waits_until_the_window_holds_four_of_it) {
  Asker asker(20'000);
  BOOST_TEST(asker.due(80'000) == 20'000u);
  BOOST_TEST(asker.due(79'999) < 20'000u);
  asker.run(20'000, kYoung);
  BOOST_TEST(asker.search.size() == 1488u);
  BOOST_TEST(!asker.search.resting());  // it waits
  BOOST_TEST(asker.due(kYoung) == 0u);
  BOOST_TEST(asker.due(80'000) == 20'000u);
}

BOOST_AUTO_TEST_CASE(once_ethernet_was_asked_for_it_is_until_it_passes_or_fails) {
  Asker asker;
  BOOST_TEST(asker.ask(false, kYoung) == 1472u);
  BOOST_TEST(asker.ask(false) == 1472u);  // although the window has grown
  BOOST_TEST(asker.ask(false) == 1472u);
  BOOST_TEST(asker.due() < 1472u);  // and nothing larger is worth a question
}

BOOST_AUTO_TEST_CASE(found_size_is_used_while_the_window_holds_four_of_it) {
  Asker asker;
  asker.ask(true);
  BOOST_TEST(asker.search.usable_size(4 * 65507) == 65507u);
  BOOST_TEST(asker.search.usable_size(4 * 65507 - 1) == 65507u / 2);
  BOOST_TEST(asker.search.usable_size(4 * 9000) == 65507u / 8);
  BOOST_TEST(asker.search.usable_size(2400) == 1200u);
}

BOOST_AUTO_TEST_CASE(refusal_by_the_interface_counts_at_once) {
  Asker asker;
  BOOST_TEST(asker.due() == 65507u);
  asker.search.on_probe_sent(PacketNumber(1), 65507);
  asker.search.on_refused(asker.now, 65507);
  BOOST_TEST(asker.due() == 8972u);
  // Not asked again at the end: a refusal is no accident.
  while (const std::size_t size = asker.due()) {
    asker.search.on_probe_sent(asker.next, size);
    if (size > 1472) asker.search.on_refused(asker.now, size);
    else asker.search.on_probe_acknowledged(asker.now, asker.next);
    asker.next = asker.next.next();
  }
  BOOST_TEST(asker.search.size() == 1472u);
  BOOST_TEST(asker.search.probes_sent() == 6u);  // 65507, 8972, 8868, 3972, 1472, 1488
}

BOOST_AUTO_TEST_CASE(refusal_of_the_size_in_use_falls_back) {
  Asker asker(1472);
  asker.ask(true);
  BOOST_TEST(asker.search.resting());
  asker.search.on_refused(asker.now, 1472);
  BOOST_TEST(asker.search.size() == 1200u);
  BOOST_TEST(asker.due() == 1392u);
  asker.search.on_refused(asker.now, 1200);  // there is nothing smaller: no effect
  BOOST_TEST(asker.search.size() == 1200u);
}

BOOST_AUTO_TEST_CASE(size_that_failed_by_chance_is_found_at_the_second_asking) {
  Asker asker(1472);
  for (int i = 0; i < 3; ++i) asker.ask(false);  // bad luck: the path carries it
  asker.run(1472);
  BOOST_TEST(asker.search.size() == 1472u);
}

BOOST_AUTO_TEST_CASE(after_ten_minutes_larger_sizes_are_asked_for_again) {
  Asker asker(8972);
  asker.run(1472);
  BOOST_TEST(asker.search.resting());
  asker.now += 600s - 1ns;
  BOOST_TEST(asker.due() == 0u);
  asker.now += 1ns;
  BOOST_TEST(asker.ask(true) == 1488u);
  BOOST_TEST(asker.ask(true) == 8972u);
  BOOST_TEST(asker.search.size() == 8972u);
  asker.now += 24h;
  BOOST_TEST(asker.due() == 0u);
}

BOOST_AUTO_TEST_CASE(ceiling_below_the_base_counts_as_the_base) {
  Asker asker(100);
  BOOST_TEST(asker.search.size() == 1200u);
  BOOST_TEST(asker.due() == 0u);
}

BOOST_AUTO_TEST_CASE(t45_six_losses_of_large_packets_fall_back_to_the_base) {
  Asker asker(1472);
  asker.ask(true);
  asker.settle_in(1472);
  for (int i = 0; i < 5; ++i) asker.ordinary(1472, false);
  asker.ordinary(1200, true);  // small ones get through: no answer to the question
  BOOST_TEST(asker.search.size() == 1472u);
  asker.ordinary(1472, false);
  BOOST_TEST(asker.search.size() == 1200u);
  BOOST_TEST(asker.search.black_holes() == 1u);
  // The failed size once, then sizes below it.
  BOOST_TEST(asker.ask(false) == 1472u);
  BOOST_TEST(asker.due() == 1392u);
  asker.run(1400);
  BOOST_TEST(asker.search.size() == 1392u);
}

BOOST_AUTO_TEST_CASE(losses_before_an_acknowledged_packet_of_the_size_show_nothing) {
  Asker asker(1472);
  asker.ask(true);
  asker.settle_in(1472);
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 5; ++i) asker.ordinary(1472, false);
    asker.ordinary(1472, true);
  }
  // The same when the acknowledgement is reported before the losses, as in one ACK.
  asker.search.on_packet_acknowledged(PacketNumber(10000), 1472);
  for (std::uint64_t i = 0; i < 50; ++i) asker.search.on_packet_lost(PacketNumber(9000 + i), 1472);
  BOOST_TEST(asker.search.size() == 1472u);
}

BOOST_AUTO_TEST_CASE(smaller_large_packets_that_arrive_do_not_hide_a_black_hole) {
  Asker asker(1472);
  asker.ask(true);
  asker.settle_in(1472);
  for (int i = 0; i < 6; ++i) {
    asker.ordinary(1300, true);
    asker.ordinary(1472, false);
  }
  BOOST_TEST(asker.search.size() == 1200u);
}

BOOST_AUTO_TEST_CASE(losses_of_the_base_size_show_nothing) {
  Asker asker(1472);
  asker.ask(true);
  asker.settle_in(1472);
  for (int i = 0; i < 100; ++i) asker.ordinary(1200, false);
  BOOST_TEST(asker.search.size() == 1472u);
}

BOOST_AUTO_TEST_CASE(old_losses_after_the_fall_do_not_count_against_the_new_size) {
  Asker asker(1472);
  asker.ask(true);
  asker.settle_in(1472);
  for (int i = 0; i < 6; ++i) asker.ordinary(1472, false);
  asker.run(1300);
  BOOST_TEST(asker.search.size() >= 1285u);
  for (int i = 0; i < 100; ++i) asker.ordinary(1472, false);
  BOOST_TEST(asker.search.black_holes() == 1u);
}

BOOST_AUTO_TEST_CASE(outage_costs_one_probe) {
  Asker asker(8972);
  asker.run(1472);
  asker.now += 60s;
  asker.search.on_persistent_timeout();
  BOOST_TEST(asker.search.size() == 1200u);
  BOOST_TEST(asker.ask(true) == 1472u);
  BOOST_TEST(asker.search.size() == 1472u);
  BOOST_TEST(asker.due() == 0u);
  Asker later = asker;  // what was known before still is
  later.now += 540s - 1ns;
  BOOST_TEST(later.due() == 0u);
  later.now += 1ns;
  BOOST_TEST(later.due() == 1488u);
  asker.search.on_persistent_timeout();
  asker.search.on_persistent_timeout();  // the second one finds the base in use
  BOOST_TEST(asker.search.black_holes() == 2u);
}

BOOST_AUTO_TEST_CASE(suspected_size_waits_for_its_window) {
  Asker asker(1217);
  BOOST_TEST(asker.ask(true) == 1217u);
  asker.search.on_persistent_timeout();
  BOOST_TEST(asker.ask(true, 4 * 1217 - 1) == 1216u);
  BOOST_TEST(asker.due(4 * 1217 - 1) == 0u);
  BOOST_TEST(asker.ask(true, 4 * 1217) == 1217u);
  BOOST_TEST(asker.search.resting());
}

BOOST_AUTO_TEST_CASE(probe_from_before_a_black_hole_is_ignored) {
  Asker asker(8972);
  while (asker.search.size() < 1472) asker.ask(asker.due() <= 1472);
  const std::size_t size = asker.due();
  BOOST_REQUIRE(size > 1472u);
  asker.search.on_probe_sent(PacketNumber(5000), size);
  asker.search.on_persistent_timeout();
  asker.search.on_probe_acknowledged(asker.now, PacketNumber(5000));
  BOOST_TEST(asker.search.size() == 1200u);
}

BOOST_AUTO_TEST_CASE(path_that_loses_much_needs_a_longer_row) {
  BlackHoleDetector good;
  BlackHoleDetector bad;
  std::uint64_t number = 0;
  for (int i = 0; i < 300; ++i) {
    good.on_acknowledged(PacketNumber(number), 1472);
    if (i % 10 < 3) (void)bad.on_lost(PacketNumber(number), 1472);
    else bad.on_acknowledged(PacketNumber(number), 1472);
    ++number;
  }
  BOOST_TEST(bad.loss_share() > 0.25);
  const auto row = [&](BlackHoleDetector& detector) {
    int losses = 1;
    while (!detector.on_lost(PacketNumber(number++), 1472)) ++losses;
    return losses;
  };
  BOOST_TEST(row(good) == 6);
  const int longer = row(bad);
  BOOST_TEST(longer >= 13);
  BOOST_TEST(longer <= 20);
}

namespace {

// A detector that has seen a good path, up to packet number 999.
BlackHoleDetector on_a_good_path() {
  BlackHoleDetector detector;
  for (std::uint64_t number = 800; number < 1000; ++number) detector.on_acknowledged(PacketNumber(number), 1472);
  return detector;
}
// Losses of these numbers; whether any of them gave the verdict.
bool lost(BlackHoleDetector& detector, std::uint64_t first, unsigned count, std::size_t size) {
  for (; count > 0; --count, ++first)
    if (detector.on_lost(PacketNumber(first), size)) return true;
  return false;
}

}  // namespace

BOOST_AUTO_TEST_CASE(acknowledgement_of_an_older_packet_does_not_end_the_row) {
  BlackHoleDetector detector = on_a_good_path();
  BOOST_TEST(!lost(detector, 1010, 5, 1472));
  detector.on_acknowledged(PacketNumber(1005), 1472);  // sent before the path shrank
  BOOST_TEST(lost(detector, 1015, 1, 1472));
}

BOOST_AUTO_TEST_CASE(acknowledgements_in_falling_order_explain_no_more_than_in_rising_order) {
  BlackHoleDetector detector = on_a_good_path();
  for (std::uint64_t number = 1020; number > 1000; --number) detector.on_acknowledged(PacketNumber(number), 1472);
  detector.on_acknowledged(PacketNumber(1100), 1300);
  BOOST_TEST(lost(detector, 1050, 6, 1472));
}

BOOST_AUTO_TEST_CASE(many_sizes_explain_losses_of_the_smallest_too) {
  BlackHoleDetector detector = on_a_good_path();
  std::uint64_t number = 1000;
  for (std::size_t size = 1470; size > 1300; size -= 10) detector.on_acknowledged(PacketNumber(number += 10), size);
  BOOST_TEST(!lost(detector, number - 9, 9, 1305));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace datagram_size_search_test
