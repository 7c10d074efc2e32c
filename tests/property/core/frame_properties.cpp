// Any sequence of frames, written and read again, is the same sequence; any cut of it gives an error or a prefix.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <ranges>

#include "support/frame_codec.h"

using namespace mxp;

namespace {

std::uint64_t number(int bits = 62) {
  const int used = *rc::gen::inRange(0, bits + 1);
  return used == 0 ? 0 : *rc::gen::arbitrary<std::uint64_t>() >> (64 - used);
}

std::vector<std::uint8_t> some_bytes(std::size_t most) {
  return *rc::gen::container<std::vector<std::uint8_t>>(*rc::gen::inRange<std::size_t>(0, most + 1),
                                                        rc::gen::arbitrary<std::uint8_t>());
}

// For a message with this number.
std::optional<OrderLink> some_order(std::uint64_t sequence) {
  if (*rc::gen::arbitrary<bool>()) return std::nullopt;
  const auto channel = static_cast<MessageClass>(*rc::gen::inRange<std::size_t>(0, kMessageClasses));
  return OrderLink{channel, static_cast<std::uint32_t>(std::min({number(20), sequence, kMaxMessageWindow - 1}))};
}

PathData eight_bytes() {
  PathData data;
  for (std::uint8_t& byte : data) byte = *rc::gen::arbitrary<std::uint8_t>();
  return data;
}

// Ranges from the highest to the lowest, disjoint and not adjacent.
std::vector<AckRange> some_ranges() {
  std::vector<AckRange> ranges;
  std::uint64_t last = number();
  const std::size_t count = *rc::gen::inRange<std::size_t>(1, 2 + kMaxAckRanges);
  while (ranges.size() < count) {
    const std::uint64_t length = std::min(number(20), last);
    const std::uint64_t first = last - length;
    ranges.push_back({PacketNumber(first), PacketNumber(last)});
    const std::uint64_t gap = number(20);
    if (first < 2 + gap) break;
    last = first - 2 - gap;
  }
  return ranges;
}

// From the earliest to the latest, of runs of numbers and of any numbers up to the largest.
std::vector<ReceiveTime> some_times(std::uint64_t largest) {
  std::vector<ReceiveTime> times;
  std::uint64_t at_us = number(49);
  std::uint64_t packet = std::min(number(), largest);
  const std::size_t count = *rc::gen::inRange<std::size_t>(0, 1 + kMaxReceiveTimes);
  while (times.size() < count) {
    times.push_back({PacketNumber(packet), std::chrono::microseconds(at_us)});
    at_us += number(40);
    const bool next = packet < largest && *rc::gen::inRange(0, 4) > 0;
    packet = next ? packet + 1 : std::min(number(), largest);
  }
  return times;
}

// Writes one random frame and returns what reading it should give; `store` keeps the bytes that it looks at.
struct Written {
  Frame frame;
  std::vector<AckRange> ranges;
  std::vector<ReceiveTime> times;  // the earliest first
};
bool write_some_frame(Writer& out, Written& written, std::vector<std::uint8_t>& store) {
  const StreamType type = *rc::gen::element(StreamType::bidirectional, StreamType::unidirectional);
  switch (*rc::gen::inRange(0, 24)) {
    case 0: written.frame = PingFrame{}; break;
    case 1: {
      written.ranges = some_ranges();
      AckFrame ack;
      ack.largest = written.ranges.front().last;
      ack.delay = std::chrono::microseconds(number(39));
      if (*rc::gen::arbitrary<bool>()) ack.ecn = EcnCounts{number(), number(), number()};
      written.frame = ack;
      if (*rc::gen::arbitrary<bool>()) written.times = some_times(ack.largest.value());
      return write_ack(out, written.ranges, ack.delay, ack.ecn, {written.times});
    }
    case 2: written.frame = ResetStreamFrame{StreamId(number()), number(), number()}; break;
    case 3: written.frame = StopSendingFrame{StreamId(number()), number()}; break;
    case 4:
      store = some_bytes(80);
      written.frame = StreamFrame{StreamId(number()), number(61), store, *rc::gen::arbitrary<bool>()};
      break;
    case 5: written.frame = MaxDataFrame{number()}; break;
    case 6: written.frame = MaxStreamDataFrame{StreamId(number()), number()}; break;
    case 7: written.frame = MaxStreamsFrame{type, number(60)}; break;
    case 8: written.frame = DataBlockedFrame{number()}; break;
    case 9: written.frame = StreamDataBlockedFrame{StreamId(number()), number()}; break;
    case 10: written.frame = StreamsBlockedFrame{type, number(60)}; break;
    case 11:
      written.frame =
          AckFrequencyFrame{number(), number(), std::chrono::microseconds(*rc::gen::inRange(0, 16'383'001)), number()};
      break;
    case 12: {
      const std::uint64_t sequence = number();
      written.frame = NewConnectionIdFrame{sequence, std::min(number(), sequence), ConnectionId(eight_bytes())};
      break;
    }
    case 13: written.frame = RetireConnectionIdFrame{number()}; break;
    case 14: written.frame = PathChallengeFrame{eight_bytes()}; break;
    case 15: written.frame = PathResponseFrame{eight_bytes()}; break;
    case 16:
      store = some_bytes(80);
      written.frame = DatagramFrame{store};
      break;
    case 17: {
      store = some_bytes(80);
      const auto form = *rc::gen::element(MessageFrame::Form::full, MessageFrame::Form::compact);
      const std::uint64_t sequence = number();
      written.frame = MessageFrame{form, sequence, store, some_order(sequence)};
      break;
    }
    case 18: {
      const auto count = *rc::gen::inRange<std::uint64_t>(1, kMaxMessageWindow + 1);
      const std::uint64_t first = number(61);
      const auto order = some_order(first);
      const std::uint64_t least = order ? kMessageOverhead : 0;
      const auto length = *rc::gen::inRange<std::uint64_t>(least, kMaxMessageCharge + 1);
      written.frame = ExpiredFrame{first, count, length, order};
      break;
    }
    case 19:
      written.frame = MaxMessagesFrame{*rc::gen::inRange<std::uint64_t>(0, kMaxMessageWindow + 1), number()};
      break;
    case 20: written.frame = MessagesBlockedFrame{number(), number()}; break;
    case 21: {
      store = some_bytes(79);
      store.push_back(0);
      const auto form = *rc::gen::element(MessageFrame::Form::full, MessageFrame::Form::compact);
      const auto offset = *rc::gen::inRange<std::uint64_t>(0, kMaxMessageLength - store.size() + 1);
      const auto behind = *rc::gen::inRange<std::uint64_t>(0, kMaxMessageLength - store.size() - offset + 1);
      const std::uint64_t sequence = number();
      const std::uint64_t size = offset + store.size() + behind;
      written.frame = MessagePartFrame{form, sequence, size, offset, store, some_order(sequence)};
      break;
    }
    case 22: {
      const auto state =
          *rc::gen::element(DrainFrame::State::begins, DrainFrame::State::done, DrainFrame::State::agrees);
      const std::chrono::milliseconds time(*rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << 32));
      written.frame = DrainFrame{state, state == DrainFrame::State::begins ? time : Duration::zero()};
      break;
    }
    default: {
      store = some_bytes(kMaxCloseReason);
      const bool application = *rc::gen::arbitrary<bool>();
      written.frame = CloseFrame{application, number(), application ? 0 : number(), store};
    }
  }
  return test::write_any(out, written.frame);
}

