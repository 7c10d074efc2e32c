// What one part of a connection's traffic costs the others: bursts, saturated classes, slow readers.
#include <fmt/format.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <numeric>

#include "support/sanitized.h"
#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

BOOST_AUTO_TEST_SUITE(isolation)

namespace {

// Critical calls, one in a millisecond, and events of a kilobyte at a rate, for which each millisecond is told apart.
struct Load {
  explicit Load(const std::string& link) : sim({.up = link, .down = "="}) {
    BOOST_TEST_REQUIRE(sim.connect() != nullptr);
    BOOST_TEST_REQUIRE(sim.run_until([&] { return !sim.server.connected.empty(); }, 5s));
    sim.server.message_hook = [this](const Message& message) {
      if (message.type == MessageType::call) waits.push_back(sim.now() - sent.at(message.id));
      return true;
    };
  }
  void run(Duration span, std::uint64_t events_per_ms) {
    for (const Timestamp end = sim.now() + span; sim.now() < end;) {
      sent[2 * sim.client.messages_sent.size()] = sim.now();  // the id that it gets
      sim.client.send_messages(*sim.connection, {.type = MessageType::call, .size = 64}, sim.now());
      sim.client.send_messages(*sim.connection, {.count = events_per_ms, .size = 1000}, sim.now());
      sim.run_for(1ms);
    }
  }
  // The slowest but one per cent of the calls that came since the last time.
  Duration p99() {
    std::ranges::sort(waits);
    const Duration found = waits.at(waits.size() * 99 / 100);
    waits.clear();
    return found;
  }

  SimPair sim;
  std::map<std::uint64_t, Timestamp> sent;
  std::vector<Duration> waits;
};

// Ten times the rate for 100 ms. Everything arrives.
struct Burst {
  Burst(const std::string& link, std::uint64_t events_per_ms) {
    Load load(link);
    load.run(3s, events_per_ms);
    load.p99();
    load.run(2s, events_per_ms);
    before = load.p99();
    load.run(100ms, 10 * events_per_ms);
    load.run(1s, events_per_ms);
    during = load.p99();
    load.run(2s, events_per_ms);
    after = load.p99();
    BOOST_TEST_MESSAGE(fmt::format("{}: p99 one way {} us before, {} us in the burst, {} us after it", link,
                                   before / 1us, during / 1us, after / 1us));
    BOOST_TEST(load.sim.run_until(
        [&] { return load.sim.server.messages_received.size() == load.sim.client.messages_sent.size(); },
        load.sim.elapsed() + 5s));
    BOOST_TEST(load.sim.client.waiting_messages.empty());
    BOOST_TEST(load.sim.violations().empty());
  }
  Duration before{}, during{}, after{};
};

}  // namespace

BOOST_AUTO_TEST_CASE(critical_calls_do_not_feel_a_burst_that_the_path_carries) {
  for (const char* link : {"delay 25ms rate 100mbit", "delay 25ms rate 100mbit loss 1%"}) {
    const Burst burst(link, 1);  // 8 Mbit/s, and then 80
    BOOST_TEST((burst.during < burst.before + 5ms));
    BOOST_TEST((burst.after < burst.before + 1ms));
  }
}

namespace {

// Critical calls, each answered. What those waited that were made at `counted_from` or later is noted.
struct AnsweredCalls {
  AnsweredCalls(const std::string& link, std::uint64_t seed, Duration uncounted) : sim(config(link, seed)) {
    BOOST_TEST_REQUIRE(sim.connect() != nullptr);
    BOOST_TEST_REQUIRE(sim.run_until([&] { return !sim.server.connected.empty(); }, 5s));
    counted_from = sim.now() + uncounted;
    sim.server.call_hook = [](Connection& connection, const IncomingCall& call) {
      (void)connection.answer(call.id, call.data);
    };
    sim.client.answer_hook = [this](Connection&, const CallAnswer& answer) {
      const Timestamp at = made.at(answer.cookie);
      if (answer.outcome == CallOutcome::answered && at >= counted_from) waits.push_back(sim.now() - at);
    };
  }
  static SimConfig config(const std::string& link, std::uint64_t seed) {
    SimConfig config{.up = link, .down = "=", .seed = seed};
    config.client.transport.calls.enabled = config.server.transport.calls.enabled = true;
    return config;
  }
  void begin_bulk(std::size_t bytes) {
    BOOST_TEST_REQUIRE(sim.client.open_and_send(*sim.connection, StreamType::unidirectional, bytes).has_value());
  }
  void call_every(Duration interval, Timestamp end) {
    const std::array<std::uint8_t, 64> data{};
    for (; sim.now() < end && sim.violations().empty(); sim.run_for(interval)) {
      BOOST_TEST_REQUIRE(sim.connection->call({}, data, {.cookie = made.size()}).has_value());
      made.push_back(sim.now());
    }
  }

