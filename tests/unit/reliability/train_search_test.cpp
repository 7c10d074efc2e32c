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
  explicit Path(ByteRate known) : search(known, mbit(1)) {}

  // Sends as the search says, or slower; false when the search is over.
  bool run(Duration span, ByteRate no_faster_than = mbit(100'000)) {
    for (const Timestamp end = now + span; now < end; now += 10us) {
      while (!under_way.empty() && under_way.front().second <= now) {
        const auto [packet, at] = under_way.front();
        under_way.pop_front();
        acknowledged += kSize;
        const Duration waited = at - packet.sent_at + noise() + (packet.frames_count != 0 ? held_in_trains : 0ms);
        verdict = search.on_ack(packet, measured ? std::optional(waited) : std::nullopt);
        if (verdict != TrainSearch::Verdict::goes_on) return false;
      }
      if (now < next) continue;
      SentPacket packet{.number = PacketNumber(number++), .sent_at = now, .size_bytes = kSize, .in_flight = true};
      sent += kSize;
      packet.delivery = {
          .delivered = acknowledged, .lost = lost, .in_flight = sent - acknowledged - lost, .app_limited = app_limited};
      search.on_packet_sent(packet, kRoundTrip, kSize);
      if (search.pacing_gain() <= 1.0) train_from = now;
      longest_train = std::max(longest_train, now - train_from);
      packet.frames_count = search.pacing_gain() > 1.0 ? 1 : 0;
      free_at = std::max(free_at, now) + rate.time_for(kSize);
      longest_queue = std::max(longest_queue, free_at - now);
      if (lose_every != 0 && number % lose_every == 0) lost += kSize;
      else under_way.emplace_back(packet, free_at + kRoundTrip);
      next =
          std::max(next + std::min(scaled(search.rate(), search.pacing_gain()), no_faster_than).time_for(kSize), now);
    }
    return true;
  }
  Duration noise() { return jitter == 0ms ? 0ms : jitter * static_cast<int>(number * 2654435761u % 1000) / 1000; }

  ByteRate rate = mbit(100);
  Duration jitter{}, held_in_trains{};
  bool measured = true;
  bool app_limited = false;
  std::uint64_t lose_every = 0;
  TrainSearch search;
  TrainSearch::Verdict verdict = TrainSearch::Verdict::goes_on;
  Timestamp now{1s}, next{1s}, free_at{};
  Timestamp train_from{1s};
  Duration longest_queue{}, longest_train{};
  std::deque<std::pair<SentPacket, Timestamp>> under_way;
  std::uint64_t number = 0, sent = 0, acknowledged = 0, lost = 0;
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

BOOST_AUTO_TEST_CASE(an_application_that_sends_little_teaches_nothing_and_may_send_more_later) {
  Path path(mbit(7));
  path.app_limited = true;
  BOOST_TEST(path.run(2s, mbit(5)));
  BOOST_TEST((path.search.rate() == mbit(7)));
  path.app_limited = false;
  BOOST_TEST(!path.run(1s));
  check_found(path, 100, 4);
}

// What it sends in bursts teaches what the path takes, but does not end the search.
BOOST_AUTO_TEST_CASE(an_application_that_sends_in_bursts_keeps_the_search_open) {
  Path path(mbit(7));
  path.app_limited = true;
  BOOST_TEST(path.run(2s));
  check_found(path, 100, 4);
}

BOOST_AUTO_TEST_CASE(a_host_that_is_slower_than_the_path_ends_it) {
  Path path(mbit(7));
  BOOST_TEST(!path.run(2s, mbit(5)));
  BOOST_TEST((path.verdict == TrainSearch::Verdict::given_up));
}

BOOST_AUTO_TEST_CASE(a_host_that_is_always_late_ends_it) {
  TrainSearch search(mbit(20), mbit(1));
  Timestamp now{1s};
  for (int i = 0; i < 9; ++i) search.on_packet_sent({.sent_at = now += 12ms, .size_bytes = kSize}, kRoundTrip, kSize);
  BOOST_TEST((search.on_ack({.sent_at = now}, kRoundTrip) == TrainSearch::Verdict::given_up));
}

BOOST_AUTO_TEST_CASE(a_pause_in_a_train_is_no_part_of_it) {
  Path path(mbit(7));
  path.run(2ms);
  BOOST_TEST(path.search.pacing_gain() > 1.0);
  path.now += 5s;
  path.next = path.now;
  BOOST_TEST(!path.run(1s));
  BOOST_TEST((path.verdict == TrainSearch::Verdict::found));
  check_found(path, 100, 4);
}

BOOST_AUTO_TEST_CASE(a_train_is_no_longer_than_a_quarter_of_the_round_trip) {
  Path path(mbit(20));
  path.jitter = 60ms;
  path.run(3s);
  BOOST_TEST((path.longest_train > 10ms));
  BOOST_TEST((path.longest_train < 14ms));
}

// Each other train finds more, so that three in a row without growth never come.
BOOST_AUTO_TEST_CASE(a_path_that_changes_all_the_time_ends_it) {
  Path path(mbit(20));
  bool goes_on = true;
  for (int i = 0; goes_on && i < 100; ++i) {
    path.rate = mbit(i % 2 == 0 ? 100 : 25);
    goes_on = path.run(66ms);
  }
  BOOST_TEST(!goes_on);
  BOOST_TEST((path.verdict == TrainSearch::Verdict::given_up));
}

// Packets are sent as fast as they were meant, but nothing is measured.
BOOST_AUTO_TEST_CASE(trains_that_teach_nothing_end_it) {
  Path path(mbit(7));
  path.measured = false;
  BOOST_TEST(!path.run(2s));
  BOOST_TEST((path.verdict == TrainSearch::Verdict::given_up));
  BOOST_TEST((path.search.rate() == mbit(7)));
}

// As a peer does that holds back what it says of each train.
BOOST_AUTO_TEST_CASE(the_rate_has_a_floor_and_the_search_an_end) {
  Path path(mbit(7));
  path.held_in_trains = 200ms;
  path.run(60s);
  BOOST_TEST((path.verdict != TrainSearch::Verdict::goes_on));
  BOOST_TEST((path.search.rate() >= mbit(1)));
}

// What is small is sent often: eight of its kind would be no train.
BOOST_AUTO_TEST_CASE(a_train_has_eight_full_datagrams_on_a_slow_path) {
  TrainSearch search(mbit(1), mbit(1));
  Timestamp now{1s};
  BOOST_TEST(search.on_packet_sent({.sent_at = now, .size_bytes = 64}, kRoundTrip, kSize));
  now += mbit(2).time_for(7 * kSize);
  BOOST_TEST(!search.on_packet_sent({.sent_at = now, .size_bytes = 64}, kRoundTrip, kSize));
  now += mbit(2).time_for(kSize);
  BOOST_TEST(search.on_packet_sent({.sent_at = now, .size_bytes = 64}, kRoundTrip, kSize));
}

BOOST_AUTO_TEST_CASE(lost_packets_of_a_train_count_as_sent) {
  Path path(mbit(30));
  path.lose_every = 10;
  BOOST_TEST(!path.run(2s));
  check_found(path, 100, 5);
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
  slot.begin(mbit(1), mbit(1));
  BOOST_TEST(!!slot);
  const TrainSearchSlot copy(slot);
  BOOST_TEST(!copy);
  slot.end();
  BOOST_TEST(!slot);
  BOOST_TEST(!slot.was_given_up());
  for (int drops = 0; drops < 3; ++drops) {
    BOOST_TEST(!slot.was_given_up());
    slot.begin(mbit(1), mbit(1));
    slot.drop();
    BOOST_TEST(!slot);
  }
  BOOST_TEST(slot.was_given_up());
}

BOOST_AUTO_TEST_SUITE_END()
