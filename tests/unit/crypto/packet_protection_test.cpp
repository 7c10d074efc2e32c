#include "crypto/packet_protection.h"

#include <boost/test/unit_test.hpp>
#include <ostream>
#include <set>
#include <vector>

#include "core/cursor.h"
#include "core/packet_number.h"
#include "unit/crypto/bytes_of.h"

namespace mxp::test {
BOOST_AUTO_TEST_SUITE(packet_protection)

namespace {

const TrafficSecret kSecret = hex_secret("9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b");
const ConnectionId kDestination(hex_array<8>("0102030405060708"));

// header ‖ plaintext ‖ 16 spare bytes
struct Packet {
  Packet(std::uint64_t packet_number, std::size_t number_size, const Bytes& plaintext, bool key_phase = false)
      : number(packet_number),
        header_size(kShortHeaderSize + number_size),
        bytes(header_size + plaintext.size() + kTagSize) {
    bytes[0] = static_cast<std::uint8_t>(0x40 | (key_phase ? packet_bits::kKeyPhase : 0) | (number_size - 1));
    std::copy(kDestination.bytes().begin(), kDestination.bytes().end(), bytes.begin() + 1);
    for (std::size_t i = 0; i < number_size; ++i)
      bytes[kShortHeaderSize + i] = static_cast<std::uint8_t>(packet_number >> (8 * (number_size - 1 - i)));
    std::copy(plaintext.begin(), plaintext.end(), bytes.begin() + static_cast<std::ptrdiff_t>(header_size));
  }
  PacketNumber number;
  std::size_t header_size;
  Bytes bytes;
};

Bytes sealed(PacketSealer& sealer, std::uint64_t number, std::size_t number_size = 2,
             const Bytes& plaintext = counting(1, 50)) {
  Packet packet(number, number_size, plaintext, sealer.phase() % 2 == 1);
  sealer.seal(packet.bytes, packet.header_size, packet.number);
  return packet.bytes;
}

PacketOpener::Result open_copy(PacketOpener& opener, ReplayWindow& window, Bytes packet) {
  return opener.open(packet, window);
}

void is_refused(const PacketOpener::Result& result, DropReason reason) {
  BOOST_REQUIRE(!result.has_value());
  BOOST_TEST((result.error() == reason));
}

}  // namespace

// RFC 9001 A.5 for ChaCha20; FIPS 197 C.3 for one block of AES-256, which is what a mask is.
BOOST_AUTO_TEST_CASE(masks_have_the_published_values) {
  HeaderProtector chacha(Suite::chacha20_poly1305,
                         hex_secret("25a282b9e82f06f21f488917a4fc8f1b73573685608597d0efcb076b0ab7a7a4"));
  HeaderProtector aes(Suite::aes_256_gcm,
                      hex_secret("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"));
  std::vector<HeaderProtector::Mask> mask(1);
  for (int round = 0; round < 2; ++round) {
    Bytes sample = hex("5e5cd55c41f69080575d7999c25a5bfb");
    chacha.masks(sample, mask);
    BOOST_TEST(to_hex(mask[0]) == "aefefe7d03");
    sample = hex("00112233445566778899aabbccddeeff");
    aes.masks(sample, mask);
    BOOST_TEST(to_hex(mask[0]) == "8ea2b7ca51");
  }
}

BOOST_AUTO_TEST_CASE(packets_of_every_number_size_come_out_as_they_went_in) {
  for (const Suite suite : kSuites) {
    PacketSealer sealer(suite, kSecret);
    PacketOpener opener(suite, kSecret);
    ReplayWindow window;
    std::uint64_t number = 0;
    for (std::size_t number_size = 1; number_size <= 4; ++number_size) {
      for (const std::size_t size :
           {4 - number_size, std::size_t{4}, std::size_t{31}, std::size_t{1200}, std::size_t{9000}}) {
        const Bytes plaintext = counting(static_cast<std::uint8_t>(size), size);
        Bytes bytes = sealed(sealer, number, number_size, plaintext);
        const auto opened = opener.open(bytes, window);
        BOOST_REQUIRE(opened.has_value());
        BOOST_TEST(opened->number.value() == number);
        BOOST_TEST(opened->first_byte == (0x40 | (number_size - 1)));
        BOOST_TEST(to_hex(opened->payload) == to_hex(plaintext));
        BOOST_TEST((opened->payload.data() == bytes.data() + kShortHeaderSize + number_size));  // in place
        ++number;
      }
    }
    BOOST_TEST(sealer.packets_sealed() == number);
    BOOST_TEST(opener.failed_opens() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(the_connection_id_stays_readable_and_the_rest_does_not) {
  for (const Suite suite : kSuites) {
    PacketSealer sealer(suite, kSecret);
    std::set<int> first_bytes, numbers;
    for (std::uint64_t n = 0; n < 64; ++n) {
      const Bytes bytes = sealed(sealer, n, 1, Bytes(20));
      BOOST_TEST((bytes[0] & 0xe0) == 0x40);  // form, fixed and the first reserved bit are not masked
      BOOST_TEST(to_hex(ByteView(bytes).subspan(1, 8)) == to_hex(kDestination.bytes()));
      first_bytes.insert(bytes[0]);
      numbers.insert(bytes[9]);
    }
    BOOST_TEST(first_bytes.size() > 16u);  // 32 values are possible
    BOOST_TEST(numbers.size() > 32u);
  }
}

BOOST_AUTO_TEST_CASE(headers_protected_in_a_batch_are_those_protected_one_by_one) {
  for (const Suite suite : kSuites) {
    PacketSealer one(suite, kSecret), batch(suite, kSecret);
    std::vector<Bytes> singly, together;
    for (std::uint64_t n = 0; n < 150; ++n) {  // more than two batches of 64
      const std::size_t number_size = 1 + n % 4;
      singly.push_back(sealed(one, n, number_size, counting(0, 10 + n)));
      Packet packet(n, number_size, counting(0, 10 + n));
      batch.seal_payload(packet.bytes, packet.header_size, packet.number);
      together.push_back(packet.bytes);
    }
    std::vector<HeaderSlot> slots;
    for (std::size_t n = 0; n < together.size(); ++n)
      slots.push_back({together[n].data(), static_cast<std::uint8_t>(1 + n % 4)});
    batch.protect_headers(slots);
    BOOST_TEST((singly == together));
    BOOST_TEST(batch.packets_sealed() == 150u);
    batch.protect_headers({});
  }
}

BOOST_AUTO_TEST_CASE(packets_opened_in_a_batch_are_those_opened_one_by_one) {
  for (const Suite suite : kSuites) {
    PacketSealer sealer(suite, kSecret);
    std::vector<Bytes> bytes;
    for (std::uint64_t n = 0; n < kMaxHeaderBatch; ++n) bytes.push_back(sealed(sealer, n * 100, 2));
    bytes[3] = Bytes(kMinShortPacket - 1, 0x40);  // too short
    bytes[5][0] |= 0x80;                          // a long header
    bytes[7].back() ^= 1;                         // forged
    bytes[9] = bytes[8];                          // twice
    auto copy = bytes;

    PacketOpener one(suite, kSecret), batch(suite, kSecret);
    ReplayWindow one_window, batch_window;
    std::vector<MutableBytes> views(bytes.begin(), bytes.end());
    std::vector<PacketOpener::Result> results(bytes.size(), std::unexpected(DropReason::wrong_path));
    batch.open_batch(views, batch_window, results);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const auto result = one.open(copy[i], one_window);
      BOOST_TEST_CONTEXT(i) {
        BOOST_REQUIRE(result.has_value() == results[i].has_value());
        if (!result) {
          BOOST_TEST((result.error() == results[i].error()));
          continue;
        }
        BOOST_TEST((result->number == results[i]->number));
        BOOST_TEST(to_hex(result->payload) == to_hex(results[i]->payload));
      }
    }
    is_refused(results[3], DropReason::malformed_header);
    is_refused(results[5], DropReason::malformed_header);
    is_refused(results[7], DropReason::authentication_failed);
    is_refused(results[9], DropReason::duplicate_packet);
    BOOST_TEST(batch.failed_opens() == 1u);
  }
}

BOOST_AUTO_TEST_CASE(a_change_of_any_bit_is_refused_and_changes_nothing) {
  for (const Suite suite : kSuites) {
    PacketSealer sealer(suite, kSecret);
    PacketOpener opener(suite, kSecret);
    ReplayWindow window;
    Bytes first = sealed(sealer, 0);
    BOOST_REQUIRE(opener.open(first, window).has_value());
    const Bytes genuine = sealed(sealer, 1, 2, counting(0, 12));
    std::uint64_t refused = 0;
    for (std::size_t i = 0; i < genuine.size(); ++i) {
      for (int bit = 0; bit < 8; ++bit) {
        Bytes changed = genuine;
        changed[i] ^= static_cast<std::uint8_t>(1 << bit);
        const auto opened = opener.open(changed, window);
        const bool unprotected_form = i == 0 && bit >= 6;
        is_refused(opened, unprotected_form ? DropReason::malformed_header : DropReason::authentication_failed);
        if (!unprotected_form) ++refused;
      }
    }
    BOOST_TEST(opener.failed_opens() == refused);
    BOOST_TEST(window.largest()->value() == 0u);
    BOOST_TEST((window.check(PacketNumber(1)) == ReplayWindow::Verdict::fresh));
    Bytes bytes = genuine;
    BOOST_TEST(opener.open(bytes, window).has_value());
  }
}

BOOST_AUTO_TEST_CASE(packets_cut_at_any_place_are_refused) {
  for (const Suite suite : kSuites) {
    PacketSealer sealer(suite, kSecret);
    PacketOpener opener(suite, kSecret);
    ReplayWindow window;
    const Bytes genuine = sealed(sealer, 0);
    for (std::size_t size = 0; size < genuine.size(); ++size) {
      Bytes cut(genuine.begin(), genuine.begin() + static_cast<std::ptrdiff_t>(size));
      is_refused(opener.open(cut, window),
                 size < kMinShortPacket ? DropReason::malformed_header : DropReason::authentication_failed);
    }
    BOOST_TEST(!window.largest().has_value());
  }
}

BOOST_AUTO_TEST_CASE(a_packet_opens_once) {
  for (const Suite suite : kSuites) {
    PacketSealer sealer(suite, kSecret);
    PacketOpener opener(suite, kSecret);
    ReplayWindow window;
    const Bytes genuine = sealed(sealer, 7);
    Bytes bytes = genuine;
    BOOST_REQUIRE(opener.open(bytes, window).has_value());
    for (int i = 0; i < 3; ++i) {
      bytes = genuine;
      is_refused(opener.open(bytes, window), DropReason::duplicate_packet);
    }
    BOOST_TEST(opener.failed_opens() == 0u);  // a replay is no forgery
  }
}

BOOST_AUTO_TEST_CASE(a_packet_below_the_window_is_refused) {
  PacketSealer sealer(Suite::aes_256_gcm, kSecret);
  PacketOpener opener(Suite::aes_256_gcm, kSecret);
  ReplayWindow window;
  Bytes late = sealed(sealer, 3, 4);
  for (std::uint64_t n = 100; n < 1200; ++n) {
    Bytes bytes = sealed(sealer, n, 2);
    BOOST_REQUIRE(opener.open(bytes, window).has_value());
  }
  is_refused(opener.open(late, window), DropReason::replay_window_passed);
}

// Truncated to two bytes, around the wrap, and out of order: RFC 9000 A.3 with what the window has opened.
BOOST_AUTO_TEST_CASE(truncated_numbers_are_recovered_near_the_largest_opened) {
  for (const Suite suite : kSuites) {
    PacketSealer sealer(suite, kSecret);
    PacketOpener opener(suite, kSecret);
    ReplayWindow window;
    for (const std::uint64_t number : {65'000u, 65'535u, 65'536u, 65'100u, 66'000u, 65'999u, 90'000u}) {
      Bytes bytes = sealed(sealer, number, number == 65'000u ? 4 : 2);
      const auto opened = opener.open(bytes, window);
      BOOST_REQUIRE(opened.has_value());
      BOOST_TEST(opened->number.value() == number);
    }
  }
}

// RFC 9000 A.3: half a number space ahead of the next expected number is the farthest that one byte reaches.
BOOST_AUTO_TEST_CASE(one_byte_reaches_a_hundred_and_twenty_eight_numbers_beyond_the_next) {
  PacketSealer sealer(Suite::aes_256_gcm, kSecret);
  for (const auto& [number, opens] : {std::pair{1129u, true}, std::pair{1130u, false}}) {
    PacketOpener opener(Suite::aes_256_gcm, kSecret);
    ReplayWindow window;
    window.mark(PacketNumber(1000));
    Bytes bytes = sealed(sealer, number, 1);
    BOOST_TEST(opener.open(bytes, window).has_value() == opens);
  }
}

// The nonce uses the whole number: one that is recovered wrongly cannot verify.
BOOST_AUTO_TEST_CASE(a_number_truncated_too_far_does_not_verify) {
  PacketSealer sealer(Suite::chacha20_poly1305, kSecret);
  PacketOpener opener(Suite::chacha20_poly1305, kSecret);
  ReplayWindow window;
  Bytes bytes = sealed(sealer, 1000, 1);
  is_refused(opener.open(bytes, window), DropReason::authentication_failed);
}

BOOST_AUTO_TEST_CASE(other_keys_and_suites_open_nothing) {
  PacketSealer sealer(Suite::aes_256_gcm, kSecret);
  TrafficSecret other = kSecret;
  other.bytes()[31] ^= 1;
  ReplayWindow window;
  PacketOpener other_key(Suite::aes_256_gcm, other), other_suite(Suite::chacha20_poly1305, kSecret);
  Bytes bytes = sealed(sealer, 0);
  is_refused(other_key.open(bytes, window), DropReason::authentication_failed);
  bytes = sealed(sealer, 1);
  is_refused(other_suite.open(bytes, window), DropReason::authentication_failed);
}

BOOST_AUTO_TEST_CASE(the_last_bytes_of_a_refused_packet_stay_as_they_came) {
  PacketOpener opener(Suite::aes_256_gcm, kSecret);
  ReplayWindow window;
  Bytes bytes = counting(0x40, 60);
  const Bytes tail(bytes.end() - 16, bytes.end());
  is_refused(opener.open(bytes, window), DropReason::authentication_failed);
  BOOST_TEST(to_hex(ByteView(bytes).last(16)) == to_hex(tail));
}

// The caller's to judge, and only after the tag has verified.
BOOST_AUTO_TEST_CASE(reserved_bits_are_handed_to_the_caller) {
  PacketSealer sealer(Suite::aes_256_gcm, kSecret);
  PacketOpener opener(Suite::aes_256_gcm, kSecret);
  ReplayWindow window;
  std::uint64_t number = 0;
  for (const std::uint8_t bits : {0x08, 0x10, 0x20, 0x38}) {
    Packet packet(number, 1, counting(0, 10));
    packet.bytes[0] |= bits;
    sealer.seal(packet.bytes, packet.header_size, packet.number);
    const auto opened = opener.open(packet.bytes, window);
    BOOST_REQUIRE(opened.has_value());
    BOOST_TEST(opened->first_byte == (0x40 | bits));
    ++number;
  }
}

// ---- key phases (docs/protocol.md §3.1)

BOOST_AUTO_TEST_CASE(a_new_phase_is_followed_with_its_first_packet) {
  for (const Suite suite : {Suite::chacha20_poly1305, Suite::aes_256_gcm}) {
    PacketSealer sealer(suite, kSecret);
    PacketOpener opener(suite, kSecret);
    ReplayWindow window;
    std::uint64_t number = 0;
    for (std::uint32_t phase = 0; phase < 5; ++phase) {
      BOOST_TEST(sealer.phase() == phase);
      BOOST_TEST(sealer.packets_sealed() == 0u);
      for (int i = 0; i < 3; ++i) {
        Bytes bytes = sealed(sealer, number++);
        const auto opened = opener.open(bytes, window);
        BOOST_REQUIRE(opened.has_value());
        BOOST_TEST(opened->phase == phase);
        BOOST_TEST(opened->turned_phase == (phase != 0 && i == 0));
        BOOST_TEST(to_hex(opened->payload) == to_hex(counting(1, 50)));
      }
      BOOST_TEST(opener.phase() == phase);
      BOOST_TEST((opener.secret() == sealer.secret()));
      sealer.update();
      BOOST_TEST((opener.next_secret() == sealer.secret()));
    }
  }
}

// What the secret of a phase protects is what a fresh sealer of that secret would, but for the header's key.
BOOST_AUTO_TEST_CASE(key_and_iv_come_from_the_next_secret_and_the_headers_key_stays) {
  PacketSealer sealer(Suite::aes_256_gcm, kSecret);
  sealer.update();
  BOOST_TEST((sealer.secret() == derive_next_secret(kSecret)));
  Packet updated(7, 2, counting(1, 50), true), fresh(7, 2, counting(1, 50), true);
  sealer.seal_payload(updated.bytes, updated.header_size, updated.number);
  PacketSealer(Suite::aes_256_gcm, derive_next_secret(kSecret))
      .seal_payload(fresh.bytes, fresh.header_size, fresh.number);
  BOOST_TEST(to_hex(updated.bytes) == to_hex(fresh.bytes));

  PacketSealer first(Suite::aes_256_gcm, kSecret);
  Bytes one = updated.bytes, other = updated.bytes;
  const HeaderSlot slots[] = {{one.data(), 2}, {other.data(), 2}};
  sealer.protect_headers(std::span(slots).first(1));
  first.protect_headers(std::span(slots).last(1));
  BOOST_TEST(to_hex(one) == to_hex(other));
}

BOOST_AUTO_TEST_CASE(late_packets_of_the_phase_before_open_until_its_keys_are_forgotten) {
  PacketSealer sealer(Suite::aes_256_gcm, kSecret);
  PacketOpener opener(Suite::aes_256_gcm, kSecret);
  ReplayWindow window;
  std::vector<Bytes> packets;
  for (std::uint64_t n = 0; n < 10; ++n) {
    if (n == 5) sealer.update();
    packets.push_back(sealed(sealer, n));
  }
  const auto phase_of = [&](std::size_t index) {
    const auto opened = opener.open(packets[index], window);
    return opened ? static_cast<int>(opened->phase) : -1;
  };
  BOOST_TEST(phase_of(0) == 0);
  BOOST_TEST(!opener.holds_previous_keys());
  BOOST_TEST(phase_of(7) == 1);  // the first of its phase that arrives, not the first that was sent
  BOOST_TEST(opener.holds_previous_keys());
  BOOST_TEST(phase_of(4) == 0);
  BOOST_TEST(phase_of(5) == 1);
  BOOST_TEST(phase_of(3) == 0);
  BOOST_TEST(phase_of(9) == 1);
  BOOST_TEST(opener.phase() == 1u);
  opener.forget_previous_keys();
  BOOST_TEST(phase_of(2) == -1);
  BOOST_TEST(phase_of(6) == 1);
  BOOST_TEST(opener.failed_opens() == 1u);
}

// Nobody but the holder of the keys can turn a phase, and a refused packet spoils nothing (threats t24, t26).
BOOST_AUTO_TEST_CASE(forged_phase_bits_change_nothing) {
  PacketSealer sealer(Suite::aes_256_gcm, kSecret);
  PacketOpener opener(Suite::aes_256_gcm, kSecret);
  ReplayWindow window;
  for (std::uint64_t n = 0; n < 20; ++n) {
    if (n == 10) sealer.update();
    Bytes bytes = sealed(sealer, n);
    Bytes flipped = bytes;
    flipped[0] ^= packet_bits::kKeyPhase;  // the mask is an XOR: this flips the bit underneath
    is_refused(opener.open(flipped, window), DropReason::authentication_failed);
    BOOST_TEST(opener.phase() == (n <= 10 ? 0u : 1u));
    BOOST_REQUIRE(opener.open(bytes, window).has_value());
    is_refused(open_copy(opener, window, sealed(sealer, n)), DropReason::duplicate_packet);
  }
  BOOST_TEST(opener.failed_opens() == 20u);
}

// A number that was opened before does not turn the phase, though its tag verifies.
BOOST_AUTO_TEST_CASE(a_duplicate_number_under_the_next_key_changes_nothing) {
  PacketSealer sealer(Suite::aes_256_gcm, kSecret);
  PacketOpener opener(Suite::aes_256_gcm, kSecret);
  ReplayWindow window;
  BOOST_REQUIRE(open_copy(opener, window, sealed(sealer, 0)).has_value());
  sealer.update();
  is_refused(open_copy(opener, window, sealed(sealer, 0)), DropReason::duplicate_packet);
  BOOST_TEST(opener.phase() == 0u);
}

BOOST_AUTO_TEST_CASE(forgeries_add_up_over_key_updates) {
  PacketSealer sealer(Suite::aes_256_gcm, kSecret);
  PacketOpener opener(Suite::aes_256_gcm, kSecret, {.max_sealed = 1000, .max_failed_opens = 3});
  ReplayWindow window;
  for (std::uint64_t n = 0; n < 3; ++n) {
    BOOST_TEST(!opener.open_limit_reached());
    Bytes forged = sealed(sealer, 2 * n);
    forged.back() ^= 1;
    is_refused(opener.open(forged, window), DropReason::authentication_failed);
    sealer.update();
    BOOST_REQUIRE(open_copy(opener, window, sealed(sealer, 2 * n + 1)).has_value());
  }
  BOOST_TEST(opener.open_limit_reached());
}

BOOST_AUTO_TEST_CASE(limits_are_those_of_the_specification) {
  BOOST_TEST(aead_limits(Suite::aes_256_gcm).max_sealed == 8'388'608u);
  BOOST_TEST(aead_limits(Suite::aes_256_gcm).max_failed_opens == 4'503'599'627'370'496u);
  BOOST_TEST(aead_limits(Suite::chacha20_poly1305).max_sealed > kMaxVarint);
  BOOST_TEST(aead_limits(Suite::chacha20_poly1305).max_failed_opens == 68'719'476'736u);
}

BOOST_AUTO_TEST_CASE(the_limit_of_sealed_packets_is_reported) {
  PacketSealer sealer(Suite::aes_256_gcm, kSecret, {.max_sealed = 3, .max_failed_opens = 1000});
  for (std::uint64_t n = 0; n < 3; ++n) {
    BOOST_TEST(!sealer.seal_limit_reached());
    (void)sealed(sealer, n);
  }
  BOOST_TEST(sealer.seal_limit_reached());
  sealer.update();
  BOOST_TEST(!sealer.seal_limit_reached());  // a new key may protect as many again
}

BOOST_AUTO_TEST_CASE(the_limit_of_failed_openings_is_reported) {
  PacketOpener opener(Suite::aes_256_gcm, kSecret, {.max_sealed = 1000, .max_failed_opens = 3});
  ReplayWindow window;
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(!opener.open_limit_reached());
    Bytes forged = counting(0x40, 60);
    is_refused(opener.open(forged, window), DropReason::authentication_failed);
  }
  BOOST_TEST(opener.open_limit_reached());
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace mxp::test