bool equal(const Written& written, const Frame& read) {
  if (const auto* ack = std::get_if<AckFrame>(&read);
      ack != nullptr && std::holds_alternative<AckFrame>(written.frame)) {
    const auto& expected = std::get<AckFrame>(written.frame);
    return ack->largest == expected.largest && ack->delay == expected.delay && ack->ecn == expected.ecn &&
           test::ranges_of(*ack) == written.ranges &&
           std::ranges::equal(test::times_of(*ack), written.times | std::views::reverse);
  }
  return test::same_frame(written.frame, read);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(frame_properties)

BOOST_AUTO_TEST_CASE(sequence_of_frames_round_trips) {
  BOOST_TEST(rc::check([] {
    const std::size_t count = *rc::gen::inRange<std::size_t>(1, 6);
    std::vector<std::uint8_t> buffer(16384);
    std::vector<Written> written(count);
    std::vector<std::vector<std::uint8_t>> stores(count);
    Writer out(buffer);
    for (std::size_t i = 0; i < count; ++i) RC_ASSERT(write_some_frame(out, written[i], stores[i]));
    FrameReader reader(out.so_far());
    for (std::size_t i = 0; i < count; ++i) {
      const auto frame = reader.next();
      RC_ASSERT(frame.has_value());
      RC_ASSERT(frame->has_value());
      RC_ASSERT(equal(written[i], **frame));
    }
    const auto end = reader.next();
    RC_ASSERT(end.has_value());
    RC_ASSERT(!end->has_value());
  }));
}

// All fields are self-delimiting and the writers always write lengths: a proper prefix of one frame is never a frame.
BOOST_AUTO_TEST_CASE(every_proper_prefix_of_a_frame_is_refused) {
  BOOST_TEST(rc::check([] {
    std::vector<std::uint8_t> buffer(4096), store;
    Written written;
    Writer out(buffer);
    RC_ASSERT(write_some_frame(out, written, store));
    for (std::size_t size = 1; size < out.written(); ++size) {
      FrameReader reader(out.so_far().first(size));
      const auto frame = reader.next();
      RC_ASSERT(!frame.has_value());
      RC_ASSERT(frame.error().code == TransportErrorCode::frame_encoding_error);
    }
  }));
}

// The reader against random bytes: it ends, and what it accepts can be written and read to the same again.
BOOST_AUTO_TEST_CASE(garbage_is_refused_or_round_trips) {
  BOOST_TEST(rc::check([] {
    std::vector<std::uint8_t> bytes = some_bytes(60);
    if (!bytes.empty()) bytes[0] = *rc::gen::inRange<std::uint8_t>(0, 0x3c);
    FrameReader reader(bytes);
    while (true) {
      const auto frame = reader.next();
      if (!frame || !*frame) break;
      std::array<std::uint8_t, 4096> buffer;
      Writer out(buffer);
      RC_ASSERT(test::write_any(out, **frame));
      FrameReader again(out.so_far());
      RC_ASSERT(test::same_frame(**frame, again.next().value().value()));
    }
  }));
}

BOOST_AUTO_TEST_SUITE_END()
