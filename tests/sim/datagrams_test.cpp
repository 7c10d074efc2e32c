// Datagrams over links that lose, delay and turn them round: what arrives, in which order, and what is told of it.
#include <boost/test/unit_test.hpp>
#include <map>

#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

namespace datagrams_test {
namespace {

// Each datagram begins with its class and its number in it.
struct Payload {
  static std::vector<std::uint8_t> make(MessageClass of, std::uint32_t number, std::size_t size) {
    std::vector<std::uint8_t> bytes(size, static_cast<std::uint8_t>(number));
    bytes[0] = static_cast<std::uint8_t>(of);
    for (int i = 0; i < 4; ++i) bytes[static_cast<std::size_t>(1 + i)] = static_cast<std::uint8_t>(number >> (8 * i));
    return bytes;
  }
};

// The two applications of the simulator, with datagrams.
class Sender {
 public:
  explicit Sender(const std::string& up, std::uint64_t seed, DatagramConfig sending = {})
      : sim_([&] {
          SimConfig config{.up = up, .down = "delay 20ms", .seed = seed};
          config.client.transport.datagrams = sending;
          config.server.transport.datagrams.max_payload = 65507;
          return config;
        }()) {
    sim_.server.datagram_hook = [this](ByteView data) {
      BOOST_REQUIRE(data.size() >= 5u);
      std::uint32_t number = 0;
      for (std::size_t i = 0; i < 4; ++i) number |= std::uint32_t{data[1 + i]} << (8 * i);
      ++arrived[{data[0], number}];
      orders[data[0]].push_back(number);
      arrived_at[{data[0], number}] = sim_.now();
      BOOST_TEST(data.back() == (data.size() == 5 ? data[4] : static_cast<std::uint8_t>(number)));
    };
    sim_.client.outcome_hook = [this](std::uint64_t cookie, DatagramOutcome outcome) {
      BOOST_TEST(outcomes.emplace(cookie, outcome).second, "told twice of " << cookie);
    };
    sim_.connect();
    BOOST_REQUIRE(sim_.run_until([&] { return !sim_.client.connected.empty(); }, 5s));
  }
  ~Sender() {
    for (const auto& violation : sim_.violations()) BOOST_ERROR(violation);
  }
  Connection& connection() { return **sim_.client.connected.begin(); }
  SimPair& sim() { return sim_; }

  // One every `distance`, of each class in turn. The cookie is class and number.
  void send(std::uint32_t count, Duration distance, std::size_t size, Duration lifetime = Duration::max()) {
    std::uint32_t numbers[kClasses] = {};
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto of = static_cast<MessageClass>(i % kClasses);
      const std::uint32_t number = numbers[i % kClasses]++;
      const Timestamp expires_at = lifetime == Duration::max() ? kNever : sim_.now() + lifetime;
      const DatagramOptions options{.traffic_class = of,
                                    .policy = DatagramPolicy::drop_oldest,
                                    .expires_at = expires_at,
                                    .cookie = (std::uint64_t{i % kClasses} << 32) | number};
      sent_at[{static_cast<std::uint8_t>(of), number}] = sim_.now();
      BOOST_TEST(connection().send_datagram(Payload::make(of, number, size), options).has_value());
      sim_.run_for(distance);
    }
    sim_.run_for(5s);
  }

  static constexpr std::size_t kClasses = 4;
  using Key = std::pair<std::uint8_t, std::uint32_t>;
  std::map<Key, int> arrived;
  std::map<Key, Timestamp> sent_at, arrived_at;
  std::map<std::uint8_t, std::vector<std::uint32_t>> orders;
  std::map<std::uint64_t, DatagramOutcome> outcomes;

 private:
  SimPair sim_;
};

std::uint64_t count_of(const Sender& sender, DatagramOutcome outcome) {
  std::uint64_t count = 0;
  for (const auto& [cookie, became] : sender.outcomes) count += became == outcome ? 1 : 0;
  return count;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(datagrams_on_links)

BOOST_AUTO_TEST_CASE(a_tenth_is_lost_nothing_comes_twice_and_classes_keep_their_order) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    Sender sender("delay 20ms loss 10% duplicate 5%", seed);
    sender.send(4000, 1ms, 200);
    const double share = static_cast<double>(sender.arrived.size()) / 4000;
    BOOST_TEST_MESSAGE("delivered: " << share);
    BOOST_TEST(share > 0.88);
    BOOST_TEST(share < 0.92);
    for (const auto& [key, times] : sender.arrived) BOOST_TEST(times == 1);
    // The link keeps the order, and so does the sender.
    for (const auto& [of, numbers] : sender.orders) BOOST_TEST(std::ranges::is_sorted(numbers));
    // What is told is what happened; a loss may be told of what arrived after all, since acknowledgements come late.
    BOOST_TEST(sender.outcomes.size() == 4000u);
    std::uint64_t wrong = 0;
    for (const auto& [cookie, outcome] : sender.outcomes) {
      const bool came =
          sender.arrived.contains({static_cast<std::uint8_t>(cookie >> 32), static_cast<std::uint32_t>(cookie)});
      if (outcome == DatagramOutcome::delivered) BOOST_TEST(came);
      else BOOST_TEST((outcome == DatagramOutcome::lost));
      wrong += outcome == DatagramOutcome::lost && came ? 1 : 0;
    }
    BOOST_TEST(wrong <= 40u);
    const DatagramStats stats = sender.connection().stats().datagrams;
    BOOST_TEST(stats.sent == 4000u);
    BOOST_TEST(stats.delivered == count_of(sender, DatagramOutcome::delivered));
    BOOST_TEST(stats.lost == count_of(sender, DatagramOutcome::lost));
  }
}

