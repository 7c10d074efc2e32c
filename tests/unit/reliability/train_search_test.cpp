// The search for the rate of a path by trains of packets, on a path that takes one rate and keeps the order.
#include "reliability/train_search.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <deque>

#include "reliability/scaled.h"

using namespace mxp;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t kSize = 1200;
constexpr Duration kRoundTrip = 50ms;

ByteRate mbit(std::uint64_t value) { return ByteRate::bits_per_second(value * 1'000'000); }

// Each packet is acknowledged by itself, as soon as it has arrived.
struct Path {
  explicit Path(ByteRate known) : search(known) {}

  // Sends as the search says, or slower; false when the search is over.
  bool run(Duration span, ByteRate no_faster_than = mbit(100'000)) {
    for (const Timestamp end = now + span; now < end; now += 10us) {
      while (!under_way.empty() && under_way.front().second <= now) {
        const auto [packet, at] = under_way.front();
        under_way.pop_front();
        acknowledged += kSize;
        if (search.on_ack(packet, at - packet.sent_at + noise())) return false;
      }
      if (now < next) continue;
      SentPacket packet{.number = PacketNumber(number++), .sent_at = now, .size_bytes = kSize, .in_flight = true};
      sent += kSize;
      packet.delivery = {.delivered = acknowledged, .in_flight = sent - acknowledged};
      search.on_packet_sent(packet, kRoundTrip);
      if (search.pacing_gain() <= 1.0) train_from = now;
      longest_train = std::max(longest_train, now - train_from);
      free_at = std::max(free_at, now) + rate.time_for(kSize);
      longest_queue = std::max(longest_queue, free_at - now);
      under_way.emplace_back(packet, free_at + kRoundTrip);
      next =
          std::max(next + std::min(scaled(search.rate(), search.pacing_gain()), no_faster_than).time_for(kSize), now);
    }
    return true;
  }
  Duration noise() { return jitter == 0ms ? 0ms : jitter * static_cast<int>(number * 2654435761u % 1000) / 1000; }

  ByteRate rate = mbit(100);
  Duration jitter{};
  TrainSearch search;
  Timestamp now{1s}, next{1s}, free_at{};
  Timestamp train_from{1s};
  Duration longest_queue{}, longest_train{};
  std::deque<std::pair<SentPacket, Timestamp>> under_way;
  std::uint64_t number = 0, sent = 0, acknowledged = 0;
};

void check_found(const Path& path, std::uint64_t expected_mbit, std::uint64_t per_cent) {
  const std::uint64_t found = path.search.rate().bits_per_second();
  BOOST_TEST(found >= expected_mbit * 10'000 * (100 - per_cent));
  BOOST_TEST(found <= expected_mbit * 10'000 * (100 + per_cent));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(train_search)

BOOST_AUTO_TEST_CASE(the_rate_is_found_in_some_round_trips_with_a_short_queue) {
  for (const std::uint64_t known : {3, 7, 30, 60, 99}) {
    Path path(mbit(known));
    BOOST_TEST(!path.run(1s));
    check_found(path, 100, 4);
    BOOST_TEST(path.longest_queue < 7ms);
  }
}

BOOST_AUTO_TEST_CASE(a_rate_that_is_too_high_is_taken_back) {
  Path path(mbit(150));
  BOOST_TEST(!path.run(2s));
  check_found(path, 100, 25);
}

BOOST_AUTO_TEST_CASE(round_trips_that_vary_do_not_end_it_early) {
  Path path(mbit(7));
  path.jitter = 4ms;
  BOOST_TEST(!path.run(3s));
  check_found(path, 100, 35);
}

BOOST_AUTO_TEST_CASE(where_round_trips_vary_a_train_is_longer) {
  for (const Duration jitter : {0ms, 12ms}) {
    Path path(mbit(20));
    path.jitter = jitter;
    path.run(1s);
    BOOST_TEST((path.longest_train > 7ms) == (jitter != 0ms));
  }
}

BOOST_AUTO_TEST_CASE(a_sender_that_does_not_keep_up_learns_nothing_and_goes_on) {
  Path path(mbit(7));
  BOOST_TEST(path.run(2s, mbit(5)));
  BOOST_TEST((path.search.rate() == mbit(7)));
  BOOST_TEST(!path.run(1s));
  check_found(path, 100, 4);
}

BOOST_AUTO_TEST_CASE(the_gap_makes_up_for_the_train) {
  Path path(mbit(10));
  path.run(40ms);
  BOOST_TEST(path.search.pacing_gain() == 1.0);
  const double mean = static_cast<double>(path.sent) / static_cast<double>(mbit(10).bytes_in(path.now - Timestamp(1s)));
  BOOST_TEST(mean > 0.95);
  BOOST_TEST(mean < 1.1);
}

BOOST_AUTO_TEST_CASE(a_slot_is_copied_without_its_search) {
  TrainSearchSlot slot;
  BOOST_TEST(!slot);
  slot.begin(mbit(1));
  BOOST_TEST(!!slot);
  const TrainSearchSlot copy(slot);
  BOOST_TEST(!copy);
  slot.end();
  BOOST_TEST(!slot);
}

BOOST_AUTO_TEST_SUITE_END()
