// Streams of packets across key updates, as a capture may hold them (docs/protocol.md §3.1).
#include "mxp-dump/dissect/packet_decryptor.h"

#include <algorithm>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <deque>
#include <optional>
#include <random>
#include <vector>

namespace mxp::dump::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

TrafficSecret secret_of_phase_0() {
  std::array<std::uint8_t, 32> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i + 1);
  return TrafficSecret(std::span<const std::uint8_t, 32>(bytes));
}

// One direction of a connection.
class Sender {
 public:
  explicit Sender(Suite suite = Suite::aes_256_gcm) : sealer_(suite, secret_of_phase_0()) {}

  Bytes send(std::size_t number_size = 2) {
    const std::size_t header_size = kShortHeaderSize + number_size;
    Bytes packet(header_size + 20 + kTagSize);
    packet[0] = static_cast<std::uint8_t>(packet_bits::kFixed | (phase() % 2 == 1 ? packet_bits::kKeyPhase : 0) |
                                          (number_size - 1));
    for (std::size_t i = 0; i < number_size; ++i)
      packet[kShortHeaderSize + i] = static_cast<std::uint8_t>(next_ >> (8 * (number_size - 1 - i)));
    sealer_.seal(packet, header_size, PacketNumber(next_++));
    return packet;
  }
  // Turns so many phases further, with so many packets in each that nobody captures.
  void turn(std::uint32_t phases = 1, std::uint64_t packets = 0) {
    for (std::uint32_t i = 0; i < phases; ++i) {
      sealer_.update();
      next_ += packets;
    }
  }
  void lose(std::uint64_t packets) { next_ += packets; }
  std::uint32_t phase() const { return sealer_.phase(); }
  std::uint64_t next() const { return next_; }

 private:
  PacketSealer sealer_;
  std::uint64_t next_ = 0;
};

// What the dissector does with a decryptor: the number expected is the one after the largest.
class Onlooker {
 public:
  explicit Onlooker(Suite suite = Suite::aes_256_gcm) : decryptor_(suite, secret_of_phase_0()) {}

  std::optional<std::uint32_t> open(const Bytes& packet) { return take(decryptor_.open(packet, expected_, scratch_)); }
  std::optional<std::uint32_t> search(const Bytes& packet, std::uint32_t named, std::size_t round = 0) {
    return take(decryptor_.search(packet, expected_, {.highest_named = named, .round = round}, scratch_));
  }
  std::uint64_t largest() const { return expected_ - 1; }
  std::uint64_t trials() const { return decryptor_.trials(); }
  std::uint32_t phase() const { return decryptor_.phase(); }

 private:
  std::optional<std::uint32_t> take(const std::optional<PacketDecryptor::Opened>& opened) {
    if (!opened) return std::nullopt;
    BOOST_TEST(opened->payload.size() == 20u);
    expected_ = std::max(expected_, opened->number.value() + 1);
    return opened->phase;
  }

  PacketDecryptor decryptor_;
  std::uint64_t expected_ = 0;
  Bytes scratch_;
};

void is_phase(std::optional<std::uint32_t> opened, std::uint32_t phase) {
  BOOST_REQUIRE(opened.has_value());
  BOOST_TEST(*opened == phase);
}

// The phase bit as somebody on the path flips it: the masked one lies under the same mask.
Bytes with_flipped_phase_bit(Bytes packet) {
  packet[0] ^= packet_bits::kKeyPhase;
  return packet;
}

// Numbers of a phase that was turned by time, and of one that was turned under load.
constexpr std::uint64_t kQuiet = 30, kUnderLoad = 10'030;

}  // namespace

BOOST_AUTO_TEST_SUITE(packet_decryptor)

