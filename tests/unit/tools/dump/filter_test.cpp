// -Y: what an expression matches, and what is said of one that is wrong.
#include <boost/test/unit_test.hpp>
#include <string>

#include "mxp-dump/filter/display_filter.h"

namespace mxp::dump::test {
namespace {

// A decrypted packet from 10.1.2.3:40000 to [fe80::1]:9000 with an ACK of 3..5 and 9, data of stream 4 and of stream 8,
// and a CLOSE.
struct FilteredPacket {
  PacketRecord record;
  std::vector<std::uint8_t> ranges{2, 2};  // a gap of three numbers, then three numbers
  std::vector<std::uint8_t> data = std::vector<std::uint8_t>(100);
  std::string reason = "Disk is FULL";

  FilteredPacket() {
    record.frame = 17;
    record.time_ns = 1'700'000'000'250'000'001;
    record.source = SocketAddress::ipv4(10, 1, 2, 3, 40000);
    record.destination = *SocketAddress::parse("[fe80::1]:9000");
    record.length = record.captured = 1200;
    record.connection = 2;
    record.destination_id = ConnectionId({0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8});
    record.suite = 1;
    record.protection = Protection::opened;
    record.number = PacketNumber(31);
    record.lost = true;
    AckFrame ack{.largest = PacketNumber(9), .delay = std::chrono::milliseconds(25)};
    ack.ranges = AckRanges({PacketNumber(9), PacketNumber(9)}, ranges, 1);
    record.frames.push_back(ack);
    record.frames.push_back(StreamFrame{.stream = StreamId(4), .offset = 1000, .data = data});
    record.frames.push_back(StreamFrame{.stream = StreamId(8), .offset = 0, .data = data, .fin = true});
    record.frames.push_back(
        CloseFrame{.application = true,
                   .code = 5,
                   .reason = {reinterpret_cast<const std::uint8_t*>(reason.data()), reason.size()}});
  }
};

void check(std::string_view expression, bool expected) {
  static const FilteredPacket packet;
  const auto filter = DisplayFilter::parse(expression);
  BOOST_TEST_CONTEXT(expression) {
    BOOST_REQUIRE_MESSAGE(filter, filter.error().message);
    BOOST_TEST(filter->matches(packet.record) == expected);
  }
}

void check_error(std::string_view expression, std::size_t column, std::string_view word) {
  const auto filter = DisplayFilter::parse(expression);
  BOOST_TEST_CONTEXT(expression.substr(0, 80)) {
    BOOST_REQUIRE(!filter);
    BOOST_TEST(filter.error().column == column);
    BOOST_TEST(filter.error().message.find(word) != std::string::npos, filter.error().message);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(display_filter)

BOOST_AUTO_TEST_CASE(what_an_expression_matches) {
  for (const std::string_view yes : {"mxp",
                                     "mxp.stream == 4 && mxp.lost",
                                     "mxp.stream.id == 8",
                                     "mxp.stream.id eq 0x8",
                                     "mxp.length >= 1200",
                                     "mxp.length le 1200",
                                     "mxp.length in {1, 1200..1452}",
                                     "mxp.packet_number gt 30 and mxp.packet_number < 32",
                                     "ip.src == 10.0.0.0/8",
                                     "ip.src == 10.1.2.3",
                                     "ip.dst == fe80::/10",
                                     "ip.addr in {10.1.2.0..10.1.2.9}",
                                     "udp.port == 9000",
                                     "udp.srcport == 40000",
                                     "mxp.src == 10.1.2.3:40000",
                                     "mxp.dst == \"[fe80::1]:9000\"",
                                     "mxp.ack.delay > 24ms",
                                     "mxp.ack.delay == 25000us",
                                     "mxp.ack.delay <= 0.025",
                                     "mxp.ack.delay in {1ms..1s}",
                                     "mxp.ack.ranges == 4",
                                     "mxp.ack.ranges == 9",
                                     "mxp.frame.type == \"close\"",
                                     "mxp.frame.type == ack",
                                     "mxp.frame.type in {ping, stream}",
                                     "mxp.close.reason contains \"FULL\"",
                                     "mxp.close.reason matches \"disk.*full\"",
                                     "mxp.close.reason ~ \"^disk\\b\"",
                                     "mxp.destination_id == c1c2c3c4c5c6c7c8",
                                     "mxp.destination_id == c1:c2:c3:c4:c5:c6:c7:c8",
                                     "mxp.decrypted",
                                     "mxp.decrypted == true",
                                     "mxp.duplicate == false",
                                     "mxp.duplicate != 1",
                                     "mxp.time >= 1700000000.25",
                                     "mxp.time == 1700000000.250000001",
                                     "mxp.time > \"2023-11-14T22:13:20Z\"",
                                     "mxp.time < \"2023-11-14T22:13:20.3Z\"",
                                     "frame.number == 17",
                                     "mxp.suite == chacha20",
                                     "mxp.type == 1rtt",
                                     "mxp.stream.fin",
                                     "mxp.connection ne 1",
                                     "mxp.stream.offset == 0",
                                     "!mxp.duplicate",
                                     "not (mxp.lost and mxp.duplicate)",
                                     "mxp.damaged or mxp.frame == 17",
                                     "mxp.stream.id==4||mxp.frame==1",
                                     "!(!(mxp.lost))",
                                     "mxp.close.code == 5 and !mxp.client_id"})
    check(yes, true);
  for (const std::string_view no : {"mxp.stream == 5",
                                    "mxp.duplicate",
                                    "mxp.stream.id != 4",
                                    "mxp.stream.id == 0x5",
                                    "mxp.length > 1200",
                                    "mxp.length in {1, 1201..1452}",
                                    "ip.src == 11.0.0.0/8",
                                    "ip.src == 10.1.2.3/32 && udp.port == 1",
                                    "ip.src < fe80::1",
                                    "ip.dst == 10.0.0.0/0",
                                    "mxp.src == 10.1.2.3:40001",
                                    "mxp.ack.delay > 25ms",
                                    "mxp.ack.ranges == 6",
                                    "mxp.ack.ranges == 2",
                                    "mxp.frame.type == ping",
                                    "mxp.close.reason contains \"full\"",
                                    "mxp.close.reason matches \"^full\"",
                                    "mxp.client_id",
                                    "mxp.client_id != c1c2c3c4c5c6c7c8",
                                    "mxp.token_length",
                                    "mxp.token_length != 5",
                                    "mxp.time < 1700000000.25",
                                    "mxp.suite == aes256",
                                    "not mxp",
                                    "mxp.note contains \"x\"",
                                    "mxp.damaged or mxp.lost and mxp.duplicate",
                                    "(mxp.lost or mxp.damaged) and mxp.duplicate",
                                    "mxp.max_data.limit > 0"})
    check(no, false);
}

BOOST_AUTO_TEST_CASE(and_binds_tighter_than_or) {
  check("mxp.lost or mxp.lost and mxp.duplicate", true);
  check("mxp.duplicate and mxp.lost or mxp.lost", true);
  check("mxp.duplicate and (mxp.lost or mxp.lost)", false);
  check("not mxp.duplicate and mxp.duplicate", false);
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_said_with_its_place) {
  check_error("", 1, "empty");
  check_error("mxp.strem == 4", 1, "mxp.stream");
  check_error("mxp.lost && mxp.packet_numer == 4", 13, "mxp.packet_number");
  check_error("stream.id == 4", 1, "mxp.stream.id");
  check_error("ip.sorce == 10.0.0.1", 1, "ip.src");
  check_error("mxp.length == 12k", 15, "without a unit");
  check_error("mxp.length ==", 14, "compared with nothing");
  check_error("mxp.length == -1", 15, "a number");
  check_error("mxp.length == 18446744073709551616", 15, "a number");
  check_error("mxp.type == initail", 13, "initial, response");
  check_error("mxp.lost > 0", 10, "no order");
  check_error("mxp.type < 1rtt", 10, "no order");
  check_error("mxp.length contains \"1\"", 12, "no text");
  check_error("mxp.suite in {a..b}", 15, "no ranges");
  check_error("mxp.length in 5", 15, "a set");
  check_error("mxp.length in {5..}", 19, "no end");
  check_error("mxp.length in {9..5}", 16, "before it begins");
  check_error("mxp.length in {9", 17, "not closed");
  check_error("ip.src == 10.0.0.0/33", 11, "up to 32");
  check_error("ip.src == somewhere", 11, "an address");
  check_error("mxp.ack.delay > 5 minutes", 19, "out of place");
  check_error("mxp.time > yesterday", 12, "since 1970");
  check_error("mxp.close.reason matches \"(\"", 26, "regular expression");
  check_error("mxp.close.reason contains \"open", 27, "no closing quote");
  check_error("(mxp.lost", 1, "not closed");
  check_error("mxp.lost)", 9, "out of place");
  check_error("mxp.lost mxp.damaged", 10, "out of place");
  check_error("mxp.lost &&", 12, "ends where a field");
  check_error("mxp.lost & mxp.damaged", 10, "means nothing");
  check_error("== 4", 1, "where a field");
  check_error("mxp.ack.receive_times == 4", 23, "presence");
}

BOOST_AUTO_TEST_CASE(depth_and_size_are_bounded) {
  const std::size_t deep = DisplayFilter::kMaxDepth + 1;
  check_error(std::string(deep, '(') + "mxp.lost" + std::string(deep, ')'), deep, "nested");
  check_error(std::string(deep, '!') + "mxp.lost", deep, "nested");
  std::string wide = "mxp.lost";
  for (std::size_t i = 0; i < DisplayFilter::kMaxNodes; ++i) wide += "||mxp.lost";
  const auto filter = DisplayFilter::parse(wide);
  BOOST_REQUIRE(!filter);
  BOOST_TEST(filter.error().message.find("tests") != std::string::npos);
  BOOST_TEST(!DisplayFilter::parse(std::string(DisplayFilter::kMaxLength + 1, ' ')));
}

BOOST_AUTO_TEST_CASE(only_lost_needs_later_packets) {
  BOOST_TEST(DisplayFilter::parse("mxp.stream == 4 or not mxp.lost")->needs_fates());
  BOOST_TEST(!DisplayFilter::parse("mxp.duplicate")->needs_fates());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::dump::test
