// Random programs of two applications over random links: what they do with streams, messages of all classes, calls,
// datagrams, corks and drains, and in what order, also from inside of callbacks, with readers that refuse and come back,
// with windows and queues that hold next to nothing. What each of them hears is held against a model of both
// (support/conversation.h), and in the end everything is settled.
//
// A failing program is shrunk and printed, with the words that repeat it. RC_PARAMS="max_success=10000" runs more of them.
#include <fmt/format.h>
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <ostream>

#include "support/conversation.h"
#include "support/sanitized.h"
#include "support/sim_pair.h"

namespace mxp::test::api_programs_property {
namespace {

struct Step {
  Duration after{};
  Command command;
};
std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << fmt::format("\n  after {} us: ", step.after / 1us) << step.command;
}

struct Line {  // one direction
  int delay_ms = 0, jitter_ms = 0, loss_percent = 0, reorder_percent = 0, duplicate_percent = 0;
  int rate_mbit = 0;  // 0: as fast as it comes
  std::string text() const {
    std::string words = fmt::format("delay {}ms", delay_ms);
    if (delay_ms > 0) words += fmt::format(" {}ms reorder {}%", std::min(jitter_ms, delay_ms), reorder_percent);
    words += fmt::format(" loss {}% duplicate {}%", loss_percent, duplicate_percent);
    if (rate_mbit > 0) words += fmt::format(" rate {}mbit", rate_mbit);
    return words;
  }
};
std::ostream& operator<<(std::ostream& out, const Line& line) { return out << line.text(); }

// How little room there is, as doublings of the smallest amounts; at 0 the defaults are left.
struct Room {
  int streams = 0, windows = 0, messages = 0, message_bytes = 0, queues = 0, calls = 0;
  void narrow(TransportConfig& transport) const {
    const auto doubled = [](std::uint64_t least, int doublings) { return least << (doublings - 1); };
    FlowControlConfig& flow = transport.flow_control;
    if (streams > 0) flow.max_streams_bidirectional = flow.max_streams_unidirectional = doubled(1, streams);
    if (windows > 0) {
      flow.connection_window = doubled(1500, windows);
      flow.stream_window = doubled(500, windows);
      flow.max_connection_window = 2 * flow.connection_window;
      flow.max_stream_window = 2 * flow.stream_window;
    }
    MessageConfig& limits = transport.messages;
    if (messages > 0) limits.window = doubled(1, messages);
    if (message_bytes > 0) {
      limits.receive_window = doubled(2048, message_bytes);
      limits.max_receive_window = 2 * limits.receive_window;
    }
    if (queues > 0) {
      limits.send_buffer = doubled(2048, queues);
      flow.stream_send_buffer = doubled(100, queues);
      flow.connection_send_buffer = doubled(200, queues);
      transport.datagrams.queue_bytes = doubled(2000, queues);
      transport.datagrams.queue_datagrams = doubled(1, queues);
      transport.datagrams.rate = ByteRate::bytes_per_second(50'000);
      transport.datagrams.burst_bytes = 2000;
    }
    if (calls > 0) transport.calls.max_waiting = transport.calls.max_incoming = doubled(1, calls);
  }
};
std::ostream& operator<<(std::ostream& out, const Room& it) {
  return out << fmt::format("streams {} windows {} messages {} their bytes {} queues {} calls {}", it.streams,
                            it.windows, it.messages, it.message_bytes, it.queues, it.calls);
}

rc::Gen<Step> steps() {
  using Verb = Command::Verb;
  const auto verb = rc::gen::weightedElement<Verb>({{6, Verb::open_stream},
                                                    {4, Verb::write},
                                                    {4, Verb::finish},
                                                    {1, Verb::reset},
                                                    {1, Verb::stop_sending},
                                                    {1, Verb::set_priority},
                                                    {12, Verb::send_message},
                                                    {2, Verb::cancel_message},
                                                    {8, Verb::call},
                                                    {2, Verb::cancel_call},
                                                    {4, Verb::answer},
                                                    {8, Verb::send_datagram},
                                                    {1, Verb::cork},
                                                    {1, Verb::uncork},
                                                    {2, Verb::pause},
                                                    {3, Verb::resume},
                                                    {1, Verb::drain},
                                                    {1, Verb::close}});
  const auto size = rc::gen::oneOf(rc::gen::inRange<std::uint32_t>(0, 200), rc::gen::inRange<std::uint32_t>(0, 3000),
                                   rc::gen::inRange<std::uint32_t>(0, 120'000));
  const auto number = rc::gen::resize(100, rc::gen::arbitrary<std::uint32_t>());
  const auto command = rc::gen::build<Command>(
      rc::gen::set(&Command::verb, verb), rc::gen::set(&Command::side, rc::gen::element(Role::client, Role::server)),
      rc::gen::set(&Command::when, rc::gen::weightedElement<Command::When>(
                                       {{4, Command::When::now}, {1, Command::When::in_next_callback}})),
      rc::gen::set(&Command::which, number), rc::gen::set(&Command::size, size),
      rc::gen::set(&Command::options, number));
  const auto after = rc::gen::map(rc::gen::oneOf(rc::gen::just(0), rc::gen::inRange(0, 200'000)),
                                  [](int us) { return Duration(std::chrono::microseconds(us)); });
  return rc::gen::resize(
      100, rc::gen::build<Step>(rc::gen::set(&Step::after, after), rc::gen::set(&Step::command, command)));
}

rc::Gen<Line> lines() {
  const auto upto = [](int most) { return rc::gen::inRange(0, most + 1); };
  return rc::gen::build<Line>(
      rc::gen::set(&Line::delay_ms, upto(100)), rc::gen::set(&Line::jitter_ms, upto(20)),
      rc::gen::set(&Line::loss_percent, upto(10)), rc::gen::set(&Line::reorder_percent, upto(30)),
      rc::gen::set(&Line::duplicate_percent, upto(10)), rc::gen::set(&Line::rate_mbit, upto(50)));
}

rc::Gen<Room> rooms() {
  const auto upto = [](int most) { return rc::gen::inRange(0, most + 1); };
  return rc::gen::build<Room>(rc::gen::set(&Room::streams, upto(4)), rc::gen::set(&Room::windows, upto(6)),
                              rc::gen::set(&Room::messages, upto(8)), rc::gen::set(&Room::message_bytes, upto(8)),
                              rc::gen::set(&Room::queues, upto(8)), rc::gen::set(&Room::calls, upto(4)));
}

struct Run {
  std::vector<std::string> problems;
  std::string waited_for;  // what was under way for long

  Run(std::uint64_t seed, const Line& up, const Line& down, const Room (&room)[2], const std::vector<Step>& program) {
    SimPair* sim = nullptr;
    Conversation talk(
        [&] { return sim->now(); },
        [&](const std::string& text) { problems.push_back(fmt::format("at {} us: {}", sim->elapsed() / 1us, text)); });
    SimConfig config{.up = up.text(), .down = down.text(), .seed = seed};
    config.client_handler = &talk.client;
    config.server_handler = &talk.server;
    for (EndpointConfig* each : {&config.client, &config.server}) {
      each->transport.handshake_timeout = 60s;
      each->transport.calls.enabled = true;
      each->transport.datagrams.max_payload = 10'000;
      each->transport.key_update.packets = 100;
      room[each == &config.client ? 0 : 1].narrow(each->transport);
    }
    SimPair pair(config);
    sim = &pair;
    talk.connected_hook = [&](Role side, Connection&) {
      if (side == Role::server) pair.server.connected_count = 1;
    };
    pair.connect();
    if (!pair.run_until([&] { return talk.client.is_connected() && talk.server.is_connected(); }, 60s))
      problems.push_back("not connected");
    for (const Step& step : program) {
      pair.run_for(step.after);
      if (!problems.empty() || !pair.violations().empty()) break;
      talk.take(step.command);
    }
    talk.end();
    const auto done = [&] { return !problems.empty() || talk.is_settled() || talk.is_over(); };
    if (!pair.run_until(done, pair.elapsed() + 20s)) waited_for = talk.unsettled();
    if (!pair.run_until(done, pair.elapsed() + 600s) && problems.empty() && pair.violations().empty())
      problems.push_back("does not come to rest: " + talk.unsettled());
    if (problems.empty() && !talk.is_over()) {
      talk.take({.verb = Command::Verb::close, .side = Role::client});
      talk.take({.verb = Command::Verb::close, .side = Role::server});
    }
    pair.run_for(180s);
    if (problems.empty() && !talk.is_over()) problems.push_back("does not end");
    if (problems.empty()) talk.check_end();
    for (Endpoint* each : {pair.client_endpoint.get(), pair.server_endpoint.get()})
      if (each->stats().memory_in_use != 0) problems.push_back("memory is in use after the end");
    problems.insert(problems.end(), pair.violations().begin(), pair.violations().end());
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(api_programs)

BOOST_AUTO_TEST_CASE(what_both_sides_hear_is_what_both_did) {
  BOOST_TEST(rc::check("programs", [] {
    const auto seed = *rc::gen::inRange<std::uint64_t>(0, 1u << 20).as("seed");
    const Line up = *lines().as("up"), down = *lines().as("down");
    const Room room[2] = {*rooms().as("room of the client"), *rooms().as("room of the server")};
    const auto program =
        *rc::gen::scale(kSanitized ? 0.6 : 2, rc::gen::container<std::vector<Step>>(steps())).as("program");
    const Run run(seed, up, down, room, program);
    for (const std::string& problem : run.problems) RC_LOG() << problem << '\n';
    if (!run.waited_for.empty()) RC_LOG() << "under way for long: " << run.waited_for << '\n';
    RC_ASSERT(run.problems.empty());
  }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::test::api_programs_property
