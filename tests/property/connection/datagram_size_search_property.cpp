// The search on paths that lose packets and on paths that shrink: a model of a path in round trips.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <random>

#include "connection/datagram_size_search.h"

using namespace mxp;
using namespace std::chrono_literals;

namespace datagram_size_search_property {
namespace {

// Sends a window of packets in each round trip, and learns at its end what became of them.
class Path {
 public:
  Path(std::size_t largest, double loss, unsigned seed) : largest_(largest), loss_(loss), random_(seed) {}

  void shrink(std::size_t largest) { largest_ = largest; }

  // One round trip with a window of `packets` packets of the sizes that `size_of` gives.
  template <typename SizeOf>
  void round(unsigned packets, const SizeOf& size_of) {
    now += 50ms;
    if (const auto probe = search.probe_due(now, kWindow); probe && !silent_) {
      RC_ASSERT(*probe > search.size());
      search.on_probe_sent(PacketNumber(next_), *probe);
      sent_.push_back({next_++, *probe, arrives(*probe)});
    }
    for (unsigned i = 0; i < packets; ++i) {
      // What goes out at a probe timeout is small.
      const std::size_t size = silent_ ? DatagramSizeSearch::kBase : size_of();
      if (size > largest_) ++too_large_;
      sent_.push_back({next_++, size, arrives(size)});
    }
    const auto newest = std::find_if(sent_.rbegin(), sent_.rend(), [](const Sent& sent) { return sent.arrived; });
    silent_ = newest == sent_.rend();
    if (silent_) return;
    const std::uint64_t acknowledged = newest->number;
    for (const Sent& sent : sent_) {
      if (!sent.arrived) continue;
      if (search.is_probe(PacketNumber(sent.number))) search.on_probe_acknowledged(now, PacketNumber(sent.number));
      else search.on_packet_acknowledged(PacketNumber(sent.number), sent.size);
    }
    std::vector<Sent> open;
    for (const Sent& sent : sent_) {
      if (sent.arrived) continue;
      if (sent.number + 3 > acknowledged) open.push_back(sent);  // not yet declared lost
      else if (search.is_probe(PacketNumber(sent.number))) search.on_probe_lost(now, PacketNumber(sent.number));
      else search.on_packet_lost(PacketNumber(sent.number), sent.size);
    }
    sent_ = std::move(open);
  }

  Timestamp now{1s};
  DatagramSizeSearch search{AddressFamily::ipv4, kMaxUdpPayload};
  unsigned too_large() const { return too_large_; }  // ordinary packets that the path could not carry
  double chance() { return std::uniform_real_distribution<double>(0, 1)(random_); }

 private:
  static constexpr std::uint64_t kWindow = 1 << 20;
  struct Sent {
    std::uint64_t number;
    std::size_t size;
    bool arrived;
  };

  bool arrives(std::size_t size) { return size <= largest_ && chance() >= loss_; }

  std::size_t largest_;
  double loss_;
  std::mt19937 random_;
  std::uint64_t next_ = 0;
  unsigned too_large_ = 0;
  bool silent_ = false;
  std::vector<Sent> sent_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(datagram_size_search_property)

BOOST_AUTO_TEST_CASE(search_finds_what_the_path_carries_whatever_it_is_and_loses) {
  BOOST_TEST(rc::check("found", [](unsigned seed) {
    // Small sizes as often as large ones.
    const auto largest = static_cast<std::size_t>(
        *rc::gen::oneOf(rc::gen::inRange(1200, 1600), rc::gen::inRange(1200, 9100), rc::gen::inRange(1200, 65508)));
    const double loss = *rc::gen::inRange(0, 101) / 1000.0;
    Path path(largest, loss, seed);
    unsigned rounds = 0;
    for (; !path.search.resting() && rounds < 300; ++rounds) path.round(20, [&] { return path.search.size(); });
    RC_ASSERT(path.search.resting());
    RC_ASSERT(path.search.probes_sent() <= DatagramSizeSearch::kMaxProbes);
    RC_ASSERT(path.search.size() <= largest);
    RC_ASSERT(path.search.size() + DatagramSizeSearch::kGap > largest);
    RC_ASSERT(path.too_large() == 0u);
    if (loss == 0) RC_ASSERT(path.search.probes_sent() <= DatagramSizeSearch::kMaxProbes / 2 + 20);
  }));
}

BOOST_AUTO_TEST_CASE(random_loss_is_no_black_hole) {
  BOOST_TEST(rc::check("patience", [](unsigned seed) {
    const double loss = *rc::gen::inRange(1, 31) / 100.0;
    const unsigned packets = *rc::gen::inRange(1, 60);
    const double large = *rc::gen::inRange(1, 11) / 10.0;  // share of large packets
    const bool mixed = *rc::gen::arbitrary<bool>();        // large ones of any size, or all of the size in use
    Path path(1472, loss, seed);
    path.search = DatagramSizeSearch(AddressFamily::ipv4, 1472);
    for (int i = 0; i < 20; ++i) path.round(1, [] { return DatagramSizeSearch::kBase; });
    if (path.search.size() != 1472) return;  // by chance: not what is tested here
    for (int i = 0; i < 2000 / static_cast<int>(packets) + 50; ++i) {
      path.round(packets, [&]() -> std::size_t {
        if (path.chance() >= large) return 300;
        return mixed ? 1201 + static_cast<std::size_t>(path.chance() * 272) : 1472;
      });
      RC_ASSERT(path.search.black_holes() == 0u);
    }
  }));
}

BOOST_AUTO_TEST_CASE(t45_shrunken_path_is_noticed_within_three_round_trips) {
  BOOST_TEST(rc::check("recovery", [](unsigned seed) {
    const auto before = static_cast<std::size_t>(*rc::gen::inRange(1300, 9000));
    const auto after = static_cast<std::size_t>(*rc::gen::inRange(1200, static_cast<int>(before) - 32));
    const unsigned packets = *rc::gen::inRange(10, 60);
    Path path(before, 0, seed);
    const auto largest = [&] { return path.search.size(); };
    for (int i = 0; i < 200; ++i) path.round(packets, largest);
    RC_ASSERT(path.search.size() > after);
    path.shrink(after);
    for (int i = 0; i < 3; ++i) path.round(packets, largest);
    RC_ASSERT(path.search.size() <= after);
    // From then on nothing too large goes out any more, and the new size is found.
    const unsigned lost = path.too_large();
    RC_ASSERT(lost <= 2 * packets);
    for (int i = 0; i < 100; ++i) path.round(packets, largest);
    RC_ASSERT(path.too_large() == lost);
    RC_ASSERT(path.search.size() <= after);
    RC_ASSERT(path.search.size() + DatagramSizeSearch::kGap > after);
  }));
}

BOOST_AUTO_TEST_CASE(shrunken_path_that_also_loses_packets_is_noticed_soon) {
  BOOST_TEST(rc::check("recovery under loss", [](unsigned seed) {
    const double loss = *rc::gen::inRange(0, 31) / 100.0;
    const double large = *rc::gen::inRange(3, 11) / 10.0;
    Path path(1472, loss, seed);
    path.search = DatagramSizeSearch(AddressFamily::ipv4, 1472);
    const auto size_of = [&] { return path.chance() < large ? path.search.size() : 300; };
    for (int i = 0; i < 60; ++i) path.round(20, size_of);
    path.shrink(1300);
    int rounds = 0;
    while (path.search.size() > 1300 && rounds < 40) path.round(20, size_of), ++rounds;
    RC_ASSERT(rounds <= 15);
  }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace datagram_size_search_property
