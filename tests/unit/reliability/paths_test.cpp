// Packets of another path than the one in use: waited for, but they teach nothing and take no room (RFC 9000 §9.4).
#include <boost/test/unit_test.hpp>
#include <chrono>

#include "unit/reliability/sender.h"

using namespace mxp;
using namespace mxp::testing;
using namespace std::chrono_literals;

namespace paths_test {
namespace {

struct TwoPaths {
  PathControl first{PathId::first, unpaced(), kDatagram};
  PathControl second{PathId{1}, unpaced(), kDatagram};
  Recovery recovery{first};
  std::uint64_t next = 0;

  void send(Timestamp now, const PathControl& path, PacketKind kind = PacketKind::ordinary,
            std::uint32_t bytes = kDatagram) {
    recovery.on_packet_sent({.number = PacketNumber(next),
                             .sent_at = now,
                             .frames_begin = next,
                             .frames_count = 1,
                             .size_bytes = bytes,
                             .ack_eliciting = true,
                             .in_flight = true,
                             .kind = kind,
                             .path = path.id()});
    ++next;
  }
  Outcome ack(Timestamp now, std::initializer_list<AckRange> ranges) {
    return recovery.on_ack(now, AckOf(ranges)).value();
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(paths)

BOOST_AUTO_TEST_CASE(an_acknowledgement_teaches_only_the_path_in_use) {
  TwoPaths it;
  for (int i = 0; i < 5; ++i) it.send(at(0ms), it.first);
  BOOST_TEST(it.first.bytes_in_flight() == 5 * kDatagram);
  it.recovery.use(it.second, &it.first);
  BOOST_TEST(it.second.bytes_in_flight() == 0);
  it.send(at(10ms), it.second);

  const std::uint64_t window = it.second.congestion_window();
  const Outcome old = it.ack(at(500ms), {range(0, 4)});
  BOOST_TEST(old.acknowledged.size() == 5u);
  BOOST_TEST(!old.rtt_sample.has_value());
  BOOST_TEST(!it.second.rtt().has_sample());
  BOOST_TEST(!it.first.rtt().has_sample());  // nor the standby: the sample is of a path that is not used
  BOOST_TEST(it.first.bytes_in_flight() == 0);
  BOOST_TEST(it.second.bytes_in_flight() == kDatagram);
  BOOST_TEST(it.second.congestion_window() == window);

  const Outcome own = it.ack(at(510ms), {range(0, 5)});
  BOOST_TEST(own.acknowledged.size() == 1u);
  BOOST_TEST((own.rtt_sample == std::optional<Duration>(500ms)));
  BOOST_TEST(it.second.bytes_in_flight() == 0);
}

BOOST_AUTO_TEST_CASE(a_loss_on_another_path_is_told_and_cuts_no_window) {
  TwoPaths it;
  for (int i = 0; i < 8; ++i) it.send(at(0ms), it.first);
  it.recovery.use(it.second, &it.first);
  for (int i = 0; i < 4; ++i) it.send(at(10ms), it.second);
  const std::uint64_t window = it.second.congestion_window();
  const Outcome outcome = it.ack(at(60ms), {range(8, 11)});
  BOOST_TEST(outcome.lost.size() == 8u);
  BOOST_TEST(it.first.bytes_in_flight() == 0);
  BOOST_TEST(it.second.bytes_in_flight() == 0);
  BOOST_TEST(it.second.congestion_window() >= window);
  BOOST_TEST(!outcome.persistent_congestion);

  // They arrive after all: counted, and again no lesson.
  const Outcome late = it.ack(at(70ms), {range(0, 11)});
  BOOST_TEST(late.spurious == 8u);
  BOOST_TEST(it.second.congestion_window() >= window);
}

BOOST_AUTO_TEST_CASE(both_in_one_acknowledgement_are_kept_apart) {
  TwoPaths it;
  for (int i = 0; i < 3; ++i) it.send(at(0ms), it.first);
  it.recovery.use(it.second, nullptr);
  for (int i = 0; i < 3; ++i) it.send(at(10ms), it.second);
  const std::uint64_t window = it.second.congestion_window();
  BOOST_TEST(it.ack(at(50ms), {range(0, 5)}).acknowledged.size() == 6u);
  BOOST_TEST(it.second.bytes_in_flight() == 0);
  BOOST_TEST(it.second.rtt().latest() == Duration(40ms));
  // Only what was sent on it lets the window grow.
  BOOST_TEST(it.second.congestion_window() <= window + 3 * kDatagram);
}

BOOST_AUTO_TEST_CASE(a_lost_probe_for_size_is_no_congestion) {
  TwoPaths it;
  it.send(at(0ms), it.first);
  it.send(at(0ms), it.first, PacketKind::size_probe, 9000);
  for (int i = 0; i < 4; ++i) it.send(at(1ms), it.first);
  const std::uint64_t window = it.first.congestion_window();
  const Outcome outcome = it.ack(at(50ms), {range(2, 5), range(0, 0)});
  BOOST_REQUIRE(outcome.lost.size() == 1u);
  BOOST_TEST(outcome.lost.front().packet.size_bytes == 9000u);
  BOOST_TEST(it.first.bytes_in_flight() == 0);
  BOOST_TEST(it.first.congestion_window() >= window);
  // Nor is its late arrival a lesson.
  BOOST_TEST(it.ack(at(60ms), {range(0, 5)}).spurious == 1u);

  // An ordinary packet at the same place cuts it.
  const std::uint64_t before = it.first.congestion_window();
  it.send(at(100ms), it.first);
  for (int i = 0; i < 8; ++i) it.send(at(101ms), it.first);
  it.ack(at(150ms), {range(7, 14), range(0, 5)});
  BOOST_TEST(it.first.congestion_window() < before);
}

// It never left: nothing waits for it, and should somebody acknowledge it all the same, that is no offence.
BOOST_AUTO_TEST_CASE(a_refused_packet_is_neither_in_flight_nor_lost) {
  TwoPaths it;
  it.send(at(0ms), it.first, PacketKind::size_probe, 9000);
  BOOST_TEST(it.first.bytes_in_flight() == 9000u);
  BOOST_TEST((it.recovery.deadline() != kNever));
  it.recovery.on_packet_refused(PacketNumber(0));
  BOOST_TEST(it.first.bytes_in_flight() == 0u);
  BOOST_TEST((it.recovery.deadline() == kNever));
  it.recovery.on_packet_refused(PacketNumber(0));
  it.recovery.on_packet_refused(PacketNumber(7));
  BOOST_TEST(it.first.bytes_in_flight() == 0u);
  for (int i = 0; i < 8; ++i) it.send(at(1ms), it.first);
  const Outcome outcome = it.ack(at(50ms), {range(1, 8)});
  BOOST_TEST(outcome.lost.empty());
  BOOST_TEST(it.ack(at(60ms), {range(0, 8)}).acknowledged.empty());
  BOOST_TEST(it.first.bytes_in_flight() == 0u);
}

BOOST_AUTO_TEST_CASE(a_return_to_the_standby_finds_it_as_it_was) {
  TwoPaths it;
  for (int i = 0; i < 4; ++i) it.send(at(0ms), it.first);
  it.ack(at(30ms), {range(0, 3)});
  const std::uint64_t window = it.first.congestion_window();
  it.recovery.use(it.second, &it.first);
  it.send(at(40ms), it.second);
  it.recovery.use(it.first, nullptr);
  BOOST_TEST(it.first.rtt().latest() == Duration(30ms));
  BOOST_TEST(it.first.congestion_window() == window);
  BOOST_TEST(it.ack(at(90ms), {range(0, 4)}).acknowledged.size() == 1u);
  BOOST_TEST(it.first.bytes_in_flight() == 0);
  BOOST_TEST(it.first.rtt().latest() == Duration(30ms));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace paths_test
