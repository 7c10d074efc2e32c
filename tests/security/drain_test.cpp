// Threats t90 to t92: what a hostile peer can do with an end in order (docs/protocol.md §7.1).
#include <boost/test/unit_test.hpp>

#include "connection/access.h"
#include "connection/flows.h"
#include "support/attacker.h"

using namespace mxp;
using namespace mxp::test;

namespace drain_test {
namespace {

using State = DrainFrame::State;

struct Scene {
  Scene() : attacker(pair.server, pair.now) { BOOST_REQUIRE(attacker.connect()); }
  Connection& victim() const { return attacker.connection(); }
  Recorder& app() { return pair.server.app; }
  void pass(Duration span) {
    for (const Timestamp end = pair.now + span; pair.now < end; pair.now += 10ms) BOOST_REQUIRE(attacker.run_due());
  }
  DirectPair pair;
  Attacker attacker;
};

const Bytes kBegins = frames(DrainFrame{State::begins, 60s});
const Bytes kDone = frames(DrainFrame{State::done, {}});
const Bytes kAgrees = frames(DrainFrame{State::agrees, {}});

}  // namespace

BOOST_AUTO_TEST_SUITE(drain)

// It acknowledges and keeps the connection alive, but never agrees; or it keeps a stream open.
BOOST_AUTO_TEST_CASE(t90_a_peer_that_never_comes_to_an_end_is_closed_at_the_deadline) {
  for (const bool keeps_a_stream : {false, true}) {
    Scene scene;
    if (keeps_a_stream) scene.attacker.ask(stream_frame(StreamId(0), 0, text("x")));
    BOOST_TEST(scene.victim().drain(scene.pair.now + 30s).has_value());
    for (int i = 0; i != 29; ++i) {
      scene.pass(1s);
      scene.attacker.acknowledge();
      scene.attacker.ask(keeps_a_stream ? kAgrees : frames(PingFrame{}));
      BOOST_TEST_REQUIRE(scene.app().closed.empty());
    }
    BOOST_TEST(scene.app().consents_asked == 0);
    scene.pass(2s);
    BOOST_TEST_REQUIRE(scene.app().closed.size() == 1u);
    BOOST_TEST((scene.app().closed[0].transport_code() == TransportErrorCode::drain_deadline));
  }
}

// The other way round: a peer that begins and never closes gains nothing. Its victim is asked once and sends nothing
// more; the idle timeout ends the connection as it would any other.
BOOST_AUTO_TEST_CASE(t90_a_peer_that_begins_and_never_closes_leaves_an_idle_connection) {
  Scene scene;
  scene.attacker.ask(kBegins + kDone);
  scene.attacker.run_due();
  BOOST_TEST(scene.app().consents_asked == 1);
  BOOST_TEST(scene.attacker.count<DrainFrame>() == 1u);
  scene.attacker.acknowledge();
  scene.pass(1s);
  scene.attacker.answers.clear();
  scene.attacker.ask(kAgrees);
  scene.pass(1s);
  BOOST_TEST(scene.app().consents_asked == 1);
  BOOST_TEST(scene.attacker.count<DrainFrame>() == 0u);
  scene.pass(300s);
  BOOST_TEST_REQUIRE(scene.app().closed.size() == 1u);
  BOOST_TEST((scene.app().closed[0].by == CloseInfo::By::timeout));
}

BOOST_AUTO_TEST_CASE(t91_a_flood_of_drain_frames_is_told_once_and_leaves_nothing_behind) {
  Scene scene;
  // So that the end cannot come.
  scene.attacker.ask(stream_frame(StreamId(0), 0, text("x")));
  Bytes many;
  for (int i = 0; i != 200; ++i) many = many + (i % 2 == 0 ? kBegins : kDone);
  scene.attacker.ask(many);
  scene.attacker.run_due();
  const std::size_t memory = memory_in_use(ConnectionAccess::parts(scene.victim()));
  for (int i = 0; i != 500; ++i) {
    scene.attacker.ask(many);
    scene.attacker.acknowledge();
    scene.attacker.collect();
  }
  BOOST_TEST(scene.app().drains.size() == 1u);
  BOOST_TEST(scene.app().consents_asked == 0);
  BOOST_TEST(scene.attacker.count<DrainFrame>() == 1u);  // the victim is done
  BOOST_TEST(memory_in_use(ConnectionAccess::parts(scene.victim())) <= memory + 4096);
  BOOST_TEST(scene.app().closed.empty());
}

// Frames overtake each other, so that this may come from an honest peer as well. It means nothing before `begins`
// comes.
BOOST_AUTO_TEST_CASE(t91_a_state_without_a_beginning_changes_nothing) {
  Scene scene;
  scene.attacker.ask(kAgrees);
  scene.attacker.ask(kDone);
  scene.attacker.run_due();
  BOOST_TEST(scene.app().drains.empty());
  BOOST_TEST(scene.app().consents_asked == 0);
  BOOST_TEST(scene.attacker.count<DrainFrame>() == 0u);
  BOOST_TEST(scene.victim().open_stream(StreamType::unidirectional).has_value());
}

BOOST_AUTO_TEST_CASE(t92_a_new_stream_of_a_peer_that_is_done_closes_the_connection) {
  for (const Bytes& state : {kDone, kAgrees}) {
    Scene scene;
    scene.attacker.ask(stream_frame(StreamId(0), 0, text("x")));
    scene.attacker.ask(kBegins + state);
    scene.attacker.ask(stream_frame(StreamId(0), 1, text("y")));  // an old one goes on
    BOOST_TEST(!scene.attacker.seen_close().has_value());
    scene.attacker.ask(stream_frame(StreamId(4), 0, text("new")));
    BOOST_TEST_REQUIRE(scene.attacker.seen_close().has_value());
    BOOST_TEST((scene.attacker.seen_close()->transport_code() == TransportErrorCode::protocol_violation));
    BOOST_TEST(scene.attacker.seen_close()->reason == "a new stream of a peer that was done");
  }
}

// Before that a new stream is no fault: it may have been under way.
BOOST_AUTO_TEST_CASE(t92_a_new_stream_of_a_peer_that_only_begins_is_taken) {
  Scene scene;
  scene.attacker.ask(kBegins);
  scene.attacker.ask(stream_frame(StreamId(0), 0, text("late"), true));
  BOOST_TEST(!scene.attacker.seen_close().has_value());
  BOOST_TEST((scene.app().data[StreamId(0)] == copy_of(text("late"))));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drain_test
