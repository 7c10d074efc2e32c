// IP datagrams that come in fragments: whole, in any order, overlapping, too late, too many.
#include <boost/test/unit_test.hpp>
#include <numeric>
#include <random>

#include "mxp-dump/link/udp_finder.h"

namespace mxp::dump {
namespace {

using FragmentBytes = std::vector<std::uint8_t>;

// One datagram of 3,000 bytes of payload in fragments of `step` bytes, each an IPv4 or IPv6 packet.
struct Cutting {
  FragmentBytes body;
  std::vector<FragmentBytes> packets;
};

void append_be(FragmentBytes& out, std::uint64_t value, std::size_t size) {
  while (size-- > 0) out.push_back(static_cast<std::uint8_t>(value >> (8 * size)));
}

FragmentBytes piece_v4(const FragmentBytes& body, std::size_t at, std::size_t size, bool more, std::uint16_t id) {
  FragmentBytes out;
  append_be(out, 0x4500, 2);
  append_be(out, 20 + size, 2);
  append_be(out, id, 2);
  append_be(out, (more ? 0x2000u : 0u) | at / 8, 2);
  append_be(out, 0x40110000, 4);
  append_be(out, 0x0a000001, 4);
  append_be(out, 0x0a000002, 4);
  out.insert(out.end(), body.begin() + static_cast<std::ptrdiff_t>(at),
             body.begin() + static_cast<std::ptrdiff_t>(at + size));
  return out;
}

FragmentBytes piece_v6(const FragmentBytes& body, std::size_t at, std::size_t size, bool more, std::uint32_t id) {
  FragmentBytes out;
  append_be(out, 0x60000000, 4);
  append_be(out, 8 + size, 2);
  append_be(out, 0x2c40, 2);
  for (int address = 1; address <= 2; ++address) {
    out.insert(out.end(), 15, 0);
    out.push_back(static_cast<std::uint8_t>(address));
  }
  append_be(out, 0x1100, 2);
  append_be(out, at | (more ? 1u : 0u), 2);
  append_be(out, id, 4);
  out.insert(out.end(), body.begin() + static_cast<std::ptrdiff_t>(at),
             body.begin() + static_cast<std::ptrdiff_t>(at + size));
  return out;
}

FragmentBytes udp_body() {
  FragmentBytes body;
  append_be(body, 4000, 2);
  append_be(body, 9000, 2);
  append_be(body, 3008, 2);
  append_be(body, 0, 2);
  for (int i = 0; i < 3000; ++i) body.push_back(static_cast<std::uint8_t>(i * 7));
  return body;
}

Cutting cut(bool v6, std::size_t step, std::uint16_t id = 1) {
  Cutting all{udp_body(), {}};
  for (std::size_t at = 0; at < all.body.size(); at += step) {
    const std::size_t size = std::min(step, all.body.size() - at);
    const bool more = at + size < all.body.size();
    all.packets.push_back(v6 ? piece_v6(all.body, at, size, more, id) : piece_v4(all.body, at, size, more, id));
  }
  return all;
}

struct Seen {
  std::vector<FragmentBytes> payloads;
  std::vector<UdpDatagram> datagrams;
  std::vector<std::uint64_t> frames;
  std::vector<NotUdp> others;
};

class Capture {
 public:
  void take(const FragmentBytes& bytes, std::uint64_t time_ns = 0, std::size_t snap = 65535) {
    const FragmentBytes kept(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(std::min(snap, bytes.size())));
    finder.find(CapturedPacket{.frame = ++frame_,
                               .time_ns = time_ns,
                               .link_type = 101,
                               .original_length = static_cast<std::uint32_t>(bytes.size()),
                               .bytes = kept},
                [this](const auto& packet, const auto& found) { note(packet, found); });
  }
  void end() {
    finder.finish([this](const auto& packet, const auto& found) { note(packet, found); });
  }
  UdpFinder finder;
  Seen seen;

