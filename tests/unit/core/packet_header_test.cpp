#include "core/packet_header.h"

#include <boost/test/unit_test.hpp>

#include "mxp/version.h"
#include "support/hex.h"

using namespace mxp;
using mxp::test::hex;

BOOST_AUTO_TEST_SUITE(packet_header)

namespace {

constexpr ConnectionId kId({1, 2, 3, 4, 5, 6, 7, 8});

std::vector<std::uint8_t> join(std::initializer_list<std::vector<std::uint8_t>> parts) {
  std::vector<std::uint8_t> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

const std::vector<std::uint8_t> kInitial =
    join({hex("c0 4d585031 02 0102030405060708 0300 aabbcc 0200 ddee"), std::vector<std::uint8_t>(100, 0x11),
          std::vector<std::uint8_t>(16, 0x22)});

void dropped(const std::vector<std::uint8_t>& datagram, DropReason reason) {
  const auto header = parse_packet_header(datagram);
  BOOST_REQUIRE(!header.has_value());
  BOOST_TEST(to_string(header.error()) == to_string(reason));
}

}  // namespace

BOOST_AUTO_TEST_CASE(message_1_is_taken_apart) {
  const auto parsed = parse_packet_header(kInitial);
  BOOST_REQUIRE(parsed.has_value());
  const auto& header = std::get<InitialHeader>(*parsed);
  BOOST_TEST(header.version == kWireVersion);
  BOOST_TEST(header.suite == 2);
  BOOST_TEST((header.client_id == kId));
  BOOST_TEST((std::ranges::equal(header.token, hex("aabbcc"))));
  BOOST_TEST((std::ranges::equal(header.ticket, hex("ddee"))));
  BOOST_TEST((std::ranges::equal(header.prologue, ByteView(kInitial).first(23))));
  BOOST_TEST(header.noise_message.size() == 100u);
  BOOST_TEST((std::ranges::equal(header.mac1, std::vector<std::uint8_t>(16, 0x22))));
}

BOOST_AUTO_TEST_CASE(message_2_is_taken_apart) {
  const auto bytes = hex("c1 4d585031 01 0102030405060708 99aa");
  const auto parsed = parse_packet_header(bytes);
  BOOST_REQUIRE(parsed.has_value());
  const auto& header = std::get<ResponseHeader>(*parsed);
  BOOST_TEST(header.suite == 1);
  BOOST_TEST((header.client_id == kId));
  BOOST_TEST((std::ranges::equal(header.noise_message, hex("99aa"))));
}

BOOST_AUTO_TEST_CASE(short_packet_shows_its_destination_whatever_the_protected_bits) {
  auto bytes = join({hex("40 0102030405060708"), std::vector<std::uint8_t>(20, 0)});
  for (const std::uint8_t first : {0x40, 0x5f, 0x7f, 0x78}) {
    bytes[0] = first;
    const auto parsed = parse_packet_header(bytes);
    BOOST_REQUIRE(parsed.has_value());
    BOOST_TEST((std::get<ShortHeader>(*parsed).destination == kId));
  }
  bytes.pop_back();
  dropped(bytes, DropReason::malformed_header);  // no room for a number, four bytes and a tag
}

BOOST_AUTO_TEST_CASE(what_is_no_packet_is_dropped) {
  dropped({}, DropReason::malformed_header);
  for (const std::uint8_t first : {0x00, 0x3f, 0x80, 0xbf, 0xc2, 0xc3, 0xc4, 0xc5, 0xff}) {
    auto bytes = kInitial;
    bytes[0] = first;
    dropped(bytes, DropReason::malformed_header);
  }
}

BOOST_AUTO_TEST_CASE(other_versions_are_told_apart_from_garbage) {
  auto bytes = hex("c0 00000001 02 0102030405060708");  // nothing after the common part is looked at
  dropped(bytes, DropReason::unknown_version);
  bytes[0] = 0xc1;
  dropped(bytes, DropReason::unknown_version);
  bytes.pop_back();
  dropped(bytes, DropReason::malformed_header);
}

BOOST_AUTO_TEST_CASE(message_1_cut_off_in_its_header_is_dropped) {
  for (std::size_t size = 0; size < 23 + kMac1Size; ++size) {
    dropped({kInitial.begin(), kInitial.begin() + static_cast<std::ptrdiff_t>(size)}, DropReason::malformed_header);
  }
}

BOOST_AUTO_TEST_CASE(token_and_ticket_are_bounded) {
  const auto with = [](std::size_t token, std::size_t ticket) {
    const auto size = [](std::size_t n) {
      return std::vector<std::uint8_t>{static_cast<std::uint8_t>(n), static_cast<std::uint8_t>(n >> 8)};
    };
    return join({hex("c0 4d585031 02 0102030405060708"), size(token), std::vector<std::uint8_t>(token), size(ticket),
                 std::vector<std::uint8_t>(ticket), std::vector<std::uint8_t>(200)});
  };
  BOOST_TEST(parse_packet_header(with(256, 512)).has_value());
  dropped(with(257, 0), DropReason::malformed_header);
  dropped(with(0, 513), DropReason::malformed_header);
}

BOOST_AUTO_TEST_CASE(written_headers_have_the_bytes_of_the_document) {
  std::array<std::uint8_t, 64> buffer;
  Writer initial(buffer);
  BOOST_REQUIRE(write_initial_header(initial, Suite::aes_256_gcm, kId, hex("aabbcc"), hex("ddee")));
  BOOST_TEST((std::ranges::equal(initial.so_far(), ByteView(kInitial).first(23))));
  Writer response(buffer);
  BOOST_REQUIRE(write_response_header(response, Suite::chacha20_poly1305, kId));
  BOOST_TEST((std::ranges::equal(response.so_far(), hex("c1 4d585031 01 0102030405060708"))));
  const std::pair<std::size_t, const char*> table[] = {{1, "44 0102030405060708 78"},
                                                       {2, "45 0102030405060708 5678"},
                                                       {3, "46 0102030405060708 345678"},
                                                       {4, "47 0102030405060708 12345678"}};
  for (const auto& [size, bytes] : table) {
    Writer out(buffer);
    BOOST_REQUIRE(write_short_header(out, kId, true, PacketNumber(0xab12345678), size));
    BOOST_TEST((std::ranges::equal(out.so_far(), hex(bytes))));
  }
  Writer phase_0(buffer);
  BOOST_REQUIRE(write_short_header(phase_0, kId, false, PacketNumber(5), 1));
  BOOST_TEST(buffer[0] == 0x40);
}

BOOST_AUTO_TEST_CASE(headers_that_do_not_fit_write_nothing) {
  std::array<std::uint8_t, 22> buffer;
  Writer out(buffer);
  BOOST_TEST(!write_initial_header(out, Suite::aes_256_gcm, kId, hex("aabbcc"), hex("ddee")));
  BOOST_TEST(!write_initial_header(out, Suite::aes_256_gcm, kId, std::vector<std::uint8_t>(257), {}));
  Writer tight(MutableBytes(buffer).first(9));
  BOOST_TEST(!write_short_header(tight, kId, false, PacketNumber(0), 1));
  BOOST_TEST(!write_response_header(tight, Suite::aes_256_gcm, kId));
  BOOST_TEST(out.written() + tight.written() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
