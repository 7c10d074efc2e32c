// Many random links, settings and loads: every byte arrives intact, or the connection closes with a stated reason; what
// must always hold holds (docs/test-plan.md); and the same seed gives the same trace. MXP_SIM_SEEDS says how many
// seeds, MXP_SIM_FIRST where to begin; a failure prints the command that replays it.
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>

#include "connection/access.h"
#include "connection/parts.h"
#include "sim/random_plan.h"
#include "support/sanitized.h"

using namespace mxp;
using namespace mxp::test;

namespace {

// About two milliseconds each in a release build: ten seconds of them.
#ifdef MXP_SANITIZED
constexpr std::uint64_t kSeeds = 60;
#elif defined(NDEBUG)
constexpr std::uint64_t kSeeds = 4000;
#else
constexpr std::uint64_t kSeeds = 400;
#endif

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class RandomRun {
 public:
  explicit RandomRun(RandomPlan plan);

  std::vector<std::string> problems;
  std::uint64_t trace = 0;
  bool timed_out = false;
  Duration took{};

 private:
  SimApplication& application(Role role) { return role == Role::client ? sim_.client : sim_.server; }
  Endpoint& endpoint(Role role) { return role == Role::client ? *sim_.client_endpoint : *sim_.server_endpoint; }
  bool run_until(const std::function<bool()>& done, Duration limit);
  void take(const RandomPlan::Step& step);
  void send(const RandomPlan::Send& send);
  void send(const RandomPlan::Messages& messages);
  bool is_closed() const { return !sim_.client.closed.empty() || !sim_.server.closed.empty(); }
  bool is_over() const { return !sim_.client.closed.empty() && !sim_.server.closed.empty(); }
  bool has_begun_all() const;
  bool is_delivered() const;
  bool is_drained() const;
  bool drain();
  bool are_messages_settled() const;
  std::uint64_t datagrams() const { return sim_.datagrams(Role::client) + sim_.datagrams(Role::server); }
  void resume_slow_readers();
  void look_inside();
  void look_at(Connection& connection);
  void look_at_what_arrived(Role receiver);
  void look_at_messages(Role receiver);
  void end();
  void problem(std::string text) { problems.push_back(std::move(text)); }

  RandomPlan plan_;
  SimPair sim_;
  std::vector<RandomPlan::Send> waiting_;  // for a connection
  std::vector<RandomPlan::Messages> waiting_messages_;
  std::uint64_t drives_ = 0;
  unsigned moves_ = 0;
};

RandomRun::RandomRun(RandomPlan plan) : plan_(std::move(plan)), sim_(plan_.config) {
  for (const Role role : {Role::client, Role::server}) {
    const std::size_t side = role == Role::client ? 0 : 1;
    SimApplication& application = this->application(role);
    application.reply_bytes = plan_.reply_bytes[side];
    if (plan_.reads_slowly[side]) {
      application.take_hook = [](StreamId, ByteView data) { return (data.size() + 1) / 2; };
      application.message_hook = [asked = 0](const Message&) mutable { return ++asked % 3 != 0; };
    }
    application.connected_hook = [this, role](Connection&) {
      for (const RandomPlan::Send& it : std::exchange(waiting_, {})) {
        if (it.sender == role) send(it);
        else waiting_.push_back(it);
      }
      for (const RandomPlan::Messages& it : std::exchange(waiting_messages_, {})) {
        if (it.sender == role) send(it);
        else waiting_messages_.push_back(it);
      }
    };
  }
  sim_.connect();
  const auto is_done = [this] {
    if (++drives_ % 8 == 0) look_inside();
    return is_closed() || !problems.empty();
  };
  for (const RandomPlan::Step& step : plan_.steps) {
    run_until(is_done, step.at);
    if (!is_closed()) take(step);
  }
  const bool drains = plan_.drains[0] || plan_.drains[1];
  const bool done = drains ? drain() : run_until([&] { return is_done() || is_delivered(); }, 3600s);
  took = sim_.elapsed();
  for (const Role role : {Role::client, Role::server}) {
    look_at_what_arrived(role);
    look_at_messages(role);
  }
  if (!done && sim_.violations().empty())
    problem(fmt::format("stuck after {} s: server has {} of {}, client {} of {}", sim_.elapsed() / 1s,
                        sim_.server.bytes_received, plan_.expected_bytes[1], sim_.client.bytes_received,
                        plan_.expected_bytes[0]));
  else if (problems.empty()) end();
  for (const std::string& text : sim_.violations()) problem(text);
  trace = sim_.trace_hash();
}

// Who reads slowly comes back for more every ten milliseconds.
bool RandomRun::run_until(const std::function<bool()>& done, Duration limit) {
  const bool in_slices = plan_.reads_slowly[0] || plan_.reads_slowly[1];
  while (sim_.elapsed() < limit && sim_.violations().empty()) {
    if (in_slices) resume_slow_readers();
    if (sim_.run_until(done, in_slices ? std::min<Duration>(limit, sim_.elapsed() + 10ms) : limit)) return true;
  }
  return false;
}

void RandomRun::take(const RandomPlan::Step& step) {
  for (const RandomPlan::Mtu& mtu : step.mtus) sim_.set_mtu(mtu.sender, mtu.bytes);
  for (const RandomPlan::Send& it : step.sends) send(it);
  for (const RandomPlan::Messages& it : step.messages) send(it);
  if (step.move == RandomPlan::Move::stay || sim_.server.connected.empty()) return;
  ++moves_;
  const std::uint8_t host = step.move == RandomPlan::Move::new_address ? static_cast<std::uint8_t>(10 + moves_) : 1;
  sim_.client_address = SocketAddress::ipv4(10, 0, 0, host, static_cast<std::uint16_t>(40'000 + moves_));
}

void RandomRun::send(const RandomPlan::Send& send) {
  SimApplication& sender = application(send.sender);
  if (sender.connected.empty()) waiting_.push_back(send);
  else sender.open_and_send(**sender.connected.begin(), send.type, send.bytes);
}

void RandomRun::send(const RandomPlan::Messages& messages) {
  SimApplication& sender = application(messages.sender);
  if (sender.connected.empty()) waiting_messages_.push_back(messages);
  else sender.send_messages(**sender.connected.begin(), messages.burst, sim_.now());
}

// Each message has come or was taken back, and its sender knows what became of it.
bool RandomRun::are_messages_settled() const {
  const auto settled = [](const SimApplication& from, const SimApplication& to, std::uint64_t count) {
    return from.messages_sent.size() == count && from.outcomes.size() == count &&
           to.messages_received.size() + to.messages_expired == count;
  };
  return waiting_messages_.empty() && settled(sim_.client, sim_.server, plan_.message_count[0]) &&
         settled(sim_.server, sim_.client, plan_.message_count[1]);
}

bool RandomRun::has_begun_all() const {
  const auto begun = [](const SimApplication& app) {
    return app.connected_count == 1 && app.waiting_for_credit.empty() && app.waiting_messages.empty();
  };
  return waiting_.empty() && waiting_messages_.empty() && begun(sim_.client) && begun(sim_.server);
}

// Both sides have heard of an end without an error.
bool RandomRun::is_drained() const {
  const auto drained = [](const CloseInfo& info) {
    return info.application && info.code == 0 && info.reason == "drained";
  };
  return is_over() && std::ranges::all_of(sim_.client.closed, drained) &&
         std::ranges::all_of(sim_.server.closed, drained);
}

// Instead of waiting until everything has arrived: that is for the connection to do. Returns whether it came to an end.
bool RandomRun::drain() {
  const auto look = [this] {
    if (++drives_ % 8 == 0) look_inside();
    return !problems.empty();
  };
  if (!run_until([&] { return look() || is_closed() || has_begun_all(); }, 3600s)) return false;
  if (is_closed()) return true;
  for (const Role role : {Role::client, Role::server})
    if (plan_.drains[role == Role::client ? 0 : 1]) (void)(*application(role).connected.begin())->drain(kNever);
  return run_until([&] { return look() || is_over(); }, 3600s);
}

bool RandomRun::is_delivered() const {
  return are_messages_settled() && sim_.client.bytes_received == plan_.expected_bytes[0] &&
         sim_.server.bytes_received == plan_.expected_bytes[1] && sim_.server.connected_count == 1 &&
         waiting_.empty() && sim_.client.all_sent_acknowledged() && sim_.server.all_sent_acknowledged();
}

void RandomRun::resume_slow_readers() {
  for (const Role role : {Role::client, Role::server}) {
    if (!plan_.reads_slowly[role == Role::client ? 0 : 1] || is_closed()) continue;
    for (const auto& [key, in] : application(role).incoming)
      if (!in.fin) (void)key.first->resume(StreamId(key.second));
    for (Connection* connection : application(role).connected) connection->resume_messages();
  }
}

void RandomRun::look_inside() {
  for (const Role role : {Role::client, Role::server}) {
    for (Connection* connection : application(role).connected) look_at(*connection);
    // What a connection holds for itself, each byte once at its sender and once at its receiver, and records of
    // packets.
    const std::uint64_t memory = endpoint(role).stats().memory_in_use;
    // A message has a slot and an entry beside its bytes, in rings that double.
    const std::uint64_t messages = plan_.message_count[0] + plan_.message_count[1];
    if (memory > 200'000 + 2 * plan_.all_bytes() + 4 * plan_.message_bytes + 400 * messages)
      problem(fmt::format("{} bytes of memory in use for {} bytes", memory, plan_.all_bytes()));
  }
}

void RandomRun::look_at(Connection& connection) {
  const Parts& parts = ConnectionAccess::parts(connection);
  const PathControl& control = parts.path->control;
  std::uint64_t unacknowledged = 0;
  parts.recovery.for_each_unacknowledged([&](const SentPacket& packet) {
    if (packet.in_flight && packet.path == control.id()) unacknowledged += packet.size_bytes;
    return true;
  });
  if (unacknowledged != control.bytes_in_flight())
    problem(fmt::format("{} bytes in flight, but packets of {} bytes are unacknowledged", control.bytes_in_flight(),
                        unacknowledged));
  if (control.congestion_window() < 2 * control.datagram_size())
    problem(fmt::format("a congestion window of {} bytes with datagrams of {}", control.congestion_window(),
                        control.datagram_size()));
}

// A prefix of what was written. SimApplication has looked at the bytes themselves.
void RandomRun::look_at_what_arrived(Role receiver) {
  const SimApplication& sender = application(peer_of(receiver));
  for (const auto& [key, in] : application(receiver).incoming) {
    std::uint64_t written = 0;
    for (const auto& [sent_key, out] : sender.outgoing)
      if (sent_key.second == key.second) written = out.written;
    if (in.received > written) problem(fmt::format("stream {}: more bytes than were sent", key.second));
  }
}

// What their senders were told is true.
void RandomRun::look_at_messages(Role receiver) {
  const SimApplication& to = application(receiver);
  const SimApplication& from = application(peer_of(receiver));
  for (const auto& [id, ticket] : from.messages_sent) {
    const auto outcome = from.outcomes.find(ticket.value());
    if (outcome == from.outcomes.end()) continue;
    const bool came = to.messages_received.contains(id);
    // Where the link ends the connection, the one that others wait for in their channel may never come.
    const bool may_wait = is_closed() && !is_drained() && from.messages_sent_in_order.contains(id);
    if (outcome->second == MessageOutcome::delivered && !came && !may_wait &&
        !plan_.reads_slowly[receiver == Role::client ? 0 : 1])
      problem(fmt::format("message {} was delivered and did not come", id));
    if (outcome->second == MessageOutcome::not_sent && came)
      problem(fmt::format("message {} was not sent and came", id));
  }
  std::map<MessageClass, std::uint64_t> last;
  for (const std::uint64_t id : to.messages_taken) {
    const auto sent = from.messages_sent_in_order.find(id);
    if (sent == from.messages_sent_in_order.end()) continue;
    std::uint64_t& before = last[sent->second];  // ids rise, and the first is 0 or 1
    if (id < before) problem(fmt::format("message {} came after {} of its channel", id, before));
    before = id;
  }
}

// A connection that has nothing to do falls silent, and what is closed leaves nothing behind.
void RandomRun::end() {
  if (!is_closed()) {
    // Queues may be long, and what was lost last is sent again after longer and longer waits.
    std::uint64_t before = 0;
    for (int i = 0; i < 10 && before != datagrams(); ++i) {
      before = datagrams();
      sim_.run_for(15s);
    }
    if (before != datagrams())
      problem(fmt::format("no 15 s of silence; {} datagrams in the last", datagrams() - before));
    look_inside();
    for (Connection* connection : sim_.client.connected) connection->close(AppErrorCode(0), "");
  } else if (is_drained()) {
    if (!is_delivered())
      problem(fmt::format("drained, and something is missing: the server has {} of {} bytes, the client {} of {}",
                          sim_.server.bytes_received, plan_.expected_bytes[1], sim_.client.bytes_received,
                          plan_.expected_bytes[0]));
  } else if (!sim_.client.closed.empty()) {
    // Fine where the link was that bad, but only with a reason that fits: the peer was not heard for long.
    timed_out = true;
    const CloseInfo& info = sim_.client.closed.front();
    if (info.by != CloseInfo::By::timeout) problem("closed: " + info.reason);
  }
  sim_.run_for(180s);
  for (const Role role : {Role::client, Role::server})
    if (const std::uint64_t left = endpoint(role).stats().memory_in_use; left != 0)
      problem(fmt::format("{} bytes of memory in use after the end", left));
}

}  // namespace

BOOST_AUTO_TEST_CASE(random_links_deliver_every_byte_or_say_why_not) {
  const std::uint64_t first = from_environment("MXP_SIM_FIRST", 1);
  const std::uint64_t seeds = from_environment("MXP_SIM_SEEDS", kSeeds);
  std::uint64_t failed = 0;
  std::uint64_t timed_out = 0;
  for (std::uint64_t seed = first; seed < first + seeds && failed < 5; ++seed) {
    const RandomPlan plan = draw_plan(seed);
    const RandomRun run(plan);
    if (run.timed_out) ++timed_out;
    if (!run.problems.empty()) {
      ++failed;
      for (const std::string& problem : run.problems)
        BOOST_ERROR(
            fmt::format("seed {}: {} ({}); replay: MXP_SIM_FIRST={} MXP_SIM_SEEDS=1 test_sim --run_test=random_links*",
                        seed, problem, plan.text, seed));
    }
    BOOST_TEST_MESSAGE(fmt::format("seed {}: {} ms{}", seed, run.took / 1ms, run.timed_out ? ", timed out" : ""));
    // Running everything twice would double the time; every sixteenth shows it as well.
    if (seed % 16 == 0 && RandomRun(plan).trace != run.trace) {
      ++failed;
      BOOST_ERROR(fmt::format("seed {}: two runs, two traces", seed));
    }
  }
  BOOST_TEST(failed == 0u);
  // A burst of losses may outlast every probe of half a minute, but hardly ever.
  if (failed == 0 && seeds >= 1000) BOOST_TEST(100 * timed_out <= seeds);
}