BOOST_AUTO_TEST_CASE(phases_are_followed_at_the_cost_of_one_trial_a_packet) {
  for (const Suite suite : {Suite::aes_256_gcm, Suite::chacha20_poly1305}) {
    Sender sender(suite);
    Onlooker onlooker(suite);
    for (std::uint32_t phase = 0; phase < 9; ++phase) {
      for (int i = 0; i < 10; ++i) is_phase(onlooker.open(sender.send()), phase);
      sender.turn();
    }
    BOOST_TEST(onlooker.trials() == 90u);
  }
}

BOOST_AUTO_TEST_CASE(packets_that_a_turn_has_overtaken_open) {
  Sender sender;
  Onlooker onlooker;
  for (std::uint32_t phase = 0; phase < 6; ++phase) {
    const Bytes first = sender.send(), late = sender.send(), later = sender.send();
    is_phase(onlooker.open(first), phase);
    sender.turn();
    is_phase(onlooker.open(sender.send()), phase + 1);
    is_phase(onlooker.open(late), phase);
    is_phase(onlooker.open(sender.send()), phase + 1);
    is_phase(onlooker.open(later), phase);
    BOOST_TEST(onlooker.phase() == phase + 1);
  }
}

// Both sides of a relay are in the capture: each packet is there again, eleven packets later.
BOOST_AUTO_TEST_CASE(packets_seen_twice_across_turns_open_twice) {
  Sender sender;
  Onlooker onlooker;
  std::deque<std::pair<std::uint32_t, Bytes>> relayed;
  for (int i = 0; i < 400; ++i) {
    if (i % 40 == 39) sender.turn();
    relayed.emplace_back(sender.phase(), sender.send());
    is_phase(onlooker.open(relayed.back().second), relayed.back().first);
    if (relayed.size() < 12) continue;
    is_phase(onlooker.open(relayed.front().second), relayed.front().first);
    relayed.pop_front();
  }
  BOOST_TEST(onlooker.phase() == 10u);
}

BOOST_DATA_TEST_CASE(a_hole_of_whole_phases_is_passed,
                     boost::unit_test::data::make({1u, 2u, 5u, 300u}) *
                         boost::unit_test::data::make({kQuiet, kUnderLoad}) *
                         boost::unit_test::data::make({false, true}),
                     missing, packets_of_phase, named) {
  Sender sender;
  Onlooker onlooker;
  for (std::uint32_t phase = 0; phase < 3; ++phase) {
    is_phase(onlooker.open(sender.send()), phase);
    sender.lose(packets_of_phase);
    if (phase < 2) sender.turn();
  }
  sender.turn(missing + 1, packets_of_phase);
  const Bytes late = sender.send();
  sender.turn();
  const std::uint32_t after = 2 + missing + 2;
  const Bytes packet = sender.send();
  const std::uint64_t before = onlooker.trials();
  auto opened = onlooker.open(packet);
  BOOST_TEST(!opened.has_value());
  opened = onlooker.search(packet, named ? after + 20 : 0);
  is_phase(opened, after);
  BOOST_TEST(onlooker.largest() == sender.next() - 1);
  BOOST_TEST(onlooker.trials() - before <= PacketDecryptor::kOpenTrials + PacketDecryptor::kSearchTrials);
  // From here on it is as if nothing had been missing.
  is_phase(onlooker.open(late), after - 1);
  is_phase(onlooker.open(sender.send()), after);
  sender.turn();
  is_phase(onlooker.open(sender.send()), after + 1);
}

BOOST_DATA_TEST_CASE(a_capture_joined_in_its_middle_is_found,
                     boost::unit_test::data::make({1u, 2u, 7u, 40u, 300u, 511u}) *
                         boost::unit_test::data::make({kQuiet, kUnderLoad}) *
                         boost::unit_test::data::make({false, true}),
                     phase, packets_of_phase, named) {
  Sender sender;
  Onlooker onlooker;
  sender.turn(phase, packets_of_phase);
  const Bytes packet = sender.send();
  if (!onlooker.open(packet)) is_phase(onlooker.search(packet, named ? phase + 2 : 0), phase);
  BOOST_TEST(onlooker.phase() == phase);
  BOOST_TEST(onlooker.largest() == sender.next() - 1);
  is_phase(onlooker.open(sender.send()), phase);
}

