// What a peer can make us do for each byte that it sends (docs/security.md, "Work for each byte"): every structure
// whose shape it decides, given the most expensive input that we know, with the steps counted. A step is an element
// looked at or moved, 16 bytes at most. The bounds are what the table in docs/security.md says.
#include "core/work.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <numeric>
#include <vector>

#include "crypto/replay_window.h"
#include "endpoint/connection_budget.h"
#include "reliability/ack_tracker.h"
#include "scheduler/ordered_channel.h"
#include "scheduler/receive_stream.h"
#include "scheduler/send_stream.h"
#include "scheduler/stream_ids.h"
#include "scheduler/stream_table.h"
#include "support/pattern.h"
#include "unit/reliability/sender.h"

namespace mxp::testing {

namespace {

using namespace std::chrono_literals;

// Bytes on the wire, the least that does it.
constexpr std::uint64_t kBytesOfRange = 2;        // one more range of an ACK frame
constexpr std::uint64_t kBytesOfAck = 5;          // type, largest, delay, count, first range: each in one byte
constexpr std::uint64_t kBytesOfStreamFrame = 4;  // type, stream, offset, one byte of data
constexpr std::uint64_t kBytesOfPacket = 29;      // docs/protocol.md §3

class Work {
 public:
  Work() { work_done = 0; }
  double for_each_byte(std::uint64_t peer_bytes) const {
    return static_cast<double>(work_done) / static_cast<double>(peer_bytes);
  }
};

void report(const char* structure, double steps) {
  BOOST_TEST_MESSAGE(structure << ": " << steps << " steps for each byte of the peer");
}

// The order in which a peer acknowledges.
enum class Order { ascending, descending, inwards };
std::vector<std::uint64_t> ordered(std::uint64_t count, Order order) {
  std::vector<std::uint64_t> all(count);
  std::iota(all.begin(), all.end(), 0);
  if (order == Order::descending) std::reverse(all.begin(), all.end());
  if (order == Order::inwards) {
    std::vector<std::uint64_t> mixed;
    for (std::uint64_t i = 0; i < count; ++i) mixed.push_back(i % 2 == 0 ? all[i / 2] : all[count - 1 - i / 2]);
    return mixed;
  }
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(work)

BOOST_AUTO_TEST_CASE(a_window_acknowledged_every_second_piece) {
  constexpr std::uint64_t kPieces = 65'536;
  const std::vector<std::uint8_t> data(kPieces, 7);
  for (const Order order : {Order::ascending, Order::descending, Order::inwards}) {
    SendStream stream;
    stream.start(true, kPieces);
    BOOST_TEST_REQUIRE(stream.write(data, {.held = kPieces}) == kPieces);
    stream.finish();
    while (stream.has_new_data()) stream.on_sent(stream.new_chunk(1));

    std::uint64_t acknowledged = 0;
    Work work;
    for (const std::uint64_t half : ordered(kPieces / 2, order)) {
      acknowledged += stream.on_acknowledged(2 * half + 1, 1, 2 * half + 2 == kPieces);
      stream.on_lost(2 * half, 1, false);
    }
    const double steps = work.for_each_byte(kBytesOfRange * kPieces / 2);
    report("acknowledged and lost ranges of a stream", steps);
    BOOST_TEST(steps < 3.0 * SentRanges::kMost);
    // Bounded in memory too: two sets of 16 bytes for each range, and what a vector keeps in reserve.
    BOOST_TEST(stream.memory() < kPieces + 2 * 2 * 2 * SentRanges::kMost * sizeof(RangeSet::Range));

    // And nothing is lost for good: what was not remembered is sent again, and each byte counts once.
    for (int turns = 0; stream.has_urgent(); ++turns) {
      BOOST_TEST_REQUIRE(turns < 100'000);
      const SendStream::Chunk chunk = stream.urgent_chunk(1000);
      stream.on_sent(chunk);
      acknowledged += stream.on_acknowledged(chunk.offset, chunk.length, chunk.fin);
    }
    BOOST_TEST(stream.done());
    BOOST_TEST(acknowledged == kPieces);
  }
}

BOOST_AUTO_TEST_CASE(acknowledgements_that_repeat_old_ranges) {
  SentPackets packets;
  for (std::uint64_t number = 0; number < 100'000; ++number) {
    SentPacket packet;
    packet.number = PacketNumber(number);
    packet.in_flight = packet.ack_eliciting = true;
    packets.add(packet);
  }
  const auto acknowledge = [&](std::uint64_t first, std::uint64_t last) {
    packets.acknowledge(first, last, [](const SentPacket&) {}, [](const SentPackets::Late&) {});
  };
  Work growing;  // 0 stays open, so that nothing is given back
  for (std::uint64_t largest = 10; largest < 100'000; largest += 10) acknowledge(1, largest);
  BOOST_TEST(work_done < 3u * 100'000);  // each packet a few times, whatever the ranges repeat
  // Ranges that end inside what is acknowledged: old frames that arrive late, or a peer that means to keep us busy.
  Work repeating;
  for (std::uint64_t i = 0; i < 10'000; ++i) acknowledge(1 + i * 7919 % 50'000, 60'000);
  const double steps = repeating.for_each_byte(10'000 * kBytesOfRange);
  report("records of sent packets", steps);
  BOOST_TEST(steps < 20.0);
}

BOOST_AUTO_TEST_CASE(acknowledgements_of_one_packet_each) {
  RecoveryConfig config;
  config.congestion_control = CongestionControl::none;
  Sender sender(config);
  // A packet declared lost that arrives after all widens the threshold, up to its cap.
  sender.send_many(at(1s), 300);
  sender.ack(at(1050ms), {one(299)});
  sender.ack(at(1051ms), {one(299), one(0)});
  // From now on each acknowledgement leaves as many as the threshold allows to be looked at again.
  sender.send_many(at(1052ms), 20'000);
  Work work;
  std::uint64_t frames = 0;
  for (std::uint64_t number = 300; number < sender.next; number += 2, ++frames) sender.ack(at(1053ms), {one(number)});
  const double steps = work.for_each_byte(frames * kBytesOfAck);
  report("packets that an acknowledgement may show to be lost", steps);
  BOOST_TEST(steps < 2.0 * LossDetector::kMaxPacketThreshold);
}

BOOST_AUTO_TEST_CASE(packet_numbers_with_gaps) {
  AckTracker acks(25ms);
  Work work;
  constexpr std::uint64_t kPackets = 10'000;
  for (std::uint64_t i = 0; i < kPackets; ++i) {
    // Groups of far numbers filled from above: each moves all ranges below it.
    const std::uint64_t number = (i / 64 + 1) * 1000 - 2 * (i % 64);
    acks.on_packet_received(at(1s), PacketNumber(number), true);
  }
  const double steps = work.for_each_byte(kPackets * kBytesOfPacket);
  report("numbers of received packets", steps);
  BOOST_TEST(steps < 5.0);
}

BOOST_AUTO_TEST_CASE(packet_numbers_that_jump) {
  ReplayWindow window;
  Work work;
  constexpr std::uint64_t kPackets = 1000;
  for (std::uint64_t i = 0; i < kPackets; ++i) window.mark(PacketNumber(i * (ReplayWindow::kMaxBits - 1)));
  const double steps = work.for_each_byte(kPackets * kBytesOfPacket);
  report("the replay window", steps);
  BOOST_TEST(steps < 40.0);
}

BOOST_AUTO_TEST_CASE(gaps_in_a_stream) {
  const FlowControlConfig config;
  const std::vector<std::uint8_t> byte(1, 7);
  ReceiveStream stream;
  stream.start(true, config.stream_window, config.max_stream_window);
  Work work;
  std::uint64_t frames = 0;
  for (std::uint64_t i = config.max_reassembly_spans; i > 0; --i, ++frames)
    BOOST_TEST_REQUIRE(stream.reassembler().insert(2 * i, byte, config.max_reassembly_spans));
  // With all gaps there, bytes that touch the lowest span grow it, or go in again.
  for (int i = 0; i < 10'000; ++i, ++frames)
    BOOST_TEST_REQUIRE(stream.reassembler().insert(2, byte, config.max_reassembly_spans));
  const double steps = work.for_each_byte(frames * kBytesOfStreamFrame);
  report("gaps in a received stream", steps);
  BOOST_TEST(steps < static_cast<double>(config.max_reassembly_spans));
}

// Gaps that are excused because whole packets lie between them, and then the same bytes again and again.
BOOST_AUTO_TEST_CASE(many_excused_gaps_and_then_nothing_new) {
  const FlowControlConfig config;
  ReceiveStream stream;
  stream.start(true, config.max_stream_window, config.max_stream_window);
  const std::vector<std::uint8_t> packet(Reassembler::kBytesForSpan);
  constexpr std::uint64_t kSpans = 20'000;
  for (std::uint64_t i = 1; i <= kSpans; ++i)
    BOOST_TEST_REQUIRE(stream.reassembler().insert(i * (packet.size() + 1), packet, config.max_reassembly_spans));
  Work work;
  constexpr std::uint64_t kFrames = 1000;
  for (std::uint64_t i = 0; i != kFrames; ++i)
    BOOST_TEST_REQUIRE(
        stream.reassembler().insert(packet.size() + 1, ByteView(packet).first(1), config.max_reassembly_spans));
  const double steps = work.for_each_byte(kFrames * kBytesOfStreamFrame);
  report("the same bytes again beside many gaps", steps);
  BOOST_TEST(steps < 10);
}

// Each new one is in front of all that wait, and then one frame gives all of them their turn.
BOOST_AUTO_TEST_CASE(places_in_an_ordered_channel) {
  constexpr std::uint64_t kBytesOfExpired =
      13;                                    // type, link; type, first (4), more, bytes; a number that far takes four
  constexpr std::uint64_t kCount = 600'000;  // 24 MiB of credit, 40 bytes each
  OrderedChannel channel;
  SequenceWindow settled(kMaxMessageWindow);
  Work work;
  for (std::uint64_t sequence = kCount; sequence > 0; --sequence) {
    settled.settle(sequence);
    channel.keep_expired(sequence, {MessageClass::critical, 1}, 40);
    BOOST_TEST_REQUIRE(channel.next(settled) == nullptr);
  }
  settled.settle(0);
  std::uint64_t credit = 0;
  while (channel.next(settled) != nullptr) credit += channel.take_next();
  BOOST_TEST(channel.empty());
  BOOST_TEST(credit == 40 * kCount);
  const double steps = work.for_each_byte(kCount * kBytesOfExpired);
  report("a place in an ordered channel", steps);
  BOOST_TEST(steps < 6);
}

BOOST_AUTO_TEST_CASE(streams_opened_out_of_order) {
  const std::uint64_t most = FlowControlConfig().max_streams_bidirectional;
  RemoteStreamIds ids(most);
  Work work;
  ids.touch(most - 1);
  std::uint64_t frames = 1;
  for (std::uint64_t index = most - 3; index > 1; index -= 2, ++frames) ids.touch(index);
  const double steps = work.for_each_byte(frames * kBytesOfStreamFrame);
  report("streams opened and not used", steps);
  BOOST_TEST(steps < static_cast<double>(most) / 2);
}

BOOST_AUTO_TEST_CASE(stream_ids_that_collide) {
  // All in one home of a table for as many streams as may be open at once, if its key were the one that the peer
  // guesses.
  const std::uint64_t most = FlowControlConfig().max_streams_bidirectional;
  constexpr std::uint64_t kGuessed = 1;
  std::vector<StreamId> colliding, dense;
  for (std::uint64_t value = 0; colliding.size() < most; value += 4)
    if (((value * kGuessed ^ value * kGuessed >> 32) * 0x9E3779B97F4A7C15u) >> (64 - 11) == 5)
      colliding.push_back(StreamId(value));
  for (std::uint64_t i = 0; i < most; ++i) dense.push_back(StreamId(4 * i));
  const auto steps_with = [](std::uint64_t hash_key, const std::vector<StreamId>& ids) {
    StreamTable table(hash_key);
    for (const StreamId id : ids) table.insert(id);
    double worst = 0;
    for (const StreamId id : ids) {  // the peer keeps asking for the one that costs most, and for another in between
      Work work;
      for (int i = 0; i < 2; ++i) {
        BOOST_TEST_REQUIRE(table.find(ids.front()) != nullptr);
        BOOST_TEST_REQUIRE(table.find(id) != nullptr);
      }
      worst = std::max(worst, work.for_each_byte(4 * (kBytesOfStreamFrame + 2)));  // such ids take longer forms
    }
    return worst;
  };
  BOOST_TEST(steps_with(kGuessed, colliding) > 50.0);  // the ids are chosen well
  double worst_dense = 0, worst_colliding = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const std::uint64_t key = test::mix(i);
    worst_dense = std::max(worst_dense, steps_with(key, dense));
    worst_colliding = std::max(worst_colliding, steps_with(key, colliding));
  }
  report("the table of streams, ids that follow each other", worst_dense);
  report("the table of streams, ids that collide under another key", worst_colliding);
  BOOST_TEST(worst_dense < 20.0);
  BOOST_TEST(worst_colliding < 20.0);
}

// Many keys with many connections each, and every packet changes the order of them all.
BOOST_AUTO_TEST_CASE(memory_counted_and_the_largest_asked_for_with_each_packet) {
  constexpr std::size_t kKeys = 1024;
  constexpr std::size_t kEach = 64;
  const EndpointLimits limits;
  ConnectionBudget budget(limits, 1000, 1);
  std::vector<ConnectionBudget::Account> accounts(kKeys * kEach);
  for (std::size_t i = 0; i < accounts.size(); ++i) {
    PublicKey::Bytes key{};
    key[0] = static_cast<std::uint8_t>(i % kKeys);
    key[1] = static_cast<std::uint8_t>(i % kKeys / 256);
    budget.join(accounts[i]);
    budget.attach(accounts[i], PublicKey(key));
    budget.set(accounts[i], 2000);
  }
  Work work;
  std::uint64_t packets = 0;
  for (const std::size_t bytes : {3000u, 1001u, 4000u, 1000u}) {
    for (auto& account : accounts) {
      budget.set(account, bytes);
      BOOST_REQUIRE(bytes == 1000 || budget.largest() != nullptr);
      ++packets;
    }
  }
  const double steps = work.for_each_byte(packets * kBytesOfPacket);
  report("who holds most memory", steps);
  BOOST_TEST(steps < 1.0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::testing