  SimPair sim;
  Timestamp counted_from;
  std::vector<Timestamp> made;
  std::vector<Duration> waits;
};

}  // namespace

// Critical calls, each answered, while bulk data saturate the same connection.
BOOST_AUTO_TEST_CASE(calls_beside_bulk_data_take_a_round_trip_and_five_milliseconds) {
  constexpr Duration kRoundTrip = 50ms;
  constexpr std::uint64_t kSeeds = runs(2), kSeconds = kSanitized ? 3 : 10;
  for (const char* link : {"delay 25ms rate 100mbit", "delay 25ms rate 100mbit loss 1%"}) {
    std::vector<Duration> waits;
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      AnsweredCalls calls(link, seed, 3s);
      SimPair& sim = calls.sim;
      calls.begin_bulk(200u << 20);
      calls.call_every(5ms, calls.counted_from + std::chrono::seconds(kSeconds));
      sim.run_for(1s);
      BOOST_TEST(sim.connection->stats().bytes_sent * 8 > (3 + kSeconds) * 90'000'000u);  // it is saturated
      BOOST_TEST(sim.violations().empty());
      waits.insert(waits.end(), calls.waits.begin(), calls.waits.end());
    }
    BOOST_TEST(waits.size() == kSeeds * kSeconds * 200u);
    std::ranges::sort(waits);
    const Duration p50 = waits[waits.size() / 2], p99 = waits[waits.size() * 99 / 100];
    BOOST_TEST_MESSAGE(fmt::format("{}: p50 {} us, p99 {} us", link, p50 / 1us, p99 / 1us));
    BOOST_TEST((p99 <= kRoundTrip + 5ms));
  }
}

// A second of calls alone, and then bulk data as well: start-up does not fill the queue (decision 0032).
BOOST_AUTO_TEST_CASE(calls_do_not_feel_that_bulk_data_start) {
  struct Case {
    const char* link;
    Duration round_trip;
    std::uint64_t rate;  // bits per second
    Duration queue = 5ms;
  };
  for (const Case& it : {Case{"delay 25ms rate 20mbit", 50ms, 20'000'000, 6ms},
                         {"delay 25ms rate 100mbit", 50ms, 100'000'000},
                         {"delay 25ms rate 100mbit loss 1%", 50ms, 100'000'000},
                         {"delay 10ms rate 500mbit", 20ms, 500'000'000}}) {
    AnsweredCalls calls(it.link, SimConfig{}.seed, 1s);
    SimPair& sim = calls.sim;
    calls.call_every(1ms, calls.counted_from);
    const std::uint64_t sent_before = sim.connection->stats().bytes_sent;
    calls.begin_bulk(400u << 20);
    calls.call_every(1ms, calls.counted_from + 3s);
    const std::uint64_t used = (sim.connection->stats().bytes_sent - sent_before) * 8 / 3;
    sim.run_for(1s);
    BOOST_TEST(sim.violations().empty());
    std::vector<Duration>& waits = calls.waits;
    BOOST_TEST(waits.size() == 3000u);
    std::ranges::sort(waits);
    const Duration p99 = waits.at(waits.size() * 99 / 100);
    BOOST_TEST_MESSAGE(fmt::format("{}: p50 {} us, p99 {} us, {:.1f} Mbit/s", it.link, waits[waits.size() / 2] / 1us,
                                   p99 / 1us, static_cast<double>(used) * 1e-6));
    BOOST_TEST((p99 <= it.round_trip + it.queue));  // of three seconds, of which the search takes a fifth
    BOOST_TEST(used > it.rate * 80 / 100);          // so it does not take long either
  }
}

// More than the path carries: critical calls do not wait behind what is too much.
BOOST_AUTO_TEST_CASE(a_burst_beyond_what_the_path_carries_is_over_soon) {
  for (const char* link : {"delay 25ms rate 100mbit", "delay 25ms rate 100mbit loss 1%"}) {
    const Burst burst(link, 3);  // 24 Mbit/s, and then 240
    BOOST_TEST((burst.during < burst.before + 5ms));
    BOOST_TEST((burst.after < burst.before + 1ms));
  }
}