BOOST_AUTO_TEST_CASE(the_key_log_says_how_far_to_look) {
  Sender sender;
  sender.turn(1500, kUnderLoad);
  const Bytes packet = sender.send();
  Onlooker without, with;
  BOOST_TEST(!without.search(packet, 0).has_value());
  BOOST_TEST(without.phase() == 0u);
  is_phase(with.search(packet, 1502), 1500);
  // However far the log says: each phase costs the making of its keys.
  sender.turn(PacketDecryptor::kMaxPhasesAhead - 1500 + 2, kQuiet);
  const Bytes too_far = sender.send();
  Onlooker bounded;
  BOOST_TEST(!bounded.search(too_far, UINT32_MAX).has_value());
}

// Numbers of one byte and 300 phases: more numbers than one search may try, but neighbours are searched further on.
BOOST_AUTO_TEST_CASE(each_search_in_vain_is_continued_by_the_next) {
  Sender sender;
  Onlooker onlooker;
  sender.turn(300, kUnderLoad);
  sender.lose(1000);
  std::optional<std::uint32_t> opened;
  std::size_t round = 0;
  for (; !opened && round < 8; ++round) opened = onlooker.search(sender.send(1), 310, round);
  is_phase(opened, 300);
  BOOST_TEST(round > 1u);
  BOOST_TEST(onlooker.largest() == sender.next() - 1);

  Sender far;  // beyond the first search in its own phase
  Onlooker beside;
  far.lose(5'000'000);
  opened.reset();
  for (round = 0; !opened && round < 8; ++round) opened = beside.search(far.send(1), 0, round);
  is_phase(opened, 0);
  BOOST_TEST(round > 1u);
}

BOOST_AUTO_TEST_CASE(forged_phase_bits_cost_little_and_turn_nothing) {
  Sender sender;
  Onlooker onlooker;
  is_phase(onlooker.open(sender.send()), 0);
  sender.turn();
  is_phase(onlooker.open(sender.send()), 1);
  std::uint64_t genuine = 2;
  constexpr std::uint64_t kForged = 500;
  for (std::uint64_t i = 0; i < kForged; ++i) {
    const Bytes packet = sender.send();
    BOOST_TEST(!onlooker.open(with_flipped_phase_bit(packet)).has_value());
    is_phase(onlooker.open(packet), 1);
    ++genuine;
  }
  BOOST_TEST(onlooker.phase() == 1u);
  BOOST_TEST(onlooker.trials() <= genuine + kForged * PacketDecryptor::kOpenTrials);
  sender.turn();
  is_phase(onlooker.open(sender.send()), 2);
}

BOOST_AUTO_TEST_CASE(a_search_in_vain_is_bounded_and_changes_nothing) {
  for (const std::uint32_t named : {0u, 300u, 4096u, UINT32_MAX}) {
    for (const std::size_t number_size : {1u, 4u}) {
      for (const bool flipped : {false, true}) {
        Sender sender;
        Onlooker onlooker;
        is_phase(onlooker.open(sender.send()), 0);
        Bytes forged = sender.send(number_size);
        forged[20] ^= 1;  // within the sample: the header is another one as well
        if (flipped) forged = with_flipped_phase_bit(forged);
        const std::uint64_t before = onlooker.trials();
        for (std::size_t round = 0; round < 8; ++round) {
          BOOST_TEST(!onlooker.search(forged, named, round).has_value());
          BOOST_TEST(onlooker.trials() - before <= (round + 1) * PacketDecryptor::kSearchTrials);
        }
        const std::uint64_t after = onlooker.trials();
        is_phase(onlooker.open(sender.send()), 0);
        BOOST_TEST(onlooker.trials() == after + 1);
      }
    }
  }
}

