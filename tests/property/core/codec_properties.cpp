// Numbers, headers and parameters: written and read again they are the same.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>

#include "core/packet_header.h"
#include "core/packet_number.h"
#include "core/transport_parameters.h"

using namespace mxp;

namespace {

// Of every magnitude up to 2^bits - 1: uniform numbers would nearly always be huge.
rc::Gen<std::uint64_t> magnitude(int bits) {
  return rc::gen::mapcat(rc::gen::inRange(0, bits + 1), [](int used) {
    return rc::gen::map(rc::gen::arbitrary<std::uint64_t>(),
                        [used](std::uint64_t value) { return used == 0 ? 0 : value >> (64 - used); });
  });
}

ConnectionId any_connection_id() {
  ConnectionId::Bytes bytes;
  for (std::uint8_t& byte : bytes) byte = *rc::gen::arbitrary<std::uint8_t>();
  return ConnectionId(bytes);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(codec_properties)

BOOST_AUTO_TEST_CASE(varint_round_trips_in_every_form_that_holds_it) {
  BOOST_TEST(rc::check([] {
    const std::uint64_t value = *magnitude(62);
    for (const std::size_t size : {1u, 2u, 4u, 8u}) {
      if (size < varint_size(value)) continue;
      std::array<std::uint8_t, 9> bytes{};
      encode_varint(value, size, bytes.data());
      RC_ASSERT(varint_size_from_first_byte(bytes[0]) == size);
      RC_ASSERT(decode_varint(bytes.data(), size) == value);
      RC_ASSERT(bytes[size] == 0);
      Reader in(ByteView(bytes).first(size));
      RC_ASSERT(in.varint() == value);
      RC_ASSERT(in.empty());
    }
  }));
}

BOOST_AUTO_TEST_CASE(fixed_width_round_trips) {
  BOOST_TEST(rc::check([](std::uint16_t a, std::uint32_t b, std::uint64_t c) {
    std::array<std::uint8_t, 14> bytes;
    Writer out(bytes);
    RC_ASSERT(out.le(a) && out.le(b) && out.le(c) && out.space() == 0);
    Reader in(bytes);
    RC_ASSERT(in.le<std::uint16_t>() == a && in.le<std::uint32_t>() == b && in.le<std::uint64_t>() == c);
  }));
}

// Whatever the receiver has opened between the acknowledged number and this one, the truncated form is enough.
BOOST_AUTO_TEST_CASE(packet_number_is_recovered_from_its_truncated_form) {
  BOOST_TEST(rc::check([] {
    const std::uint64_t acknowledged = *magnitude(61);
    const std::uint64_t ahead = *rc::gen::inRange<std::uint64_t>(1, (std::uint64_t{1} << *rc::gen::inRange(1, 31)));
    const PacketNumber number(acknowledged + ahead);
    const std::size_t size = packet_number_size(number, PacketNumber(acknowledged));
    const std::uint64_t truncated = number.value() & ((std::uint64_t{1} << (8 * size)) - 1);
    const std::uint64_t largest_opened = acknowledged + *rc::gen::inRange<std::uint64_t>(0, ahead);
    RC_ASSERT(expand_packet_number(largest_opened + 1, truncated, size) == number);
  }));
}

BOOST_AUTO_TEST_CASE(short_header_round_trips) {
  BOOST_TEST(rc::check([](bool phase) {
    const ConnectionId id = any_connection_id();
    const PacketNumber number(*magnitude(62));
    const std::size_t size = *rc::gen::inRange<std::size_t>(1, 5);
    std::array<std::uint8_t, kMinShortPacket> bytes{};
    Writer out(bytes);
    RC_ASSERT(write_short_header(out, id, phase, number, size));
    RC_ASSERT(out.written() == kShortHeaderSize + size);
    const auto header = parse_packet_header(bytes);
    RC_ASSERT(header.has_value());
    RC_ASSERT(std::get<ShortHeader>(*header).destination == id);
    std::uint64_t on_wire = 0;
    for (std::size_t i = 0; i < size; ++i) on_wire = on_wire << 8 | bytes[kShortHeaderSize + i];
    RC_ASSERT(on_wire == (number.value() & ((std::uint64_t{1} << (8 * size)) - 1)));
    RC_ASSERT((bytes[0] & packet_bits::kNumberSize) + 1u == size);
    RC_ASSERT(((bytes[0] & packet_bits::kKeyPhase) != 0) == phase);
  }));
}

BOOST_AUTO_TEST_CASE(initial_header_round_trips) {
  BOOST_TEST(rc::check([] {
    const ConnectionId id = any_connection_id();
    const auto bytes_of = [](std::size_t most) {
      return *rc::gen::container<std::vector<std::uint8_t>>(*rc::gen::inRange<std::size_t>(0, most + 1),
                                                            rc::gen::arbitrary<std::uint8_t>());
    };
    const auto token = bytes_of(kMaxTokenSize), ticket = bytes_of(kMaxTicketSize), noise = bytes_of(300);
    std::vector<std::uint8_t> buffer(kMaxTokenSize + kMaxTicketSize + 400);
    Writer out(buffer);
    RC_ASSERT(write_initial_header(out, Suite::aes_256_gcm, id, token, ticket));
    const std::size_t prologue = out.written();
    RC_ASSERT(out.bytes(noise) && out.fill(0x77, kMac1Size));
    const auto parsed = parse_packet_header(out.so_far());
    RC_ASSERT(parsed.has_value());
    const auto& header = std::get<InitialHeader>(*parsed);
    RC_ASSERT(header.client_id == id && header.suite == 2);
    RC_ASSERT(std::ranges::equal(header.token, token) && std::ranges::equal(header.ticket, ticket));
    RC_ASSERT(header.prologue.size() == prologue && std::ranges::equal(header.noise_message, noise));
    RC_ASSERT(header.mac1.size() == kMac1Size);
  }));
}

BOOST_AUTO_TEST_CASE(transport_parameters_round_trip) {
  BOOST_TEST(rc::check([] {
    TransportParameters p;
    p.max_idle_timeout = std::chrono::milliseconds(*magnitude(32));
    p.max_udp_payload = *rc::gen::inRange<std::uint64_t>(1200, 65508);
    p.initial_max_data = *magnitude(62);
    p.initial_max_stream_data_bidi_local = *magnitude(62);
    p.initial_max_stream_data_bidi_remote = *magnitude(62);
    p.initial_max_stream_data_uni = *magnitude(62);
    p.initial_max_streams_bidi = *magnitude(60);
    p.initial_max_streams_uni = *magnitude(60);
    p.max_ack_delay = std::chrono::milliseconds(*magnitude(14));
    p.max_receive_timestamps_per_ack = *rc::gen::inRange<std::uint64_t>(0, 1 + kMaxReceiveTimes);
    p.max_datagram_payload = *rc::gen::inRange<std::uint64_t>(0, 65508);
    const Role sender = *rc::gen::element(Role::client, Role::server);
    if (sender == Role::server && *rc::gen::arbitrary<bool>()) p.connection_id = any_connection_id();
    p.versions = *rc::gen::container<std::vector<std::uint32_t>>(*rc::gen::inRange<std::size_t>(1, 17),
                                                                 rc::gen::arbitrary<std::uint32_t>());
    p.suites = *rc::gen::container<std::vector<std::uint8_t>>(*rc::gen::inRange<std::size_t>(1, 17),
                                                              rc::gen::arbitrary<std::uint8_t>());
    std::array<std::uint8_t, 512> buffer;
    Writer out(buffer);
    RC_ASSERT(write_transport_parameters(out, p, nullptr));
    const auto again = parse_transport_parameters(out.so_far(), sender);
    RC_ASSERT(again.has_value());
    RC_ASSERT(*again == p);
  }));
}

BOOST_AUTO_TEST_SUITE_END()
