// An end in order (docs/protocol.md §7.1): the part that keeps the stages, and two sides that drain without a link
// between them.
#include "connection/drain.h"

#include <boost/test/unit_test.hpp>
#include <tuple>

#include "core/frame_reader.h"
#include "support/host.h"

using namespace mxp;
using namespace mxp::test;

namespace drain_test {
namespace {

using State = DrainFrame::State;
constexpr Uuid kTarget = {7};

// ---- the part

struct Written {
  std::vector<State> states;
  std::vector<SentFrame> noted;
  Duration time{};
};
Written write(Drain& drain, std::size_t space = 100) {
  Written written;
  Bytes buffer(space);
  Writer out(buffer);
  drain.write_frames(out, [&](const SentFrame& frame) { written.noted.push_back(frame); });
  FrameReader reader(out.so_far());
  for (auto frame = reader.next(); frame && *frame; frame = reader.next()) {
    const auto& read = std::get<DrainFrame>(**frame);
    written.states.push_back(read.state);
    if (read.state == State::begins) written.time = read.time;
  }
  return written;
}
using States = std::vector<State>;

// ---- two sides

DirectPair::Config talkative() {
  DirectPair::Config config;
  for (EndpointConfig* side : {&config.client, &config.server}) {
    side->transport.datagrams.max_payload = 1000;
    side->transport.calls.enabled = true;
  }
  return config;
}

struct Pair : DirectPair {
  explicit Pair(Config config = talkative()) : DirectPair(std::move(config)), connection(establish()) {
    BOOST_REQUIRE(connection != nullptr);
  }
  Connection& at_server() const { return *server_connection(); }
  void drain(Connection& from, Duration time = 10s) { BOOST_TEST_REQUIRE(from.drain(now + time).has_value()); }
  bool is_open() const { return client.app.closed.empty() && server.app.closed.empty(); }
  Connection* connection;
};

bool is_drained(const std::vector<CloseInfo>& closed, CloseInfo::By by) {
  return closed.size() == 1 && closed[0].by == by && closed[0].application && closed[0].code == 0 &&
         closed[0].reason == "drained";
}

// What both sides may no longer begin.
void begins_nothing(Connection& connection) {
  BOOST_TEST((connection.open_stream(StreamType::bidirectional).error() == StreamError::draining));
  BOOST_TEST((connection.open_stream(StreamType::unidirectional).error() == StreamError::draining));
  BOOST_TEST((connection.send_message({.type = MessageType::event}).error() == SendMessageError::draining));
  BOOST_TEST((connection.call(kTarget, {}).error() == CallError::draining));
  BOOST_TEST((connection.send_datagram(text("x")).error() == DatagramError{DatagramError::Kind::draining}));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(drain)

BOOST_AUTO_TEST_CASE(stages_follow_each_other_and_each_is_told_once) {
  Drain drain;
  BOOST_TEST(!drain.is_on());
  BOOST_TEST((drain.next() == Drain::Next::nothing));
  drain.on_clock(Timestamp(5s));
  drain.begin(Timestamp(7s));
  BOOST_TEST(drain.is_on());
  BOOST_TEST((drain.next() == Drain::Next::be_done));
  const Written begins = write(drain);
  BOOST_TEST((begins.states == States{State::begins}));
  BOOST_TEST((begins.time == 2s));
  drain.on_done();
  BOOST_TEST((write(drain).states == States{State::done}));
  BOOST_TEST((drain.next() == Drain::Next::nothing));  // the peer is not done
  BOOST_TEST(!drain.on_frame({State::done, {}}, 0));
  BOOST_TEST((drain.next() == Drain::Next::ask_application));
  drain.on_consent(Drain::Consent::given);
  BOOST_TEST((write(drain).states == States{State::agrees}));
  BOOST_TEST((drain.next() == Drain::Next::nothing));
  drain.on_frame({State::agrees, {}}, 0);
  BOOST_TEST((drain.next() == Drain::Next::close));
  BOOST_TEST(!drain.has_pending());
}

BOOST_AUTO_TEST_CASE(the_side_that_did_not_begin_waits_for_the_close) {
  Drain drain;
  BOOST_TEST(drain.on_frame({State::begins, 3s}, 0));
  BOOST_TEST(!drain.on_frame({State::begins, 3s}, 0));  // told again
  BOOST_TEST((drain.deadline() == kNever));
  drain.on_done();
  drain.on_frame({State::agrees, {}}, 0);  // which says that the peer is done as well
  BOOST_TEST((drain.next() == Drain::Next::ask_application));
  BOOST_TEST(!drain.awaits_close());
  drain.on_consent(Drain::Consent::given);
  BOOST_TEST((write(drain).states == States{State::agrees}));  // done goes without saying
  BOOST_TEST((drain.next() == Drain::Next::nothing));
  BOOST_TEST(drain.awaits_close());
}

BOOST_AUTO_TEST_CASE(frames_that_overtake_each_other_lead_to_the_same) {
  Drain drain;
  BOOST_TEST(!drain.on_frame({State::agrees, {}}, 4));
  BOOST_TEST(!drain.is_on());  // nobody has begun, as far as is known here
  drain.on_frame({State::done, {}}, 4);
  BOOST_TEST((drain.peer() == DrainStage::agreed));
  BOOST_TEST(drain.on_frame({State::begins, 1s}, 4));
  BOOST_TEST(drain.is_on());
  BOOST_TEST((drain.peer() == DrainStage::agreed));
  BOOST_TEST(drain.may_have_opened(4));
  BOOST_TEST(!drain.may_have_opened(5));
}

BOOST_AUTO_TEST_CASE(lost_frames_are_told_again) {
  Drain drain;
  drain.begin(kNever);
  drain.on_done();
  const Written first = write(drain);
  BOOST_TEST((first.states == States{State::begins, State::done}));
  BOOST_TEST((first.time == kLongestDrain));
  for (const SentFrame& frame : first.noted) drain.on_lost(frame);
  BOOST_TEST((write(drain).states == States{State::begins, State::done}));
  drain.on_frame({State::done, {}}, 0);
  drain.on_consent(Drain::Consent::given);
  for (const SentFrame& frame : first.noted) drain.on_lost(frame);
  BOOST_TEST((write(drain).states == States{State::begins, State::agrees}));
}

BOOST_AUTO_TEST_CASE(frames_that_do_not_fit_wait) {
  Drain drain;
  drain.begin(kNever);
  drain.on_done();
  BOOST_TEST(write(drain, 9).states.empty());  // `begins` takes ten bytes at most
  BOOST_TEST((write(drain, 11).states == States{State::begins}));
  BOOST_TEST((write(drain, 2).states == States{State::done}));
}

BOOST_AUTO_TEST_CASE(time_left_is_what_a_frame_can_tell) {
  for (const auto& [deadline, told] :
       {std::pair{Timestamp(-1h), Duration(0)}, std::pair{Timestamp(90 * 24h), kLongestDrain},
        std::pair{Timestamp(1500us), Duration(1ms)}}) {
    Drain drain;
    drain.begin(deadline);
    BOOST_TEST((write(drain).time == told));
  }
}

BOOST_AUTO_TEST_CASE(the_nearest_deadline_holds_and_a_refusal_lasts_until_the_next_call) {
  Drain drain;
  drain.begin(Timestamp(9s));
  drain.begin(Timestamp(7s));
  drain.begin(Timestamp(8s));
  BOOST_TEST((drain.deadline() == Timestamp(7s)));
  BOOST_TEST((write(drain).states == States{State::begins}));
  drain.begin(Timestamp(6s));
  BOOST_TEST(!drain.has_pending());  // the peer is told once
  drain.on_done();
  drain.on_frame({State::done, {}}, 0);
  drain.on_consent(Drain::Consent::refused);
  BOOST_TEST((drain.next() == Drain::Next::nothing));
  drain.begin(Timestamp(20s));
  BOOST_TEST((drain.deadline() == Timestamp(6s)));
  BOOST_TEST((drain.next() == Drain::Next::ask_application));
}

// ---- two sides

BOOST_AUTO_TEST_CASE(idle_connection_ends_at_once_and_both_agree) {
  for (const Role beginner : {Role::client, Role::server}) {
    Pair pair;
    pair.drain(beginner == Role::client ? *pair.connection : pair.at_server());
    pair.exchange();
    const Recorder& here = beginner == Role::client ? pair.client.app : pair.server.app;
    const Recorder& there = beginner == Role::client ? pair.server.app : pair.client.app;
    BOOST_TEST(is_drained(here.closed, CloseInfo::By::local));
    BOOST_TEST(is_drained(there.closed, CloseInfo::By::peer));
    BOOST_TEST(here.drains.empty());
    BOOST_TEST((there.drains == std::vector<Duration>{10s}));
    BOOST_TEST(here.consents_asked == 1);
    BOOST_TEST(there.consents_asked == 1);
  }
}

BOOST_AUTO_TEST_CASE(neither_side_begins_anything_new) {
  Pair pair;
  const StreamId id = *pair.connection->open_stream(StreamType::bidirectional);
  BOOST_TEST(pair.connection->write(id, text("ques")).has_value());
  pair.exchange();
  pair.drain(*pair.connection);
  begins_nothing(*pair.connection);
  pair.exchange();
  begins_nothing(pair.at_server());
  BOOST_TEST((pair.at_server().stats().drain.here == DrainStage::done));
  BOOST_TEST((pair.connection->stats().drain.here == DrainStage::begun));
  BOOST_TEST((pair.connection->stats().drain.peer == DrainStage::done));

  // What is open goes on, and the connection waits for it.
  BOOST_TEST(pair.connection->write(id, text("tion")).has_value());
  BOOST_TEST(pair.connection->finish(id).has_value());
  pair.exchange();
  pair.advance(1s);
  BOOST_TEST(pair.is_open());
  BOOST_TEST(pair.server.app.consents_asked == 0);
  BOOST_TEST((pair.server.app.data[id] == copy_of(text("question"))));
  pair.server.app.send(pair.at_server(), id, text("answer"), Recorder::Then::finishes);
  pair.advance(1s);
  BOOST_TEST((pair.client.app.data[id] == copy_of(text("answer"))));
  BOOST_TEST(is_drained(pair.client.app.closed, CloseInfo::By::local));
  BOOST_TEST(is_drained(pair.server.app.closed, CloseInfo::By::peer));
}

BOOST_AUTO_TEST_CASE(answers_may_still_be_sent) {
  Pair pair;
  // So that the server's connection stays open.
  const StreamId id = *pair.connection->open_stream(StreamType::unidirectional);
  BOOST_TEST(pair.connection->write(id, text("x")).has_value());
  pair.drain(*pair.connection);
  pair.exchange();
  for (const MessageType type : {MessageType::response, MessageType::error, MessageType::ack})
    BOOST_TEST(pair.at_server().send_message({.type = type, .id = 1u << 20}).has_value());
  BOOST_TEST((pair.at_server().send_message({.type = MessageType::call}).error() == SendMessageError::draining));
}

// Each of these keeps the connection open for as long as it is under way, on either side.
BOOST_AUTO_TEST_CASE(what_is_under_way_is_waited_for) {
  enum What { stream_of_ours, stream_of_theirs, call_of_ours, call_of_theirs, datagram_of_ours };
  for (const What what : {stream_of_ours, stream_of_theirs, call_of_ours, call_of_theirs, datagram_of_ours}) {
    BOOST_TEST_CONTEXT(what) {
      Pair pair;
      Connection& here = *pair.connection;
      Connection& there = pair.at_server();
      bool lost = what == datagram_of_ours;
      pair.lose = [&](Role sender, ByteView) { return lost && sender == Role::server; };
      StreamId id;
      switch (what) {
        case stream_of_ours: id = *here.open_stream(StreamType::unidirectional); break;
        case stream_of_theirs: id = *there.open_stream(StreamType::unidirectional); break;
        case call_of_ours: BOOST_TEST(here.call(kTarget, text("?"), {.timeout = 2s}).has_value()); break;
        case call_of_theirs: BOOST_TEST(there.call(kTarget, text("?"), {.timeout = 2s}).has_value()); break;
        case datagram_of_ours: BOOST_TEST(here.send_datagram(text("x"), {.cookie = 1}).has_value()); break;
      }
      pair.drain(here);
      pair.advance(500ms);
      BOOST_TEST(pair.is_open());
      BOOST_TEST(pair.client.app.consents_asked + pair.server.app.consents_asked == 0);
      lost = false;
      if (what == stream_of_ours) BOOST_TEST(here.finish(id).has_value());
      if (what == stream_of_theirs) BOOST_TEST(there.finish(id).has_value());
      pair.advance(5s);  // calls time out
      BOOST_TEST(is_drained(pair.client.app.closed, CloseInfo::By::local));
      BOOST_TEST(is_drained(pair.server.app.closed, CloseInfo::By::peer));
    }
  }
}

BOOST_AUTO_TEST_CASE(both_sides_may_begin) {
  Pair pair;
  pair.drain(*pair.connection, 5s);
  pair.drain(pair.at_server(), 6s);
  pair.exchange();
  BOOST_TEST((pair.client.app.drains == std::vector<Duration>{6s}));
  BOOST_TEST((pair.server.app.drains == std::vector<Duration>{5s}));
  BOOST_TEST(pair.client.app.closed.size() == 1u);
  BOOST_TEST(pair.server.app.closed.size() == 1u);
  BOOST_TEST(pair.client.app.closed[0].reason == "drained");
  BOOST_TEST(pair.server.app.closed[0].reason == "drained");
}

BOOST_AUTO_TEST_CASE(at_the_deadline_the_side_that_began_closes_and_says_so) {
  Pair pair;
  const StreamId id = *pair.connection->open_stream(StreamType::unidirectional);
  BOOST_TEST(pair.connection->write(id, text("never finished")).has_value());
  pair.drain(*pair.connection, 5s);
  pair.drain(*pair.connection, 2s);
  pair.drain(*pair.connection, 4s);
  pair.advance(1999ms);
  BOOST_TEST(pair.is_open());
  pair.advance(1ms);
  BOOST_REQUIRE(pair.client.app.closed.size() == 1u);
  BOOST_REQUIRE(pair.server.app.closed.size() == 1u);
  for (const Recorder* app : {&pair.client.app, &pair.server.app}) {
    BOOST_TEST(!app->closed[0].application);
    BOOST_TEST((app->closed[0].transport_code() == TransportErrorCode::drain_deadline));
    BOOST_TEST(app->closed[0].reason == "the deadline of the drain has passed");
  }
  BOOST_TEST((pair.client.app.closed[0].by == CloseInfo::By::local));
  BOOST_TEST((pair.server.app.closed[0].by == CloseInfo::By::peer));
}

BOOST_AUTO_TEST_CASE(a_deadline_that_has_passed_closes_in_the_next_drive) {
  Pair pair;
  pair.lose = [](Role, ByteView) { return true; };
  pair.drain(*pair.connection, -1s);
  BOOST_TEST(pair.client.app.closed.empty());  // not from inside the call
  pair.advance(0ms);
  BOOST_REQUIRE(pair.client.app.closed.size() == 1u);
  BOOST_TEST((pair.client.app.closed[0].transport_code() == TransportErrorCode::drain_deadline));
}

BOOST_AUTO_TEST_CASE(an_application_that_refuses_is_asked_again_when_it_says_so) {
  for (const Role busy : {Role::client, Role::server}) {
    Pair pair;
    bool agrees = false;
    Recorder& app = busy == Role::client ? pair.client.app : pair.server.app;
    app.drained = [&](Connection& connection) {
      if (!agrees) BOOST_TEST(connection.drain(kNever).has_value());  // from inside it counts for nothing
      return agrees;
    };
    pair.drain(*pair.connection);
    pair.advance(3s);
    BOOST_TEST(pair.is_open());
    BOOST_TEST(app.consents_asked == 1);
    agrees = true;
    pair.drain(busy == Role::client ? *pair.connection : pair.at_server());
    pair.advance(100ms);
    BOOST_TEST(app.consents_asked == 2);
    BOOST_REQUIRE(pair.client.app.closed.size() == 1u);
    BOOST_REQUIRE(pair.server.app.closed.size() == 1u);
    BOOST_TEST(pair.client.app.closed[0].reason == "drained");
  }
}

BOOST_AUTO_TEST_CASE(an_application_may_close_when_it_is_asked) {
  Pair pair;
  pair.server.app.drained = [](Connection& connection) {
    connection.close(7, "done here");
    return true;
  };
  pair.drain(*pair.connection);
  pair.exchange();
  BOOST_REQUIRE(pair.client.app.closed.size() == 1u);
  BOOST_TEST(pair.client.app.closed[0].code == 7u);
}

BOOST_AUTO_TEST_CASE(only_a_live_connection_drains) {
  DirectPair pair;
  Connection* const connection = pair.connect();
  BOOST_TEST((connection->drain(kNever).error() == DrainError::connection_closed));
  pair.exchange();
  BOOST_TEST(connection->open_stream(StreamType::bidirectional).has_value());
  connection->close(0, "");
  BOOST_TEST((connection->drain(kNever).error() == DrainError::connection_closed));
}

// What the peer began before it heard of the drain is taken as usual.
BOOST_AUTO_TEST_CASE(streams_and_messages_that_crossed_the_frame_are_taken) {
  Pair pair;
  const StreamId id = *pair.at_server().open_stream(StreamType::unidirectional);
  pair.server.app.send(pair.at_server(), id, text("crossed"), Recorder::Then::finishes);
  BOOST_TEST(pair.at_server().call(kTarget, text("?"), {.timeout = 1s}).has_value());
  pair.drain(*pair.connection);
  pair.advance(5s);
  BOOST_TEST((pair.client.app.data[id] == copy_of(text("crossed"))));
  BOOST_TEST(is_drained(pair.client.app.closed, CloseInfo::By::local));
}

// Whoever has agreed knows that everything has arrived, so a CLOSE that never comes is no fault.
BOOST_AUTO_TEST_CASE(a_lost_close_is_no_error_to_the_side_that_agreed) {
  Pair pair;
  bool closing = false;
  pair.client.app.hook = [&](std::string_view event, Connection&, StreamId) { closing |= event == "drained"; };
  pair.lose = [&](Role sender, ByteView) { return closing && sender == Role::client; };
  pair.drain(*pair.connection, 5s);
  pair.advance(300s);
  BOOST_TEST(is_drained(pair.client.app.closed, CloseInfo::By::local));
  BOOST_TEST(is_drained(pair.server.app.closed, CloseInfo::By::timeout));
}

BOOST_AUTO_TEST_CASE(stages_of_both_sides_are_traced) {
  using Traced = std::vector<std::pair<TraceDrain::Side, DrainStage>>;
  Pair pair;
  pair.drain(*pair.connection);
  pair.exchange();
  using enum DrainStage;
  const Traced expected = {{TraceDrain::Side::here, begun},
                           {TraceDrain::Side::here, done},
                           {TraceDrain::Side::peer, agreed},
                           {TraceDrain::Side::here, agreed}};
  BOOST_TEST((pair.client_trace.drains == expected));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drain_test