// Packets of eight phases, with losses, packets that others overtake, second copies, forged ones, and phase bits that
// somebody flipped.
std::vector<Bytes> disturbed_packets(Suite suite, std::mt19937& random) {
  Sender sender(suite);
  std::vector<Bytes> packets;
  for (int i = 0; i < 800; ++i) {
    packets.push_back(sender.send(1 + random() % 3));
    if (i % 100 == 99) sender.turn();
    if (random() % 20 == 0) sender.lose(random() % 40);
  }
  for (std::size_t i = 1; i + 8 < packets.size(); ++i) {
    switch (random() % 25) {
      case 0: std::swap(packets[i], packets[i + random() % 8]); break;
      case 1: packets[i + random() % 8] = packets[i]; break;
      case 2: packets[i][20] ^= 1; break;
      case 3: packets[i] = with_flipped_phase_bit(packets[i]); break;
      default: break;
    }
  }
  return packets;
}

// A copy goes through all packets first. With what it has opened everything is as without it, down to the number of
// trials, and nearly all of it is of use.
BOOST_AUTO_TEST_CASE(what_a_copy_has_opened_changes_nothing) {
  for (const Suite suite : {Suite::aes_256_gcm, Suite::chacha20_poly1305}) {
    std::mt19937 random(7);
    const std::vector<Bytes> packets = disturbed_packets(suite, random);
    PacketDecryptor alone(suite, secret_of_phase_0()), helped(suite, secret_of_phase_0());
    PacketDecryptor copy = helped.copy(secret_of_phase_0());
    std::vector<Bytes> rooms;
    std::vector<std::optional<OpenedAhead>> ahead;
    std::uint64_t expected = 0;
    for (const Bytes& packet : packets) {
      rooms.emplace_back(packet.size());
      ahead.push_back(copy.open_likely(packet, expected, rooms.back()));
      if (ahead.back()) expected = std::max(expected, ahead.back()->number.value() + 1);
    }
    expected = 0;
    std::size_t adopted = 0;
    Bytes scratch, other_scratch;
    for (std::size_t i = 0; i < packets.size(); ++i) {
      const auto opened = alone.open(packets[i], expected, scratch);
      auto same = ahead[i] ? helped.adopt(*ahead[i], expected) : std::nullopt;
      adopted += same ? 1 : 0;
      if (!same) same = helped.open(packets[i], expected, other_scratch);
      BOOST_REQUIRE(opened.has_value() == same.has_value());
      BOOST_TEST(alone.trials() == helped.trials());
      BOOST_TEST(alone.phase() == helped.phase());
      if (!opened) continue;
      BOOST_TEST((opened->number == same->number && opened->phase == same->phase));
      BOOST_TEST(opened->first_byte == same->first_byte);
      BOOST_TEST(std::ranges::equal(opened->payload, same->payload));
      expected = std::max(expected, opened->number.value() + 1);
    }
    BOOST_TEST(adopted > packets.size() * 3 / 4);
  }
}

// What was opened for another place in the numbers, or in another phase, is not taken over.
BOOST_AUTO_TEST_CASE(what_would_not_be_found_at_once_is_not_taken_over) {
  Sender sender;
  PacketDecryptor decryptor(Suite::aes_256_gcm, secret_of_phase_0());
  PacketDecryptor copy = decryptor.copy(secret_of_phase_0());
  const Bytes packet = sender.send(1);
  Bytes room(packet.size());
  const auto ahead = copy.open_likely(packet, 0, room);
  BOOST_REQUIRE(ahead.has_value());
  BOOST_TEST(!decryptor.adopt(*ahead, 400).has_value());
  BOOST_TEST(decryptor.adopt(*ahead, 100).has_value());
  sender.turn();
  const Bytes next = sender.send(1);
  const auto turned = copy.open_likely(next, 1, room);
  BOOST_REQUIRE(turned.has_value());
  BOOST_TEST(!decryptor.adopt(*turned, 1).has_value());
  BOOST_TEST(decryptor.trials() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::dump::test
