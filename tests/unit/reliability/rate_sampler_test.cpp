// Delivery rates on constructed flights with a known answer.
#include "reliability/rate_sampler.h"

#include <boost/test/unit_test.hpp>
#include <vector>

using namespace mxp;
using namespace std::chrono_literals;

namespace rate_sampler_test {
namespace {

constexpr std::uint32_t kSize = 1000;

struct SamplerFixture {
  RateSampler sampler;
  std::vector<SentPacket> packets;
  std::uint64_t in_flight = 0;

  void send(Duration at) {
    SentPacket packet{.number = PacketNumber(packets.size()),
                      .sent_at = Timestamp(at),
                      .size_bytes = kSize,
                      .ack_eliciting = true,
                      .in_flight = true};
    packet.delivery = sampler.on_packet_sent(packet.sent_at, in_flight, kSize);
    in_flight += kSize;
    packets.push_back(packet);
  }
  RateSample ack(Duration at, std::initializer_list<std::size_t> numbers) {
    for (const std::size_t number : numbers) {
      sampler.on_acknowledged(packets[number]);
      in_flight -= kSize;
    }
    return sampler.finish_ack(Timestamp(at));
  }
  void lose(std::size_t count) {
    sampler.on_lost(count * kSize);
    in_flight -= count * kSize;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rate_sampler, SamplerFixture)

BOOST_AUTO_TEST_CASE(a_steady_flow_has_the_rate_at_which_it_is_acknowledged) {
  // One packet each millisecond, acknowledged ten milliseconds later: a megabyte per second.
  RateSample sample;
  for (int i = 0; i < 40; ++i) {
    send(i * 1ms);
    if (i >= 10) sample = ack(i * 1ms, {static_cast<std::size_t>(i - 10)});
  }
  BOOST_TEST(sample.rate.bytes_per_second() == 1'000'000u);
  BOOST_TEST(!sample.app_limited);
  BOOST_TEST(sample.total_delivered == 30'000u);
}

BOOST_AUTO_TEST_CASE(acks_in_a_bunch_do_not_make_the_path_faster_than_it_was_sent_over) {
  for (int i = 0; i < 10; ++i) send(i * 1ms);
  // All ten at once, in one instant after 20 ms: the sending took 9 ms, the time since the first was sent 20 ms.
  const RateSample sample = ack(20ms, {9, 8, 7, 6, 5, 4, 3, 2, 1, 0});
  BOOST_TEST(sample.rate.bytes_per_second() == 10 * kSize * 1000u / 20);
  BOOST_TEST(sample.delivered == 10u * kSize);
}

BOOST_AUTO_TEST_CASE(sending_slowly_is_not_taken_for_a_slow_ack_path) {
  send(0ms);
  (void)ack(10ms, {0});
  for (int i = 0; i < 5; ++i) send(10ms + i * 4ms);
  // Acknowledged within a millisecond, but sent over 16 ms.
  const RateSample sample = ack(27ms, {1, 2, 3, 4, 5});
  BOOST_TEST(sample.rate.bytes_per_second() == 5 * kSize * 1000u / 17);
}

BOOST_AUTO_TEST_CASE(idle_time_is_no_time_of_the_path) {
  send(0ms);
  (void)ack(10ms, {0});
  send(10s);
  const RateSample sample = ack(10s + 10ms, {1});
  BOOST_TEST(sample.rate.bytes_per_second() == kSize * 100u);
}

BOOST_AUTO_TEST_CASE(samples_are_marked_until_a_packet_after_the_pause_is_acknowledged) {
  send(0ms);
  send(0ms);
  sampler.on_application_limited(packets.size());
  send(1ms);  // the application has one more, with both others under way
  BOOST_TEST(!ack(10ms, {0, 1}).app_limited);
  send(11ms);
  BOOST_TEST(ack(12ms, {2}).app_limited);
  send(13ms);
  (void)ack(21ms, {3});
  BOOST_TEST(!ack(23ms, {4}).app_limited);
}

BOOST_AUTO_TEST_CASE(losing_what_was_under_way_does_not_keep_the_mark_up) {
  // A mark that counted bytes to be delivered would wait for ever for those that were lost.
  for (int i = 0; i < 4; ++i) send(0ms);
  sampler.on_application_limited(packets.size());
  send(1ms);
  lose(4);
  (void)ack(20ms, {4});
  send(21ms);
  BOOST_TEST(!ack(30ms, {5}).app_limited);
}

BOOST_AUTO_TEST_CASE(says_what_was_lost_since_the_newest_packet_was_sent) {
  for (int i = 0; i < 4; ++i) send(0ms);
  lose(1);
  send(5ms);
  lose(2);
  const RateSample sample = ack(10ms, {3, 4});
  BOOST_TEST(sample.lost == 2u * kSize);
  BOOST_TEST(sample.in_flight == 4u * kSize);
  BOOST_TEST(sample.prior_delivered == 0u);
}

BOOST_AUTO_TEST_CASE(late_arrivals_count_as_delivered_and_not_as_lost) {
  send(0ms);
  send(0ms);
  lose(1);
  sampler.on_late_arrival(kSize);
  BOOST_TEST(sampler.lost() == 0u);
  BOOST_TEST(sampler.delivered() == kSize);
}

BOOST_AUTO_TEST_CASE(an_ack_of_nothing_in_flight_gives_no_rate) {
  BOOST_TEST(sampler.finish_ack(Timestamp(1s)).rate.is_zero());
}

BOOST_AUTO_TEST_CASE(counters_pass_four_gigabytes) {
  constexpr std::uint32_t kHuge = 1'500'000'000;
  for (int i = 0; i < 8; ++i) {
    SentPacket packet{
        .number = PacketNumber(static_cast<std::uint64_t>(i)), .sent_at = Timestamp(i * 1s), .size_bytes = kHuge};
    packet.delivery = sampler.on_packet_sent(packet.sent_at, 0, kHuge);
    sampler.on_acknowledged(packet);
    const RateSample sample = sampler.finish_ack(Timestamp(i * 1s + 500ms));
    BOOST_TEST(sample.rate.bytes_per_second() == 2u * kHuge);
  }
  BOOST_TEST(sampler.delivered() == 8 * std::uint64_t{kHuge});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace rate_sampler_test