BOOST_AUTO_TEST_CASE(each_class_gets_its_share_of_a_saturated_connection) {
  for (const char* link : {"delay 10ms rate 50mbit", "delay 10ms rate 50mbit loss 1%"}) {
    SimPair sim({.up = link, .down = "="});
    BOOST_TEST_REQUIRE(sim.connect() != nullptr);
    BOOST_TEST_REQUIRE(sim.run_until([&] { return !sim.server.connected.empty(); }, 5s));
    constexpr std::array kClasses = {MessageClass::critical, MessageClass::control, MessageClass::streaming,
                                     MessageClass::background};
    std::array<StreamId, kMessageClasses> ids;
    for (std::size_t i = 0; i != kMessageClasses; ++i) {
      ids[i] = *sim.client.open_and_send(*sim.connection, StreamType::unidirectional, 100u << 20);
      BOOST_TEST(sim.connection->set_priority(ids[i], {.traffic_class = kClasses[i]}).has_value());
    }
    sim.run_for(2s);
    std::array<std::uint64_t, kMessageClasses> bytes{};
    std::map<std::uint64_t, std::uint64_t> before;
    for (const auto& [key, it] : sim.server.incoming) before[key.second] = it.received;
    sim.run_for(5s);
    for (const auto& [key, it] : sim.server.incoming)
      for (std::size_t i = 0; i != kMessageClasses; ++i)
        if (ids[i].value() == key.second) bytes[i] = it.received - before[key.second];
    const double all = static_cast<double>(std::accumulate(bytes.begin(), bytes.end(), std::uint64_t{0}));
    BOOST_TEST(all * 8 / 5 > 44e6);
    for (std::size_t i = 0; i != kMessageClasses; ++i) {
      const double share = static_cast<double>(bytes[i]) / all, wanted = static_cast<double>(8 >> i) / 15;
      BOOST_TEST_MESSAGE(fmt::format("{}: class {} has {:.3f}, {:.3f} wanted", link, i, share, wanted));
      BOOST_TEST(share > wanted * 0.9);
    }
    BOOST_TEST(sim.violations().empty());
  }
}

// One stream is read with 10 KB/s, the other as fast as it comes.
BOOST_AUTO_TEST_CASE(a_slow_reader_holds_up_nobody_else) {
  SimPair sim({.up = "delay 10ms rate 100mbit", .down = "="});
  BOOST_TEST_REQUIRE(sim.connect() != nullptr);
  BOOST_TEST_REQUIRE(sim.run_until([&] { return !sim.server.connected.empty(); }, 5s));
  const StreamId slow = *sim.client.open_and_send(*sim.connection, StreamType::unidirectional, 50u << 20);
  const StreamId fast = *sim.client.open_and_send(*sim.connection, StreamType::unidirectional, 50u << 20);
  std::size_t budget = 0;
  sim.server.take_hook = [&](StreamId id, ByteView data) {
    if (id != slow) return data.size();
    const std::size_t taken = std::min(budget, data.size());
    budget -= taken;
    return taken;
  };
  std::uint64_t most_memory = 0;
  const auto received = [&](StreamId id) {
    for (const auto& [key, it] : sim.server.incoming)
      if (key.second == id.value()) return it.received;
    return std::uint64_t{0};
  };
  const Timestamp began = sim.now();
  while (received(fast) < 50u << 20 && sim.elapsed() < 10s) {
    budget += 1000;
    (void)(*sim.server.connected.begin())->resume(slow);
    sim.run_for(100ms);
    most_memory = std::max(most_memory, sim.server_endpoint->stats().memory_in_use);
  }
  const double seconds = static_cast<double>((sim.now() - began) / 1ms) / 1000;
  BOOST_TEST_MESSAGE(fmt::format("fast: {:.1f} Mbit/s, slow: {} bytes in {:.1f} s, memory {}",
                                 static_cast<double>(received(fast)) * 8e-6 / seconds, received(slow), seconds,
                                 most_memory));
  BOOST_TEST(received(fast) == 50u << 20);
  BOOST_TEST(static_cast<double>(received(fast)) * 8 / seconds > 85e6);
  BOOST_TEST(static_cast<double>(received(slow)) > 9500 * seconds);
  BOOST_TEST(static_cast<double>(received(slow)) < 10'500 * seconds);
  BOOST_TEST(most_memory < 8u << 20);
  BOOST_TEST(sim.violations().empty());
}

BOOST_AUTO_TEST_SUITE_END()