// A link that turns packets round: the datagrams come as they arrive, none is held for another.
BOOST_AUTO_TEST_CASE(a_late_datagram_holds_up_no_other) {
  Sender sender("delay 20ms reorder 20% 50%", 7);
  sender.send(1000, 1ms, 100);
  BOOST_TEST(sender.arrived.size() == 1000u);
  bool turned = false;
  for (const auto& [of, numbers] : sender.orders) turned |= !std::ranges::is_sorted(numbers);
  BOOST_TEST(turned);
  for (const auto& [key, times] : sender.arrived) BOOST_TEST(times == 1);
}

// Twice as much as the link carries: what is older than its time is not sent, so what arrives is fresh, and every
// datagram has an outcome.
BOOST_AUTO_TEST_CASE(on_a_full_link_what_is_late_is_not_sent) {
  Sender sender("rate 4mbit delay 10ms limit 30", 3);
  sender.send(4000, 1ms, 1000, 50ms);
  BOOST_TEST(sender.outcomes.size() == 4000u);
  BOOST_TEST(count_of(sender, DatagramOutcome::expired) > 1000u);
  BOOST_TEST(count_of(sender, DatagramOutcome::delivered) > 1400u);
  Duration longest{};
  for (const auto& [key, at] : sender.arrived_at) longest = std::max(longest, at - sender.sent_at[key]);
  BOOST_TEST_MESSAGE("delivered " << count_of(sender, DatagramOutcome::delivered) << ", expired "
                                  << count_of(sender, DatagramOutcome::expired) << ", the oldest " << longest / 1us
                                  << " us");
  BOOST_TEST((longest < 50ms + 10ms + 80ms));  // its time, the way, and a full queue of the link
}

BOOST_AUTO_TEST_CASE(the_rate_is_kept_on_the_wire) {
  Sender sender("delay 5ms", 4,
                {.queue_datagrams = 10'000, .rate = ByteRate::bytes_per_second(250'000), .burst_bytes = 5000});
  const Timestamp begin = sender.sim().now();
  for (std::uint32_t i = 0; i < 1000; ++i)
    BOOST_TEST(sender.connection().send_datagram(Payload::make(MessageClass::control, i, 1000)).has_value());
  BOOST_TEST(sender.sim().run_until([&] { return sender.arrived.size() == 1000; }, 20s));
  const Duration took = sender.sim().now() - begin;
  BOOST_TEST((took >= 3980ms));  // a million bytes, less the burst
  BOOST_TEST((took < 4100ms));
}

// By the weights of their classes, 8 : 4 : 2 : 1; within a class they take turns. A datagram that is not the first of
// its packet often does not fit, and the stream fills what is left.
BOOST_AUTO_TEST_CASE(streams_and_datagrams_share_a_link_by_class) {
  const std::pair<MessageClass, double> cases[] = {{MessageClass::critical, 8 / 10.0},
                                                   {MessageClass::control, 4 / 6.0},
                                                   {MessageClass::streaming, 1 / 2.0},  // as the stream
                                                   {MessageClass::background, 1 / 3.0}};
  for (const auto& [of, expected] : cases) {
    Sender sender("rate 20mbit delay 10ms limit 60", 5);
    sender.sim().client.open_and_send(sender.connection(), StreamType::unidirectional, std::uint64_t{1} << 40);
    std::uint32_t number = 0;
    for (int i = 0; i < 1500; ++i) {
      const DatagramOptions options{.traffic_class = of, .policy = DatagramPolicy::drop_newest};
      while (sender.connection().send_datagram(Payload::make(of, number, 1100), options)) ++number;
      sender.sim().run_for(2ms);
    }
    const double datagrams = static_cast<double>(sender.arrived.size()) * 1100;
    const double share = datagrams / (datagrams + static_cast<double>(sender.sim().server.bytes_received));
    BOOST_TEST_MESSAGE("share of datagrams: " << share << ", by weight " << expected);
    BOOST_TEST(share > expected - 0.15);
    BOOST_TEST(share < expected + 0.15);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace datagrams_test
