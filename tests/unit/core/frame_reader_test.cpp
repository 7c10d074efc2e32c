#include "core/frame_reader.h"

#include <boost/test/unit_test.hpp>
#include <deque>

#include "support/frame_codec.h"
#include "support/hex.h"

using namespace mxp;
using mxp::test::hex;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(frame_reader)

namespace {

// The only frame of a payload. Frames are views, so the bytes stay until the run ends.
template <typename F>
F only(const std::vector<std::uint8_t>& bytes) {
  static std::deque<std::vector<std::uint8_t>> kept;
  FrameReader reader(kept.emplace_back(bytes));
  const auto frame = reader.next();
  BOOST_REQUIRE(frame.has_value());
  BOOST_REQUIRE(frame->has_value());
  BOOST_REQUIRE(std::holds_alternative<F>(**frame));
  const auto end = reader.next();
  BOOST_REQUIRE(end.has_value());
  BOOST_TEST(!end->has_value());
  return std::get<F>(**frame);
}

TransportError refused(const std::vector<std::uint8_t>& bytes) {
  FrameReader reader(bytes);
  while (true) {
    const auto frame = reader.next();
    if (!frame) return frame.error();
    BOOST_REQUIRE_MESSAGE(frame->has_value(), "the payload was read to its end");
  }
}

void refused_as(std::string_view bytes, TransportErrorCode code, std::uint64_t type) {
  BOOST_TEST_CONTEXT(bytes) {
    const TransportError error = refused(hex(bytes));
    BOOST_TEST((error.code == code));
    BOOST_TEST(error.frame_type == type);
    BOOST_TEST(!error.reason.empty());
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(empty_payload_has_no_frame) {
  FrameReader reader({});
  const auto frame = reader.next();
  BOOST_REQUIRE(frame.has_value());
  BOOST_TEST(!frame->has_value());
}

BOOST_AUTO_TEST_CASE(run_of_padding_is_one_frame) {
  const auto bytes = hex("000000 01");
  FrameReader reader(bytes);
  BOOST_TEST(std::get<PaddingFrame>(reader.next().value().value()).length == 3u);
  BOOST_TEST(std::holds_alternative<PingFrame>(reader.next().value().value()));
  BOOST_TEST(reader.last_type() == frame_type::kPing);
}

BOOST_AUTO_TEST_CASE(stream_frame_in_all_its_forms) {
  const auto plain = only<StreamFrame>(hex("08 04 616263"));
  BOOST_TEST(plain.stream.value() == 4u);
  BOOST_TEST(plain.offset == 0u);
  BOOST_TEST(plain.data.size() == 3u);
  BOOST_TEST(!plain.fin);

  const auto fin = only<StreamFrame>(hex("09 04"));
  BOOST_TEST(fin.fin);
  BOOST_TEST(fin.data.empty());

  const auto full = only<StreamFrame>(hex("0f 4123 8000ffff 02 6162"));
  BOOST_TEST(full.stream.value() == 0x123u);
  BOOST_TEST(full.offset == 0xffffu);
  BOOST_TEST(full.data.size() == 2u);
  BOOST_TEST(full.fin);

  const auto bytes = hex("0a 01 02 6162 01");  // an explicit length lets another frame follow
  FrameReader reader(bytes);
  BOOST_TEST(std::get<StreamFrame>(reader.next().value().value()).data.size() == 2u);
  BOOST_TEST(std::holds_alternative<PingFrame>(reader.next().value().value()));
}

BOOST_AUTO_TEST_CASE(stream_frame_may_end_at_the_largest_offset_and_not_beyond) {
  const auto last = only<StreamFrame>(hex("0e 00 fffffffffffffffe 01 61"));
  BOOST_TEST(last.offset == kMaxVarint - 1);
  refused_as("0e 00 ffffffffffffffff 01 61", TransportErrorCode::frame_encoding_error, 0x0e);
  refused_as("0c 00 ffffffffffffffff 61", TransportErrorCode::frame_encoding_error, 0x0c);
}

BOOST_AUTO_TEST_CASE(datagram_reaches_as_far_as_its_length_or_the_packet) {
  BOOST_TEST(only<DatagramFrame>(hex("30")).data.empty());
  BOOST_TEST(only<DatagramFrame>(hex("31 00")).data.empty());
  BOOST_TEST(only<DatagramFrame>(hex("30 616263")).data.size() == 3u);
  BOOST_TEST(only<DatagramFrame>(hex("31 4003 616263")).data.size() == 3u);
  const auto bytes = hex("31 02 6162 01");
  FrameReader reader(bytes);
  BOOST_TEST(std::get<DatagramFrame>(reader.next().value().value()).data.size() == 2u);
  BOOST_TEST(std::holds_alternative<PingFrame>(reader.next().value().value()));
  refused_as("31 04 616263", TransportErrorCode::frame_encoding_error, 0x31);
  refused_as("31 ffffffffffffffff 616263", TransportErrorCode::frame_encoding_error, 0x31);
}

BOOST_AUTO_TEST_CASE(ack_ranges_go_from_high_to_low) {
  // largest 100, delay 200 µs, two more ranges: 100..98, gap 1 → 95..95, gap 0 → 93..83
  const auto ack = only<AckFrame>(hex("02 4064 40c8 02 02 01 00 00 0a"));
  BOOST_TEST(ack.largest.value() == 100u);
  BOOST_TEST((ack.delay == std::chrono::microseconds(200)));
  BOOST_TEST(!ack.ecn);
  const std::vector<AckRange> expected = {{PacketNumber(98), PacketNumber(100)},
                                          {PacketNumber(95), PacketNumber(95)},
                                          {PacketNumber(83), PacketNumber(93)}};
  BOOST_TEST((test::ranges_of(ack) == expected));
  BOOST_TEST(ack.ranges.size() == 3u);
}

BOOST_AUTO_TEST_CASE(ack_may_reach_packet_number_zero_and_not_below) {
  const auto ack = only<AckFrame>(hex("02 05 00 01 01 01 01"));  // 5..4, gap 1 → 1..0
  BOOST_TEST(test::ranges_of(ack).back().first.value() == 0u);
  refused_as("02 05 00 00 06", TransportErrorCode::frame_encoding_error, 0x02);        // first range
  refused_as("02 05 00 01 01 03 00", TransportErrorCode::frame_encoding_error, 0x02);  // gap
  refused_as("02 05 00 01 01 01 02", TransportErrorCode::frame_encoding_error, 0x02);  // range
  refused_as("02 05 00 01 04 00 00", TransportErrorCode::frame_encoding_error, 0x02);  // smallest is 1: no gap fits
  refused_as("02 05 00 01 05 00 00", TransportErrorCode::frame_encoding_error, 0x02);  // smallest is 0
  refused_as("02 05 00 01 01 ffffffffffffffff 00", TransportErrorCode::frame_encoding_error, 0x02);
}

BOOST_AUTO_TEST_CASE(ack_carries_at_most_64_further_ranges) {
  const auto with_ranges = [](std::size_t count) {
    std::array<std::uint8_t, 512> buffer;
    Writer out(buffer);
    out.u8(0x02);
    out.varint(1000);
    out.varint(0);
    out.varint(count);
    out.varint(0);
    for (std::size_t i = 0; i < count; ++i) {
      out.varint(0);
      out.varint(0);
    }
    return std::vector<std::uint8_t>(out.so_far().begin(), out.so_far().end());
  };
  BOOST_TEST(only<AckFrame>(with_ranges(64)).ranges.size() == 65u);
  BOOST_TEST((refused(with_ranges(65)).code == TransportErrorCode::frame_encoding_error));
}

BOOST_AUTO_TEST_CASE(absurd_ack_delay_is_bounded) {
  const auto ack = only<AckFrame>(hex("02 00 ffffffffffffffff 00 00"));
  BOOST_TEST((ack.delay > std::chrono::hours(1)));
  BOOST_TEST((ack.delay < std::chrono::hours(24 * 365)));  // sums with a time stay far from overflow
}

BOOST_AUTO_TEST_CASE(ecn_counts_follow_the_ranges) {
  const auto ack = only<AckFrame>(hex("03 01 00 00 01 07 08 4009"));
  BOOST_REQUIRE(ack.ecn.has_value());
  BOOST_TEST((*ack.ecn == EcnCounts{7, 8, 9}));
}

// The example of draft-smith-quic-receive-ts: 87 to 91 and 96 to 100 arrived, and then 92 to 95.
BOOST_AUTO_TEST_CASE(receive_times_go_back_from_the_latest) {
  const auto times_us = [](const AckFrame& ack) {
    std::vector<std::pair<std::uint64_t, long>> times;
    for (const ReceiveTime& time : test::times_of(ack)) times.emplace_back(time.number.value(), time.at / 1us);
    return times;
  };
  using Times = std::vector<std::pair<std::uint64_t, long>>;
  const auto first = only<AckFrame>(hex("20 4064 00 01 04 03 04  02  00 05 417c 0a 0a 05 05  09 05 14 0a 0a 05 05"));
  const Times expected = {{100, 380}, {99, 370}, {98, 360}, {97, 355}, {96, 350},
                          {91, 330},  {90, 320}, {89, 310}, {88, 305}, {87, 300}};
  BOOST_TEST((times_us(first) == expected));
  BOOST_TEST(first.times->size() == 10u);
  const auto later = only<AckFrame>(hex("21 4064 00 00 0d 01 02 03  02  05 04 418b 01 02 02  00 02 0a 0a"));
  const Times in_order_of_arrival = {{95, 395}, {94, 394}, {93, 392}, {92, 390}, {100, 380}, {99, 370}};
  BOOST_TEST((times_us(later) == in_order_of_arrival));
  BOOST_TEST((*later.ecn == EcnCounts{1, 2, 3}));
  BOOST_TEST(only<AckFrame>(hex("20 05 00 00 00 00")).times->size() == 0u);
  BOOST_TEST(!only<AckFrame>(hex("02 05 00 00 00")).times.has_value());
}

BOOST_AUTO_TEST_CASE(receive_times_are_of_packets_from_0_and_not_before_the_epoch) {
  constexpr auto kError = TransportErrorCode::frame_encoding_error;
  BOOST_TEST(only<AckFrame>(hex("20 05 00 00 00  01 05 01 07")).times->size() == 1u);
  BOOST_TEST(only<AckFrame>(hex("20 05 00 00 00  01 04 02 07 07")).times->size() == 2u);
  refused_as("20 05 00 00 00  01 06 01 07", kError, 0x20);     // below 0 at once
  refused_as("20 05 00 00 00  01 05 02 07 01", kError, 0x20);  // and on the way down
  refused_as("20 05 00 00 00  01 ffffffffffffffff 01 07", kError, 0x20);
  refused_as("20 05 00 00 00  01 04 02 07 08", kError, 0x20);  // before the epoch
  refused_as("20 05 00 00 00  02 04 01 07 04 01 08", kError, 0x20);
  refused_as("20 05 00 00 00  01 05 00", kError, 0x20);
  BOOST_TEST(refused(hex("20 05 00 00 00  01 05 00")).reason == "range of receive times without a time");
  const auto latest = only<AckFrame>(hex("20 05 00 00 00  01 05 01 c004000000000000"));
  BOOST_TEST((latest.times->begin()->at == kLatestReceiveTime));
  refused_as("20 05 00 00 00  01 05 01 c004000000000001", kError, 0x20);
  refused_as("21 05 00 00 00 01 02 03  01 05 01 ffffffffffffffff", kError, 0x21);
  for (const char* cut : {"20 05 00 00 00", "20 05 00 00 00 01", "20 05 00 00 00 01 00", "20 05 00 00 00 01 00 01",
                          "20 05 00 00 00 01 00 02 07", "21 05 00 00 00 01 02 03"})
    refused_as(cut, kError, hex(cut).front());
}

BOOST_AUTO_TEST_CASE(ack_carries_at_most_64_receive_times) {
  const auto with_times = [](std::initializer_list<std::size_t> ranges) {
    std::vector<std::uint8_t> bytes = hex("20 43e8 00 00 00");
    bytes.push_back(static_cast<std::uint8_t>(ranges.size()));
    for (const std::size_t count : ranges) {
      bytes.push_back(0);
      bytes.push_back(0x40);
      bytes.push_back(static_cast<std::uint8_t>(count));
      bytes.insert(bytes.end(), count, 0);
    }
    return bytes;
  };
  BOOST_TEST(only<AckFrame>(with_times({64})).times->size() == 64u);
  BOOST_TEST(only<AckFrame>(with_times({60, 4})).times->size() == 64u);
  BOOST_TEST((refused(with_times({65})).code == TransportErrorCode::frame_encoding_error));
  BOOST_TEST((refused(with_times({60, 5})).code == TransportErrorCode::frame_encoding_error));
}

BOOST_AUTO_TEST_CASE(the_other_frames) {
  const auto reset = only<ResetStreamFrame>(hex("06 04 4100 4200"));
  BOOST_TEST((reset.stream == StreamId(4) && reset.code == 0x100 && reset.final_size == 0x200));
  const auto stop = only<StopSendingFrame>(hex("07 05 07"));
  BOOST_TEST((stop.stream == StreamId(5) && stop.code == 7));
  BOOST_TEST(only<MaxDataFrame>(hex("10 4400")).limit == 0x400u);
  const auto max_stream_data = only<MaxStreamDataFrame>(hex("11 06 4400"));
  BOOST_TEST((max_stream_data.stream == StreamId(6) && max_stream_data.limit == 0x400));
  BOOST_TEST((only<MaxStreamsFrame>(hex("12 09")).type == StreamType::bidirectional));
  BOOST_TEST((only<MaxStreamsFrame>(hex("13 09")).type == StreamType::unidirectional));
  BOOST_TEST(only<DataBlockedFrame>(hex("14 08")).limit == 8u);
  const auto stream_blocked = only<StreamDataBlockedFrame>(hex("15 01 08"));
  BOOST_TEST((stream_blocked.stream == StreamId(1) && stream_blocked.limit == 8));
  BOOST_TEST((only<StreamsBlockedFrame>(hex("16 03")).type == StreamType::bidirectional));
  BOOST_TEST((only<StreamsBlockedFrame>(hex("17 03")).type == StreamType::unidirectional));
  const auto frequency = only<AckFrequencyFrame>(hex("05 01 0a 800061a8 03"));
  BOOST_TEST((frequency.sequence == 1 && frequency.threshold == 10 && frequency.reordering_threshold == 3));
  BOOST_TEST((frequency.max_ack_delay == std::chrono::milliseconds(25)));
  only<ImmediateAckFrame>(hex("1f"));
  const auto new_id = only<NewConnectionIdFrame>(hex("18 4040 02 0102030405060708"));
  BOOST_TEST((new_id.sequence == 64 && new_id.retire_prior_to == 2));
  BOOST_TEST((new_id.id == ConnectionId({1, 2, 3, 4, 5, 6, 7, 8})));
  BOOST_TEST(only<RetireConnectionIdFrame>(hex("19 4040")).sequence == 64u);
  BOOST_TEST((only<PathChallengeFrame>(hex("1a 0102030405060708")).data == PathData{1, 2, 3, 4, 5, 6, 7, 8}));
  BOOST_TEST((only<PathResponseFrame>(hex("1b 0102030405060708")).data == PathData{1, 2, 3, 4, 5, 6, 7, 8}));
  const auto transport = only<CloseFrame>(hex("1c 0a 08 02 6869"));
  BOOST_TEST(
      (!transport.application && transport.code == 0x0a && transport.frame_type == 8 && transport.reason.size() == 2));
  const auto application = only<CloseFrame>(hex("1d 4400 00"));
  BOOST_TEST((application.application && application.code == 0x400 && application.frame_type == 0 &&
              application.reason.empty()));
}

BOOST_AUTO_TEST_CASE(stream_counts_stop_at_2_to_the_60) {
  for (const char* type : {"12", "13", "16", "17"}) {
    const auto bytes = hex(std::string(type) + " d000000000000000");
    BOOST_TEST(FrameReader(bytes).next().has_value());
    refused_as(std::string(type) + " d000000000000001", TransportErrorCode::frame_encoding_error, hex(type)[0]);
  }
}

BOOST_AUTO_TEST_CASE(id_does_not_retire_itself) {
  BOOST_TEST(only<NewConnectionIdFrame>(hex("18 05 05 0102030405060708")).retire_prior_to == 5u);
  refused_as("18 05 06 0102030405060708", TransportErrorCode::frame_encoding_error, 0x18);
}

BOOST_AUTO_TEST_CASE(requested_ack_delay_is_less_than_2_to_the_14_ms) {
  BOOST_TEST((only<AckFrequencyFrame>(hex("05 00 00 80f9fc18 00")).max_ack_delay == kLongestAckDelay));
  refused_as("05 00 00 80f9fc19 00", TransportErrorCode::frame_encoding_error, 0x05);
  refused_as("05 00 00 ffffffffffffffff 00", TransportErrorCode::frame_encoding_error, 0x05);
}

BOOST_AUTO_TEST_CASE(reason_is_at_most_256_bytes) {
  auto bytes = hex("1d 00 4100");
  bytes.resize(bytes.size() + 256, 'x');
  BOOST_TEST(only<CloseFrame>(bytes).reason.size() == 256u);
  auto more = hex("1d 00 4101");
  more.resize(more.size() + 257, 'x');
  BOOST_TEST((refused(more).code == TransportErrorCode::frame_encoding_error));
}

BOOST_AUTO_TEST_CASE(type_that_is_not_in_its_shortest_form_is_refused) {
  for (const char* bytes : {"4001", "80000001", "c000000000000001", "4008 00", "8000001c 00 00 00"}) {
    BOOST_TEST_CONTEXT(bytes) { BOOST_TEST((refused(hex(bytes)).code == TransportErrorCode::frame_encoding_error)); }
  }
}

BOOST_AUTO_TEST_CASE(fields_may_be_in_longer_forms) {
  BOOST_TEST(only<MaxDataFrame>(hex("10 c000000000000005")).limit == 5u);
}

BOOST_AUTO_TEST_CASE(unknown_and_reserved_types_close_the_connection) {
  for (const std::uint8_t type : {0x04, 0x1e, 0x22, 0x35, 0x3e, 0x3f}) {
    const TransportError error = refused({type, 0, 0, 0});
    BOOST_TEST((error.code == TransportErrorCode::unknown_frame));
    BOOST_TEST(error.frame_type == type);
  }
  refused_as("4040", TransportErrorCode::unknown_frame, 0x40);
  refused_as("ffffffffffffffff", TransportErrorCode::unknown_frame, kMaxVarint);
}

// Every frame, cut at every byte: an error, never a crash and never a frame. STREAM and DATAGRAM without a length and
// PADDING are valid when cut and not listed.
BOOST_AUTO_TEST_CASE(frame_cut_off_anywhere_is_refused) {
  for (const char* whole : {"02 4064 40c8 02 02 01 00 00 0a",
                            "03 4064 40c8 01 02 01 00 07 08 4009",
                            "20 4064 40c8 01 02 01 00 02 00 01 417c 04 02 0a 05",
                            "21 4064 40c8 00 02 07 08 4009 01 00 02 417c 0a",
                            "06 04 4100 4200",
                            "07 4005 4007",
                            "0a 4001 04 61626364",
                            "0f 4123 8000ffff 02 6162",
                            "10 c000000000000400",
                            "11 06 4400",
                            "12 4009",
                            "13 4009",
                            "14 4008",
                            "15 4001 4008",
                            "16 4003",
                            "17 4003",
                            "05 01 0a 800061a8 03",
                            "18 4040 02 0102030405060708",
                            "19 4040",
                            "1a 0102030405060708",
                            "1b 0102030405060708",
                            "31 4002 6869",
                            "32 4040 03 616263",
                            "37 4040 03 616263",
                            "33 4040 02 4064",
                            "34 80004000 4040",
                            "38 4040",
                            "1c 400a 4008 02 6869",
                            "1d 4400 4002 6869",
                            "4040"}) {
    const auto bytes = hex(whole);
    for (std::size_t size = 1; size < bytes.size(); ++size) {
      BOOST_TEST_CONTEXT(whole << " cut to " << size) {
        const TransportError error = refused({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)});
        BOOST_TEST((error.code == TransportErrorCode::frame_encoding_error));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(frames_of_messages) {
  const auto message_bytes = hex("32 4040 03 616263");
  const auto message = only<MessageFrame>(message_bytes);
  BOOST_TEST((message.form == MessageFrame::Form::full));
  BOOST_TEST(message.sequence == 64u);
  BOOST_TEST(message.body.size() == 3u);
  BOOST_TEST((only<MessageFrame>(hex("37 01 00")).form == MessageFrame::Form::compact));
  const auto expired = only<ExpiredFrame>(hex("33 4040 02 4064"));
  BOOST_TEST(expired.first == 64u);
  BOOST_TEST(expired.count == 3u);
  BOOST_TEST(expired.length == 100u);
  BOOST_TEST(only<MaxMessagesFrame>(hex("34 80100000 4040")).window == 1u << 20);
  BOOST_TEST(only<MaxMessagesFrame>(hex("34 10 4040")).bytes == 64u);
  BOOST_TEST(only<MessagesBlockedFrame>(hex("38 4040 05")).bytes == 64u);
  BOOST_TEST(only<MessagesBlockedFrame>(hex("38 4040 05")).needed == 5u);
  const auto part_bytes = hex("39 4040 05 02 03 616263");
  const auto part = only<MessagePartFrame>(part_bytes);
  BOOST_TEST((part.form == MessageFrame::Form::full));
  BOOST_TEST((part.sequence == 64u && part.body_size == 5u && part.offset == 2u && part.data.size() == 3u));
  BOOST_TEST((only<MessagePartFrame>(hex("3a 01 81000028 00 01 61")).form == MessageFrame::Form::compact));
}

BOOST_AUTO_TEST_CASE(frames_of_messages_beyond_their_bounds) {
  for (const char* bytes : {"32 01 04 616263",            // longer than the packet
                            "33 01 80100000 00",          // more than can be under way
                            "33 ffffffffffffffff 01 00",  // beyond the last sequence
                            "33 01 00 81000051",          // longer than a message can be
                            "39 01 81000029 00 01 61",    // the same
                            "39 01 03 01 03 616263",      // beyond its end
                            "39 01 03 04 00",             // the same
                            "3a 01 03 01 00",             // no data
                            "39 01 08 00 04 616263",      // longer than the packet
                            "39 01 08 00", "39 01 08", "39 01", "39", "38 01",
                            "34 80100001 00",                     // too large a window
                            "32 01", "33 01 00", "34 01", "38"})  // cut off
    BOOST_TEST((refused(hex(bytes)).code == TransportErrorCode::frame_encoding_error));
}

BOOST_AUTO_TEST_CASE(ordered_stands_before_frames_of_messages) {
  const auto message_bytes = hex("3b 0d 32 4040 03 616263");
  const auto message = only<MessageFrame>(message_bytes);
  BOOST_TEST((message.order == OrderLink{MessageClass::control, 3}));
  BOOST_TEST(message.sequence == 64u);
  BOOST_TEST(message.body.size() == 3u);
  BOOST_TEST((only<MessageFrame>(hex("3b 00 37 01 00")).order == OrderLink{}));
  BOOST_TEST(
      (only<MessagePartFrame>(hex("3b 4103 3a 4040 03 01 01 62")).order == OrderLink{MessageClass::background, 64}));
  const auto expired = only<ExpiredFrame>(hex("3b 06 33 01 02 28"));
  BOOST_TEST((expired.order == OrderLink{MessageClass::streaming, 1}));
  BOOST_TEST(expired.count == 3u);
  BOOST_TEST(!only<MessageFrame>(hex("32 01 00")).order);
  const auto furthest = hex("3b 803fffff 32 800fffff 00");
  BOOST_TEST(only<MessageFrame>(furthest).order->distance == kMaxMessageWindow - 1);
}

BOOST_AUTO_TEST_CASE(ordered_of_what_it_cannot_be_of) {
  for (const char* bytes : {"3b 08 32 01 00",                // before the first message
                            "3b 08 39 01 05 00 01 61",       // the same
                            "3b 08 33 01 00 28",             // the same
                            "3b 80400000 32 80100000 00",    // further than a window
                            "3b ffffffffffffffff 32 01 00",  // the same
                            "3b 04 33 01 00 27",             // less credit than a message uses
                            "3b 04 01",                      // of no message
                            "3b 04 00", "3b 04 34 01 01",    // the same
                            "3b 04 3b 04 32 01 00",          // twice
                            "3b 04 4032 01 00",              // a type that is not in its shortest form
                            "3b 04 32 01 04 616263",         // longer than the packet
                            "3b", "3b 40", "3b 04", "3b 04 40", "3b 04 32", "3b 04 39 01"})  // cut off
    BOOST_TEST((refused(hex(bytes)).code == TransportErrorCode::frame_encoding_error), bytes);
}

BOOST_AUTO_TEST_CASE(drain) {
  const auto begins = only<DrainFrame>(hex("36 00 4040"));
  BOOST_TEST((begins.state == DrainFrame::State::begins));
  BOOST_TEST((begins.time == 64ms));
  BOOST_TEST((only<DrainFrame>(hex("36 00 c0000000ffffffff")).time == kLongestDrain));
  BOOST_TEST((only<DrainFrame>(hex("36 01")).state == DrainFrame::State::done));
  BOOST_TEST((only<DrainFrame>(hex("36 02")).state == DrainFrame::State::agrees));
  for (const char* bytes : {"36 03", "36 ffffffffffffffff",       // no such state
                            "36 00 c000000100000000",             // longer than can be told
                            "36", "36 40", "36 00", "36 00 40"})  // cut off
    BOOST_TEST((refused(hex(bytes)).code == TransportErrorCode::frame_encoding_error));
}

BOOST_AUTO_TEST_CASE(only_padding_ack_and_close_are_not_ack_eliciting) {
  for (const Frame& frame : {Frame(PaddingFrame{}), Frame(AckFrame{}), Frame(CloseFrame{})})
    BOOST_TEST(!is_ack_eliciting(frame));
  for (const Frame& frame : {Frame(PingFrame{}),
                             Frame(StreamFrame{}),
                             Frame(ResetStreamFrame{}),
                             Frame(StopSendingFrame{}),
                             Frame(MaxDataFrame{}),
                             Frame(MaxStreamDataFrame{}),
                             Frame(MaxStreamsFrame{}),
                             Frame(DataBlockedFrame{}),
                             Frame(StreamDataBlockedFrame{}),
                             Frame(StreamsBlockedFrame{}),
                             Frame(AckFrequencyFrame{}),
                             Frame(ImmediateAckFrame{}),
                             Frame(NewConnectionIdFrame{}),
                             Frame(RetireConnectionIdFrame{}),
                             Frame(PathChallengeFrame{}),
                             Frame(PathResponseFrame{}),
                             Frame(DatagramFrame{}),
                             Frame(MessageFrame{}),
                             Frame(MessagePartFrame{}),
                             Frame(ExpiredFrame{}),
                             Frame(MaxMessagesFrame{}),
                             Frame(MessagesBlockedFrame{}),
                             Frame(DrainFrame{})}) {
    BOOST_TEST(is_ack_eliciting(frame));
  }
}

BOOST_AUTO_TEST_CASE(frames_that_only_ask_about_a_path) {
  for (const Frame& frame :
       {Frame(PaddingFrame{}), Frame(PathChallengeFrame{}), Frame(PathResponseFrame{}), Frame(NewConnectionIdFrame{})})
    BOOST_TEST(is_probing(frame));
  for (const Frame& frame : {Frame(PingFrame{}), Frame(AckFrame{}), Frame(StreamFrame{}), Frame(MaxDataFrame{}),
                             Frame(RetireConnectionIdFrame{}), Frame(AckFrequencyFrame{}), Frame(ImmediateAckFrame{}),
                             Frame(DatagramFrame{}), Frame(CloseFrame{})})
    BOOST_TEST(!is_probing(frame));
}

BOOST_AUTO_TEST_SUITE_END()
