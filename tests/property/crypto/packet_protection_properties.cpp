// Sealing and opening are inverse for any payload, size and order of arrival that the packet numbers' truncation
// allows.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <vector>

#include "core/packet_number.h"
#include "crypto/packet_protection.h"
#include "unit/crypto/bytes_of.h"

namespace mxp::test {

BOOST_AUTO_TEST_SUITE(packet_protection_properties)

BOOST_AUTO_TEST_CASE(what_is_sealed_opens_to_the_same_bytes) {
  const bool holds = rc::check("seal, then open", [] {
    const auto suite = *rc::gen::element(Suite::chacha20_poly1305, Suite::aes_256_gcm);
    const auto secret = TrafficSecret(*rc::gen::arbitrary<std::array<std::uint8_t, 32>>());
    PacketSealer sealer(suite, secret);
    PacketOpener opener(suite, secret);
    ReplayWindow window;
    std::optional<PacketNumber> opened_last;
    std::uint64_t number = *rc::gen::inRange<std::uint64_t>(0, 1u << 30);
    const auto jumps = *rc::gen::container<std::vector<std::uint64_t>>(rc::gen::inRange<std::uint64_t>(1, 100'000));
    for (const std::uint64_t jump : jumps) {
      number += jump;
      const std::size_t number_size = packet_number_size(PacketNumber(number), opened_last);
      const auto plaintext = *rc::gen::suchThat(rc::gen::arbitrary<Bytes>(),
                                                [&](const Bytes& bytes) { return bytes.size() + number_size >= 4; });
      Bytes packet(kShortHeaderSize + number_size + plaintext.size() + kTagSize);
      packet[0] = static_cast<std::uint8_t>(0x40 | (number_size - 1));
      for (std::size_t i = 0; i < number_size; ++i)
        packet[kShortHeaderSize + i] = static_cast<std::uint8_t>(number >> (8 * (number_size - 1 - i)));
      std::copy(plaintext.begin(), plaintext.end(),
                packet.begin() + static_cast<std::ptrdiff_t>(kShortHeaderSize + number_size));
      sealer.seal(packet, kShortHeaderSize + number_size, PacketNumber(number));
      const auto opened = opener.open(packet, window);
      RC_ASSERT(opened.has_value());
      RC_ASSERT(opened->number == PacketNumber(number));
      RC_ASSERT(to_hex(opened->payload) == to_hex(plaintext));
      opened_last = opened->number;
    }
  });
  BOOST_TEST(holds);
}

BOOST_AUTO_TEST_CASE(no_made_up_packet_opens) {
  const bool holds = rc::check("arbitrary bytes", [](Bytes bytes) {
    PacketOpener opener(Suite::chacha20_poly1305, TrafficSecret());
    ReplayWindow window;
    RC_ASSERT(!opener.open(bytes, window).has_value());
    RC_ASSERT(!window.largest().has_value());
  });
  BOOST_TEST(holds);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace mxp::test
