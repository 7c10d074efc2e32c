// Calls over links of virtual time: losses, moves, key updates, and sides that die.
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <deque>
#include <optional>
#include <queue>
#include <vector>

#include "support/sanitized.h"
#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

namespace calls_test {
namespace {

constexpr Uuid kTarget = {7};

SimConfig calls_on(SimConfig config = {}) {
  config.client.transport.calls.enabled = config.server.transport.calls.enabled = true;
  return config;
}

// The client calls, and the server answers after a while. Both keep account of each call, which the cookie and the data
// name by its number.
struct CallScene {
  SimPair sim;
  SeededRandom random{99};

  // What the server does; a call that it never answers is 1 in so many, 0 = none.
  Duration longest_wait{};
  std::uint64_t one_in_is_never_answered = 0;

  struct Made {
    std::optional<CallOutcome> outcome;
    CallId id;
    bool cancelled = false;
  };
  std::vector<Made> made;
  std::uint64_t ended = 0;                    // told or cancelled
  std::vector<std::uint8_t> seen;             // by the server
  std::map<std::uint64_t, std::size_t> open;  // at the server: numbers by id
  struct Due {
    Timestamp at;
    Connection* connection;
    IncomingCallId id;
    bool operator>(const Due& other) const { return at > other.at; }
  };
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due;
  std::map<CallEnd, std::uint64_t> over;
  std::vector<std::string> faults;
  std::map<CallOutcome, std::uint64_t> counts;

  explicit CallScene(const std::string& link, SimConfig config = calls_on())
      : sim([&] {
          config.up = link;
          config.down = "=";
          return config;
        }()) {
    sim.client.answer_hook = [this](Connection&, const CallAnswer& answer) { on_answer(answer); };
    sim.server.call_hook = [this](Connection& connection, const IncomingCall& call) { on_call(connection, call); };
    sim.server.call_cancelled_hook = [this](Connection&, IncomingCallId id, CallEnd end) {
      if (open.erase(id.value()) == 0) fault("a call is over that was not open");
      ++over[end];
    };
    sim.connect();
    BOOST_TEST_REQUIRE(
        sim.run_until([&] { return sim.client.connected_count == 1 && sim.server.connected_count == 1; }, 30s));
  }

  void fault(std::string text) {
    if (faults.size() < 10) faults.push_back(std::move(text));
  }
  std::uint64_t drawn(std::uint64_t below) {
    std::uint64_t value = 0;
    std::array<std::uint8_t, 8> bytes;
    random.fill(bytes);
    for (const std::uint8_t byte : bytes) value = value << 8 | byte;
    return value % below;
  }

  bool make(Duration timeout) {
    const std::string data = fmt::format("{}", made.size());
    const auto id =
        sim.connection->call(kTarget, ByteView(reinterpret_cast<const std::uint8_t*>(data.data()), data.size()),
                             {.timeout = timeout, .cookie = made.size()});
    if (!id) return false;
    made.push_back({.outcome = {}, .id = *id});
    seen.push_back(0);
    return true;
  }
  void cancel(std::size_t number) {
    if (!sim.connection->cancel_call(made[number].id)) return;
    if (made[number].outcome) fault("a call that had ended could be cancelled");
    made[number].cancelled = true;
    ++ended;
  }

