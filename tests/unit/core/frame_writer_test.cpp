#include "core/frame_writer.h"

#include <boost/test/unit_test.hpp>

#include "core/frame_reader.h"
#include "support/frame_codec.h"
#include "support/hex.h"

using namespace mxp;
using mxp::test::hex;

BOOST_AUTO_TEST_SUITE(frame_writer)

namespace {

std::vector<std::uint8_t> written(const Frame& frame) {
  std::array<std::uint8_t, 2048> buffer;
  Writer out(buffer);
  BOOST_REQUIRE(test::write_any(out, frame));
  return {out.so_far().begin(), out.so_far().end()};
}

ByteView view(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

std::vector<AckRange> every_second_number(std::size_t count) {
  std::vector<AckRange> ranges;
  for (std::size_t i = count; i-- > 0;) ranges.push_back({PacketNumber(2 * i), PacketNumber(2 * i)});
  return ranges;
}

AckFrame read_ack(ByteView bytes) {
  FrameReader reader(bytes);
  return std::get<AckFrame>(reader.next().value().value());
}

}  // namespace

BOOST_AUTO_TEST_CASE(frames_have_the_bytes_of_the_document) {
  const std::pair<Frame, const char*> table[] = {
      {PaddingFrame{3}, "000000"},
      {PingFrame{}, "01"},
      {ResetStreamFrame{StreamId(4), 0x100, 0x200}, "06 04 4100 4200"},
      {StopSendingFrame{StreamId(5), 7}, "07 05 07"},
      {StreamFrame{StreamId(4), 0, view("abc"), false}, "0a 04 03 616263"},
      {StreamFrame{StreamId(4), 64, view("abc"), true}, "0f 04 4040 03 616263"},
      {StreamFrame{StreamId(4), 0, {}, true}, "0b 04 00"},
      {MaxDataFrame{0x400}, "10 4400"},
      {MaxStreamDataFrame{StreamId(6), 0x400}, "11 06 4400"},
      {MaxStreamsFrame{StreamType::bidirectional, 9}, "12 09"},
      {MaxStreamsFrame{StreamType::unidirectional, 9}, "13 09"},
      {DataBlockedFrame{8}, "14 08"},
      {StreamDataBlockedFrame{StreamId(1), 8}, "15 01 08"},
      {StreamsBlockedFrame{StreamType::bidirectional, 3}, "16 03"},
      {StreamsBlockedFrame{StreamType::unidirectional, 3}, "17 03"},
      {AckFrequencyFrame{1, 10, std::chrono::milliseconds(25), 3}, "05 01 0a 800061a8 03"},
      {ImmediateAckFrame{}, "1f"},
      {NewConnectionIdFrame{64, 2, ConnectionId({1, 2, 3, 4, 5, 6, 7, 8})}, "18 4040 02 0102030405060708"},
      {RetireConnectionIdFrame{64}, "19 4040"},
      {MessageFrame{MessageFrame::Form::full, 64, view("abc")}, "32 4040 03 616263"},
      {MessageFrame{MessageFrame::Form::compact, 1, view("")}, "37 01 00"},
      {ExpiredFrame{64, 3, 100}, "33 4040 02 4064"},
      {MaxMessagesFrame{16384, 64}, "34 80004000 4040"},
      {MessagesBlockedFrame{64, 8}, "38 4040 08"},
      {MessagePartFrame{MessageFrame::Form::full, 64, 16384, 5, view("abc")}, "39 4040 80004000 05 03 616263"},
      {MessagePartFrame{MessageFrame::Form::compact, 1, 3, 2, view("a")}, "3a 01 03 02 01 61"},
      {MessageFrame{MessageFrame::Form::full, 64, view("abc"), OrderLink{MessageClass::control, 3}},
       "3b 0d 32 4040 03 616263"},
      {MessagePartFrame{MessageFrame::Form::compact, 64, 3, 1, view("b"), OrderLink{MessageClass::background, 64}},
       "3b 4103 3a 4040 03 01 01 62"},
      {ExpiredFrame{1, 3, 40, OrderLink{MessageClass::streaming, 1}}, "3b 06 33 01 02 28"},
      {DrainFrame{DrainFrame::State::begins, std::chrono::milliseconds(64)}, "36 00 4040"},
      {DrainFrame{DrainFrame::State::begins, kLongestDrain}, "36 00 c0000000ffffffff"},
      {DrainFrame{DrainFrame::State::done}, "36 01"},
      {DrainFrame{DrainFrame::State::agrees}, "36 02"},
      {PathChallengeFrame{{1, 2, 3, 4, 5, 6, 7, 8}}, "1a 0102030405060708"},
      {PathResponseFrame{{1, 2, 3, 4, 5, 6, 7, 8}}, "1b 0102030405060708"},
      {DatagramFrame{view("abc")}, "31 03 616263"},
      {DatagramFrame{}, "31 00"},
      {CloseFrame{false, 0x0a, 8, view("hi")}, "1c 0a 08 02 6869"},
      {CloseFrame{true, 0x400, 0, {}}, "1d 4400 00"},
  };
  for (const auto& [frame, bytes] : table) BOOST_TEST(written(frame) == hex(bytes), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(ack_is_written_from_the_highest_range_down) {
  const AckRange ranges[] = {{PacketNumber(98), PacketNumber(100)},
                             {PacketNumber(95), PacketNumber(95)},
                             {PacketNumber(83), PacketNumber(93)}};
  std::array<std::uint8_t, 64> buffer;
  Writer out(buffer);
  BOOST_REQUIRE(write_ack(out, ranges, std::chrono::microseconds(200), std::nullopt));
  BOOST_TEST(std::vector(out.so_far().begin(), out.so_far().end()) == hex("02 4064 40c8 02 02 01 00 00 0a"),
             boost::test_tools::per_element());
  Writer with_ecn(buffer);
  BOOST_REQUIRE(write_ack(with_ecn, std::span(ranges).first(1), std::chrono::microseconds(0), EcnCounts{1, 2, 64}));
  BOOST_TEST(std::vector(with_ecn.so_far().begin(), with_ecn.so_far().end()) == hex("03 4064 00 00 02 01 02 4040"),
             boost::test_tools::per_element());
}

std::vector<ReceiveTime> some_times(std::uint64_t first, std::size_t count) {
  std::vector<ReceiveTime> times;
  for (std::size_t i = 0; i < count; ++i)
    times.push_back({PacketNumber(first + i), std::chrono::milliseconds(1000) + i * std::chrono::microseconds(100)});
  return times;
}

BOOST_AUTO_TEST_CASE(receive_times_are_written_from_the_latest_back) {
  const auto at = [](std::uint64_t number, int ns) { return ReceiveTime{PacketNumber(number), Duration(ns)}; };
  const AckRange ranges[] = {{PacketNumber(98), PacketNumber(100)}, {PacketNumber(95), PacketNumber(96)}};
  // 95 came late. Parts of a microsecond are left out of each time, and do not add up.
  const ReceiveTime times[] = {at(98, 5'999), at(99, 6'900), at(100, 7'800), at(95, 9'100)};
  std::array<std::uint8_t, 64> buffer;
  Writer out(buffer);
  BOOST_REQUIRE(write_ack(out, ranges, {}, EcnCounts{1, 2, 3}, {times}));
  BOOST_TEST(std::vector(out.so_far().begin(), out.so_far().end()) ==
                 hex("21 4064 00 01 02 00 01 01 02 03  02  05 01 09  00 03 02 01 01"),
             boost::test_tools::per_element());
  Writer without_marks(buffer);
  BOOST_REQUIRE(write_ack(without_marks, std::span(ranges).first(1), {}, std::nullopt, {std::span(times).first(1)}));
  BOOST_TEST(std::vector(without_marks.so_far().begin(), without_marks.so_far().end()) ==
                 hex("20 4064 00 00 02  01  02 01 05"),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(ack_leaves_out_the_earliest_times_when_space_is_short) {
  const auto ranges = every_second_number(40);
  const std::vector<ReceiveTime> times = some_times(40, 38);
  std::size_t most = 0;
  for (std::size_t space = 16; space <= 256; ++space) {
    std::vector<std::uint8_t> buffer(space);
    Writer out(buffer), plain(buffer);
    BOOST_REQUIRE(write_ack(plain, ranges, {}, EcnCounts{1, 2, 3}));
    const std::size_t ranges_written = read_ack(plain.so_far()).ranges.size();
    BOOST_REQUIRE(write_ack(out, ranges, {}, EcnCounts{1, 2, 3}, {times}));
    const AckFrame ack = read_ack(out.so_far());
    BOOST_TEST(ack.ranges.size() == ranges_written);  // times take no range's room
    const auto got = test::times_of(ack);
    BOOST_TEST((std::ranges::equal(got, std::vector(times.rbegin(), times.rbegin() + static_cast<long>(got.size())))));
    BOOST_TEST(got.size() >= most);
    BOOST_TEST(ack.times.has_value() == !got.empty());
    most = got.size();
  }
  BOOST_TEST(most == times.size());
}

BOOST_AUTO_TEST_CASE(receive_times_take_no_more_bytes_than_allowed) {
  const AckRange range{PacketNumber(0), PacketNumber(1'000'000)};
  // Each packet overtaken by the one before: a range for each, and the distances are long.
  std::vector<ReceiveTime> times = some_times(100'000, kMaxReceiveTimes);
  for (ReceiveTime& time : times) time.number = PacketNumber(200'000 - 2 * time.number.value() / 2);
  std::array<std::uint8_t, 1200> buffer;
  Writer plain(buffer);
  BOOST_REQUIRE(write_ack(plain, std::span(&range, 1), {}, std::nullopt));
  for (const std::size_t most : {std::size_t{0}, std::size_t{7}, std::size_t{256}}) {
    Writer out(buffer);
    BOOST_REQUIRE(write_ack(out, std::span(&range, 1), {}, std::nullopt, {times, most}));
    BOOST_TEST(out.written() <= plain.written() + most);
    BOOST_TEST(out.written() + 16 >= plain.written() + most);  // and the room is used
  }
  // No more than the frame may carry, however much room there is.
  const std::vector<ReceiveTime> many = some_times(1000, kMaxReceiveTimes + 1);
  Writer out(buffer);
  BOOST_REQUIRE(write_ack(out, std::span(&range, 1), {}, std::nullopt, {many}));
  BOOST_TEST(read_ack(out.so_far()).times->size() == kMaxReceiveTimes);
}

BOOST_AUTO_TEST_CASE(negative_ack_delay_is_written_as_none) {
  const AckRange range{PacketNumber(1), PacketNumber(1)};
  std::array<std::uint8_t, 16> buffer;
  Writer out(buffer);
  BOOST_REQUIRE(write_ack(out, std::span(&range, 1), std::chrono::milliseconds(-5), std::nullopt));
  BOOST_TEST((read_ack(out.so_far()).delay == Duration::zero()));
}

BOOST_AUTO_TEST_CASE(ack_leaves_out_the_lowest_ranges_when_space_is_short) {
  const auto ranges = every_second_number(40);
  std::size_t most = 0;
  for (std::size_t space = 0; space <= 128; ++space) {
    std::vector<std::uint8_t> buffer(space);
    Writer out(buffer);
    if (!write_ack(out, ranges, Duration::zero(), EcnCounts{1, 2, 3})) {
      BOOST_TEST(out.written() == 0u);
      BOOST_TEST(most == 0u);
      continue;
    }
    const auto got = test::ranges_of(read_ack(out.so_far()));
    BOOST_TEST(got.size() >= most);
    BOOST_TEST((std::equal(got.begin(), got.end(), ranges.begin())));
    most = got.size();
  }
  BOOST_TEST(most == 40u);
}

BOOST_AUTO_TEST_CASE(ack_never_has_more_ranges_than_a_peer_reads) {
  const auto ranges = every_second_number(100);
  std::array<std::uint8_t, 1200> buffer;
  Writer out(buffer);
  BOOST_REQUIRE(write_ack(out, ranges, Duration::zero(), std::nullopt));
  BOOST_TEST(read_ack(out.so_far()).ranges.size() == 1 + kMaxAckRanges);
}

BOOST_AUTO_TEST_CASE(ack_of_nothing_is_not_written) {
  std::array<std::uint8_t, 16> buffer;
  Writer out(buffer);
  BOOST_TEST(!write_ack(out, {}, Duration::zero(), std::nullopt));
  BOOST_TEST(out.written() == 0u);
}

BOOST_AUTO_TEST_CASE(frame_that_does_not_fit_writes_nothing) {
  for (const Frame& frame : {Frame(PaddingFrame{3}),
                             Frame(PingFrame{}),
                             Frame(ResetStreamFrame{StreamId(4), 0x100, 0x200}),
                             Frame(StopSendingFrame{StreamId(5), 700}),
                             Frame(StreamFrame{StreamId(4), 64, view("abc"), true}),
                             Frame(MaxDataFrame{0x400}),
                             Frame(MaxStreamDataFrame{StreamId(6), 0x400}),
                             Frame(MaxStreamsFrame{StreamType::bidirectional, 900}),
                             Frame(DataBlockedFrame{800}),
                             Frame(StreamDataBlockedFrame{StreamId(1), 8}),
                             Frame(StreamsBlockedFrame{StreamType::unidirectional, 3}),
                             Frame(AckFrequencyFrame{1, 10, std::chrono::milliseconds(25), 3}),
                             Frame(ImmediateAckFrame{}),
                             Frame(NewConnectionIdFrame{64, 2, {}}),
                             Frame(RetireConnectionIdFrame{64}),
                             Frame(PathChallengeFrame{}),
                             Frame(PathResponseFrame{}),
                             Frame(MessageFrame{MessageFrame::Form::full, 64, view("abc")}),
                             Frame(MessageFrame{MessageFrame::Form::compact, 3, view("")}),
                             Frame(ExpiredFrame{64, 3, 100}),
                             Frame(MaxMessagesFrame{16384, 1u << 20}),
                             Frame(MessagesBlockedFrame{1u << 20, 70}),
                             Frame(MessagePartFrame{MessageFrame::Form::full, 64, 1u << 20, 5, view("abc")}),
                             Frame(MessagePartFrame{MessageFrame::Form::compact, 3, 3, 2, view("a")}),
                             Frame(MessageFrame{MessageFrame::Form::full, 64, view("abc"), OrderLink{}}),
                             Frame(MessagePartFrame{MessageFrame::Form::full, 64, 99, 5, view("abc"), OrderLink{}}),
                             Frame(ExpiredFrame{64, 3, 100, OrderLink{MessageClass::background, 64}}),
                             Frame(DrainFrame{DrainFrame::State::begins, std::chrono::seconds(1)}),
                             Frame(DrainFrame{DrainFrame::State::agrees}),
                             Frame(CloseFrame{false, 0x0a, 8, {}})}) {
    const std::size_t size = written(frame).size();
    for (std::size_t space = 0; space < size; ++space) {
      std::vector<std::uint8_t> buffer(space, 0xee);
      Writer out(buffer);
      BOOST_TEST(!test::write_any(out, frame));
      BOOST_TEST(out.written() == 0u);
      BOOST_TEST(std::ranges::all_of(buffer, [](std::uint8_t byte) { return byte == 0xee; }));
    }
  }
}

BOOST_AUTO_TEST_CASE(close_reason_is_cut_to_what_fits_and_to_its_bound) {
  const std::string text(1000, 'x');
  for (std::size_t space = 4; space <= 400; ++space) {
    std::vector<std::uint8_t> buffer(space);
    Writer out(buffer);
    BOOST_REQUIRE(write_frame(out, CloseFrame{false, 1, 2, view(text)}));
    FrameReader reader(out.so_far());
    const auto close = std::get<CloseFrame>(reader.next().value().value());
    BOOST_TEST(close.reason.size() == std::min<std::size_t>({kMaxCloseReason, space - 4 < 64   ? space - 4
                                                                              : space - 5 < 64 ? 63
                                                                                               : space - 5}));
  }
}

BOOST_AUTO_TEST_CASE(close_reason_is_not_cut_inside_a_character) {
  std::string text(254, 'x');
  text += "\xe2\x82\xac";  // three bytes, of which two would fit
  std::array<std::uint8_t, 512> buffer;
  Writer out(buffer);
  BOOST_REQUIRE(write_frame(out, CloseFrame{true, 1, 0, view(text)}));
  FrameReader reader(out.so_far());
  BOOST_TEST(std::get<CloseFrame>(reader.next().value().value()).reason.size() == 254u);
}

// Without its length a frame reaches to the end of the packet, whatever is written after it.
BOOST_AUTO_TEST_CASE(datagram_leaves_its_length_out_only_where_it_ends_the_packet) {
  for (const std::size_t length : {0u, 1u, 63u, 64u, 65u, 1170u, 16383u, 16384u}) {
    const std::vector<std::uint8_t> data(length, 0xdd);
    for (std::size_t more = 0; more < 8; ++more) {  // than the type and the data take
      std::vector<std::uint8_t> buffer(1 + length + more);
      Writer out(buffer);
      BOOST_REQUIRE(write_frame(out, DatagramFrame{data}));
      const std::size_t length_size = length < 64 ? 1 : length < 16384 ? 2 : 4;
      BOOST_TEST(out.space() == (more >= length_size ? more - length_size : 0));
      BOOST_TEST(write_ping(out) == (more > length_size));
      FrameReader reader(out.so_far());
      auto frame = reader.next().value().value();
      if (std::holds_alternative<PaddingFrame>(frame)) frame = reader.next().value().value();
      BOOST_TEST(std::ranges::equal(std::get<DatagramFrame>(frame).data, data));
      BOOST_TEST(reader.next().value().has_value() == (more > length_size));
    }
    std::vector<std::uint8_t> buffer(length);
    Writer too_small(buffer);
    BOOST_TEST(!begin_datagram_frame(too_small, length));
    BOOST_TEST(too_small.written() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(stream_capacity_is_exact) {
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{64}, kMaxVarint - 100'000}) {
    std::vector<std::size_t> spaces;
    for (std::size_t space = 0; space < 200; ++space) spaces.push_back(space);
    for (std::size_t space = 16380; space < 16420; ++space) spaces.push_back(space);
    for (const std::size_t space : spaces) {
      const auto capacity = stream_frame_capacity(space, StreamId(4), offset);
      std::vector<std::uint8_t> buffer(space);
      if (!capacity) {
        Writer out(buffer);
        BOOST_TEST(!begin_stream_frame(out, StreamId(4), offset, 0, true));
        BOOST_TEST(out.written() == 0u);
        continue;
      }
      Writer fits(buffer);
      const auto slot = begin_stream_frame(fits, StreamId(4), offset, *capacity, false);
      BOOST_REQUIRE(slot.has_value());
      BOOST_TEST(slot->data.size() == *capacity);
      Writer too_much(buffer);
      BOOST_TEST(!begin_stream_frame(too_much, StreamId(4), offset, *capacity + 1, false));
      BOOST_TEST(too_much.written() == 0u);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