 private:
  void note(const CapturedPacket& packet, const FoundUdp& found) {
    if (!found) return seen.others.push_back(found.error().why);
    seen.payloads.emplace_back(found->payload.begin(), found->payload.end());
    seen.datagrams.push_back(*found);
    seen.frames.push_back(packet.frame);
  }
  std::uint64_t frame_ = 0;
};

const FragmentBytes kWhole = [] {
  const FragmentBytes body = udp_body();
  return FragmentBytes(body.begin() + 8, body.end());
}();

BOOST_AUTO_TEST_SUITE(fragments)

BOOST_AUTO_TEST_CASE(a_datagram_is_put_together_in_whatever_order_its_fragments_come) {
  std::mt19937 dice(7);
  for (const bool v6 : {false, true}) {
    for (int round = 0; round < 50; ++round) {
      Cutting all = cut(v6, 8 * (1 + dice() % 180));
      std::shuffle(all.packets.begin(), all.packets.end(), dice);
      Capture capture;
      for (const auto& packet : all.packets) capture.take(packet);
      BOOST_REQUIRE(capture.seen.datagrams.size() == 1u);
      BOOST_TEST((capture.seen.payloads[0] == kWhole));
      BOOST_TEST(!capture.seen.datagrams[0].fragment);
      BOOST_TEST(capture.seen.datagrams[0].fragments == all.packets.size());
      BOOST_TEST(capture.seen.frames[0] == all.packets.size());
      BOOST_TEST(capture.finder.earlier_frames().size() == all.packets.size() - 1);
      BOOST_TEST(capture.finder.fragment_bytes() == 0u);
      BOOST_TEST(capture.finder.fragment_counts().unmatched == 0u);
    }
  }
}

BOOST_AUTO_TEST_CASE(datagrams_with_other_ids_are_not_mixed) {
  const Cutting a = cut(false, 800, 1), b = cut(false, 800, 2);
  Capture capture;
  for (std::size_t i = 0; i < a.packets.size(); ++i) {
    capture.take(a.packets[i]);
    capture.take(b.packets[i]);
  }
  BOOST_TEST(capture.seen.datagrams.size() == 2u);
  BOOST_TEST(capture.finder.fragment_counts().reassembled == 2u);
}

BOOST_AUTO_TEST_CASE(a_first_fragment_without_the_others_is_shown_as_one_and_the_others_are_counted) {
  const Cutting all = cut(false, 800);
  for (std::size_t missing = 0; missing < all.packets.size(); ++missing) {
    Capture capture;
    for (std::size_t i = 0; i < all.packets.size(); ++i)
      if (i != missing) capture.take(all.packets[i]);
    BOOST_TEST(capture.seen.datagrams.empty());
    capture.end();
    BOOST_TEST(capture.seen.datagrams.size() == (missing == 0 ? 0u : 1u));
    BOOST_TEST(capture.finder.fragment_counts().unmatched == all.packets.size() - (missing == 0 ? 1 : 2));
    if (missing == 0) continue;
    BOOST_TEST(capture.seen.datagrams[0].fragment);
    BOOST_TEST(capture.seen.datagrams[0].length == 3000u);
    BOOST_TEST(capture.seen.payloads[0].size() == 792u);
    BOOST_TEST(capture.seen.frames[0] == 1u);
  }
}

BOOST_AUTO_TEST_CASE(fragments_wait_thirty_seconds_of_the_capture) {
  const Cutting all = cut(false, 800);
  for (const auto& [last_ns, found] :
       {std::pair{Fragments::kPatienceNs, 1u}, std::pair{Fragments::kPatienceNs + 1, 0u}}) {
    Capture capture;
    for (std::size_t i = 0; i + 1 < all.packets.size(); ++i) capture.take(all.packets[i]);
    capture.take(all.packets.back(), last_ns);
    BOOST_TEST(capture.finder.fragment_counts().reassembled == found);
    BOOST_TEST(capture.seen.datagrams.size() == 1u);  // the whole one, or the first fragment alone
  }
}

BOOST_AUTO_TEST_CASE(overlapping_fragments_are_dropped_with_their_datagram_and_copies_are_not) {
  const FragmentBytes body = udp_body();
  const Cutting all = cut(false, 800);
  Capture copies;
  for (const auto& packet : all.packets) {
    copies.take(packet);
    if (&packet != &all.packets.back()) copies.take(packet);
  }
  BOOST_TEST(copies.finder.fragment_counts().reassembled == 1u);
  BOOST_TEST(copies.finder.fragment_counts().copies == all.packets.size() - 1);

  Capture overlap;
  overlap.take(all.packets[0]);
  overlap.take(piece_v4(body, 792, 800, true, 1));
  for (std::size_t i = 1; i < all.packets.size(); ++i) overlap.take(all.packets[i]);
  overlap.end();
  BOOST_TEST(overlap.seen.datagrams.empty());
  BOOST_TEST(overlap.finder.fragment_counts().reassembled == 0u);
  BOOST_TEST(overlap.finder.fragment_counts().overlapping == all.packets.size() + 1);
}

BOOST_AUTO_TEST_CASE(fragments_beyond_the_largest_datagram_are_not_put_together) {
  Capture capture;
  FragmentBytes body(1480);
  for (const std::size_t at : {std::size_t{0}, std::size_t{65528}}) {
    FragmentBytes packet = piece_v4(body, 0, 1480, at == 0, 9);
    packet[6] = static_cast<std::uint8_t>((at == 0 ? 0x20 : 0) | at / 8 >> 8);
    packet[7] = static_cast<std::uint8_t>(at / 8);
    capture.take(packet);
  }
  BOOST_TEST(capture.finder.fragment_counts().overlapping == 2u);
}

BOOST_AUTO_TEST_CASE(fragments_cut_by_the_snap_length_leave_what_is_contiguous) {
  const Cutting all = cut(false, 800);
  Capture capture;
  for (const auto& packet : all.packets) capture.take(packet, 0, 120);
  BOOST_REQUIRE(capture.seen.datagrams.size() == 1u);
  BOOST_TEST(capture.seen.datagrams[0].truncated());
  BOOST_TEST(capture.seen.datagrams[0].length == 3000u);
  BOOST_TEST(capture.seen.payloads[0].size() == 92u);
}

BOOST_AUTO_TEST_CASE(what_strangers_can_make_us_keep_is_bounded) {
  Capture capture;
  const FragmentBytes body(1480);
  for (std::uint32_t id = 0; id < 20'000; ++id) {
    capture.take(piece_v6(body, 0, 1480, true, id));
    BOOST_REQUIRE(capture.finder.fragment_bytes() <= Fragments::kMaxBytes);
  }
  capture.end();
  BOOST_TEST(capture.finder.fragment_bytes() == 0u);
  // Each was handed out: a zero port and a zero length make it malformed or a datagram, and never silent.
  BOOST_TEST(capture.seen.datagrams.size() + capture.seen.others.size() == 40'000u);
}

// Empty ones, and ones that overlap at once, hold no bytes; what waits for more of their datagrams is bounded all the same.
BOOST_AUTO_TEST_CASE(datagrams_that_hold_no_bytes_are_bounded_too) {
  Capture capture;
  const FragmentBytes body(1480);
  for (std::uint32_t id = 0; id < 5'000; ++id) {
    capture.take(piece_v4(body, 0, 0, true, static_cast<std::uint16_t>(id)));
    capture.take(piece_v6(body, 0, 0, true, id));
    BOOST_REQUIRE(capture.finder.waiting_datagrams() == 0u);
  }
  for (std::uint32_t id = 0; id < 5'000; ++id) {
    capture.take(piece_v6(body, 0, 16, true, id));
    capture.take(piece_v6(body, 8, 16, true, id));
    BOOST_REQUIRE(capture.finder.waiting_datagrams() <= Fragments::kMaxDatagrams);
    BOOST_REQUIRE(capture.finder.fragment_bytes() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(a_datagram_in_thousands_of_pieces_is_dropped) {
  Capture capture;
  const FragmentBytes body(16 * 1024);
  for (std::size_t at = 0; at < body.size(); at += 8) capture.take(piece_v6(body, at, 8, at + 8 < body.size(), 1));
  BOOST_TEST(capture.finder.fragment_counts().reassembled == 0u);
  BOOST_TEST(capture.finder.fragment_bytes() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::dump