  void on_answer(const CallAnswer& answer) {
    Made& call = made.at(answer.cookie);
    if (call.outcome) fault("two outcomes of one call");
    if (call.cancelled) fault("a cancelled call has an outcome");
    if (call.id != answer.call) fault("an answer to another call");
    const std::string expected = fmt::format("{}", answer.cookie);
    const std::string data(reinterpret_cast<const char*>(answer.data.data()), answer.data.size());
    if (answer.outcome == CallOutcome::answered && data != expected) fault("an answer of another call");
    call.outcome = answer.outcome;
    ++counts[answer.outcome];
    ++ended;
  }
  void on_call(Connection& connection, const IncomingCall& call) {
    const std::size_t number =
        std::stoul(std::string(reinterpret_cast<const char*>(call.data.data()), call.data.size()));
    if (++seen.at(number) != 1) fault("a call was told twice");
    if (!open.emplace(call.id.value(), number).second) fault("one id for two calls");
    if (one_in_is_never_answered != 0 && number % one_in_is_never_answered == 0) return;
    const Duration wait(static_cast<Duration::rep>(
        longest_wait == Duration::zero() ? 0 : drawn(static_cast<std::uint64_t>(longest_wait.count()))));
    if (wait == Duration::zero()) return answer(connection, call.id);
    due.push({sim.now() + wait, &connection, call.id});
  }
  void answer(Connection& connection, IncomingCallId id) {
    const auto found = open.find(id.value());
    if (found == open.end()) {
      if (connection.answer(id, {}).has_value()) fault("a call that is over could be answered");
      return;
    }
    const std::string data = fmt::format("{}", found->second);
    open.erase(found);
    if (!connection.answer(id, ByteView(reinterpret_cast<const std::uint8_t*>(data.data()), data.size())))
      fault("an open call could not be answered");
  }
  // What the applications do between the packets; returns whether there was anything.
  void work() {
    while (!due.empty() && due.top().at <= sim.now()) {
      const Due next = due.top();
      due.pop();
      if (sim.server.connected.contains(next.connection)) answer(*next.connection, next.id);
    }
  }
  bool all_ended() const { return ended == made.size(); }
  void check() {
    BOOST_TEST(faults.empty(), boost::test_tools::per_element());
    for (const std::string& text : faults) BOOST_TEST_MESSAGE(text);
    BOOST_TEST(sim.violations().empty());
    for (const std::string& text : sim.violations()) BOOST_TEST_MESSAGE(text);
  }
};

// 256 calls wait at a time, while the client's address changes and keys turn.
void hundred_thousand_calls(const std::string& loss) {
  constexpr std::size_t kCalls = kSanitized ? 50'000 : 100'000, kAtATime = 256;
  SimConfig config = calls_on();
  config.client.transport.key_update.packets = config.server.transport.key_update.packets = 1000;
  CallScene scene(fmt::format("delay 5ms rate 100mbit reorder 1% duplicate 1% {}", loss), config);
  scene.longest_wait = 5ms;
  scene.one_in_is_never_answered = 1000;
  Timestamp next_move = scene.sim.now() + 500ms;
  const bool done = scene.sim.run_until(
      [&] {
        scene.work();
        while (scene.made.size() < kCalls && scene.made.size() - scene.ended < kAtATime) scene.make(2s);
        if (scene.sim.now() >= next_move) {
          ++scene.sim.client_address.port;
          next_move = scene.sim.now() + 500ms;
        }
        return scene.made.size() == kCalls && scene.all_ended();
      },
      300s);
  BOOST_TEST(done);
  scene.check();
  // What is never answered times out, and what fell victim to a move.
  const auto stats = scene.sim.connection->stats();
  BOOST_TEST_MESSAGE(fmt::format("{} ms, {} answered, {} timed out, {} moves, {} key updates",
                                 scene.sim.elapsed() / 1ms, scene.counts[CallOutcome::answered],
                                 scene.counts[CallOutcome::timed_out],
                                 (*scene.sim.server.connected.begin())->stats().path_changes, stats.key_updates));
  BOOST_TEST(scene.counts[CallOutcome::answered] + scene.counts[CallOutcome::timed_out] == kCalls);
  BOOST_TEST(scene.counts[CallOutcome::timed_out] >= kCalls / 1000);
  BOOST_TEST(scene.counts[CallOutcome::timed_out] < kCalls / 50);
  BOOST_TEST((*scene.sim.server.connected.begin())->stats().path_changes >= 3u);
  BOOST_TEST(stats.key_updates >= 3u);
  scene.sim.run_for(5s);
  BOOST_TEST(scene.open.empty());  // forgotten in time
  scene.check();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(calls)

BOOST_AUTO_TEST_CASE(hundred_thousand_calls_at_one_percent_of_loss) { hundred_thousand_calls("loss 1%"); }
BOOST_AUTO_TEST_CASE(hundred_thousand_calls_at_five_percent_of_loss) { hundred_thousand_calls("loss 5%"); }

BOOST_AUTO_TEST_CASE(cancellation_at_any_time_leaves_nothing_behind) {
  constexpr std::size_t kCalls = 20'000, kAtATime = 200;
  CallScene scene("delay 10ms rate 50mbit loss 5% reorder 5%");
  scene.longest_wait = 30ms;
  std::deque<std::pair<Timestamp, std::size_t>> to_cancel;
  const bool done = scene.sim.run_until(
      [&] {
        scene.work();
        while (scene.made.size() < kCalls && scene.made.size() - scene.ended < kAtATime) {
          scene.make(20s);
          // Some at once, and so before they are sent, others on their way, when they are open, and with their answer
          // on its way.
          if (scene.made.size() % 4 == 0) scene.cancel(scene.made.size() - 1);
          else if (scene.made.size() % 2 == 0)
            to_cancel.emplace_back(scene.sim.now() + Duration(static_cast<Duration::rep>(scene.drawn(60'000'000))),
                                   scene.made.size() - 1);
        }
        std::erase_if(to_cancel, [&](const auto& entry) {
          if (entry.first > scene.sim.now()) return false;
          scene.cancel(entry.second);
          return true;
        });
        return scene.made.size() == kCalls && scene.all_ended() && to_cancel.empty();
      },
      300s);
  BOOST_TEST(done);
  scene.sim.run_for(1s);
  scene.check();
  std::uint64_t cancelled = 0, never_seen = 0;
  for (std::size_t i = 0; i != scene.made.size(); ++i) {
    cancelled += scene.made[i].cancelled ? 1 : 0;
    never_seen += scene.seen[i] == 0 ? 1 : 0;
    BOOST_TEST(scene.made[i].cancelled != scene.made[i].outcome.has_value());
  }
  BOOST_TEST_MESSAGE(fmt::format("{} cancelled, {} of them never seen by the server, {} while open", cancelled,
                                 never_seen, scene.over[CallEnd::cancelled]));
  BOOST_TEST(never_seen >= 5000u);
  BOOST_TEST(scene.over[CallEnd::cancelled] > 500u);
  BOOST_TEST(cancelled > never_seen + scene.over[CallEnd::cancelled]);  // others had been answered
  BOOST_TEST(scene.counts[CallOutcome::answered] + cancelled == kCalls);
  for (; !scene.due.empty(); scene.due.pop()) scene.answer(*scene.due.top().connection, scene.due.top().id);
  BOOST_TEST(scene.open.size() == 0u);
  scene.check();
}

BOOST_AUTO_TEST_CASE(calls_to_a_server_that_dies_time_out_or_end_with_the_connection) {
  SimConfig config = calls_on();
  config.client.transport.idle_timeout = 4s;
  CallScene scene("delay 10ms rate 10mbit", config);
  scene.longest_wait = 1s;
  for (int i = 0; i != 100; ++i) scene.make(500ms);
  for (int i = 0; i != 100; ++i) scene.make(30s);
  for (int i = 0; i != 100; ++i) scene.make(Duration::max());
  scene.sim.run_until([&] { return scene.work(), scene.counts[CallOutcome::answered] >= 50; }, 30s);
  scene.sim.filter = [](Role, ByteView) { return true; };
  BOOST_TEST(scene.sim.run_until([&] { return !scene.sim.client.closed.empty(); }, 60s));
  scene.check();
  BOOST_TEST(scene.all_ended());
  for (std::size_t i = 0; i != 300; ++i) {
    const CallOutcome outcome = scene.made[i].outcome.value();
    const bool expected = outcome == CallOutcome::answered ||
                          (i < 100 ? outcome == CallOutcome::timed_out : outcome == CallOutcome::unknown);
    BOOST_TEST(expected, i);
  }
  BOOST_TEST(scene.counts[CallOutcome::timed_out] > 0u);
  BOOST_TEST(scene.counts[CallOutcome::unknown] > 100u);
}

BOOST_AUTO_TEST_CASE(calls_of_a_caller_that_dies_are_forgotten) {
  CallScene scene("delay 10ms rate 10mbit");
  scene.one_in_is_never_answered = 1;
  for (int i = 0; i != 500; ++i) scene.make(3s);
  BOOST_TEST_REQUIRE(scene.sim.run_until([&] { return scene.open.size() == 500; }, 30s));
  scene.sim.filter = [](Role, ByteView) { return true; };
  scene.sim.run_for(3100ms);
  BOOST_TEST(scene.open.empty());
  BOOST_TEST(scene.over[CallEnd::timed_out] == 500u);
  BOOST_TEST((*scene.sim.server.connected.begin())->stats().calls_received == 500u);
  scene.check();
}

BOOST_AUTO_TEST_CASE(each_call_is_told_when_the_connection_is_closed) {
  for (const bool server_closes : {false, true}) {
    // CUBIC begins with ten packets, into which a thousand calls do not fit.
    SimConfig config = calls_on();
    config.client.transport.recovery.congestion_control = CongestionControl::cubic;
    CallScene scene("delay 20ms rate 1mbit", std::move(config));
    scene.longest_wait = 50ms;
    for (int i = 0; i != 1000; ++i) scene.make(30s);
    scene.sim.run_until([&] { return scene.work(), scene.counts[CallOutcome::answered] >= 20; }, 30s);
    for (int i = 0; i != 20; ++i) scene.make(30s);
    if (server_closes) {
      (*scene.sim.server.connected.begin())->close(7, "enough");
    } else {
      scene.sim.connection->close(7, "enough");
      BOOST_TEST((scene.sim.connection->call(kTarget, {}).error() == CallError::connection_closed));
    }
    BOOST_TEST(scene.sim.run_until([&] { return !scene.sim.client.closed.empty(); }, 60s));
    BOOST_TEST(scene.all_ended());
    BOOST_TEST(scene.counts[CallOutcome::unknown] > 0u);
    BOOST_TEST(scene.counts[CallOutcome::not_sent] > 0u);
    for (std::size_t i = 0; i != scene.made.size(); ++i) {
      const CallOutcome outcome = scene.made[i].outcome.value();
      if (outcome == CallOutcome::not_sent) BOOST_TEST(scene.seen[i] == 0);
      if (outcome == CallOutcome::answered) BOOST_TEST(scene.seen[i] == 1);
    }
    scene.sim.run_for(5s);
    scene.check();
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace calls_test
