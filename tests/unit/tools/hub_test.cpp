// When a run of mxp-cat ends whose peers say nothing any more. The hub gives its limits to the timers of a real loop, and
// the test tells that loop how late it is: nobody waits, and a slow machine changes nothing.
#include "mxp-cat/hub.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <memory>
#include <utility>

#include "common/json_output.h"
#include "mxp/event_loop.h"

namespace mxp::tools {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<EventLoop> loop_with(Handler& handler, bool accept) {
  auto made = EventLoop::create({.bind = SocketAddress::ipv4(127, 0, 0, 1, 0)},
                                {.identity = PrivateKey::generate(system_random()), .accept = accept}, handler);
  BOOST_REQUIRE(made.has_value());
  return *std::move(made);
}

class IdleSession : public Session {
 public:
  IdleSession(const SessionEnvironment& environment, Connection& connection) : Session(environment, connection) {}
  void finish() { end(AppCode::done, "done", {}); }
};

// A listener and its clients, which get no turn any more once they are connected.
class Listener {
 public:
  explicit Listener(bool keep_open) {
    options_.command = Command::listen;
    options_.keep_open = keep_open;
    reporter_.start([] { return Timestamp{}; });
    auto made = loop_with(hub_, true);
    loop_ = made.get();
    hub_.attach(
        std::move(made),
        [this](const SessionEnvironment& environment, Connection& connection) {
          auto session = std::make_unique<IdleSession>(environment, connection);
          last_session_ = session.get();
          return session;
        },
        0);
  }

  void connect(std::size_t clients) {
    for (std::size_t i = 0; i < clients; ++i) {
      BOOST_REQUIRE(clients_->endpoint()
                        .connect(clients_->now(), loop_->local_address(), loop_->endpoint().public_key())
                        .has_value());
    }
    while (loop_->endpoint().stats().connections_accepted < clients) {
      BOOST_REQUIRE(clients_->process(clients_->now()).has_value());
      turn();
    }
    turn();  // takes what else they have sent, so that a later turn reads nothing and with it no clock
  }

  void turn() { BOOST_REQUIRE(loop_->process(loop_->now()).has_value()); }

  // Whether the run is over, for a loop to which it is `time`. Can be asked once. A loop that has been stopped returns
  // from run() without a turn.
  bool is_over_at(Timestamp time) {
    BOOST_REQUIRE(loop_->process(time).has_value());
    bool goes_on = false;
    loop_->at(Timestamp{}, [&] {
      goes_on = true;
      loop_->stop();
    });
    BOOST_REQUIRE(loop_->run().has_value());
    return !goes_on;
  }

  Hub& hub() { return hub_; }
  EventLoop& loop() { return *loop_; }
  IdleSession& last_session() { return *last_session_; }

 private:
  Options options_;
  Output output_{"mxp-cat", Verbosity::quiet};
  JsonOutput json_ = *JsonOutput::open("", StdoutUse::free, {});
  Reporter reporter_{output_, json_};
  Hub hub_{options_, output_, reporter_};
  EventLoop* loop_ = nullptr;  // the hub's
  IdleSession* last_session_ = nullptr;
  Handler of_clients_;
  std::unique_ptr<EventLoop> clients_ = loop_with(of_clients_, false);
};

// A limit that begins between two readings of the clock: the run goes on just before the limit has passed since the
// first, and is over just after it has passed since the second.
struct Limit {
  Duration limit;
  bool keep_open;
  std::size_t clients;
  void (*begin)(Listener&);
};

void check(const Limit& given) {
  for (const bool past : {false, true}) {
    Listener listener(given.keep_open);
    listener.connect(given.clients);
    const Timestamp before = listener.loop().now();
    given.begin(listener);
    const Timestamp after = listener.loop().now();
    BOOST_TEST(listener.is_over_at(past ? after + given.limit + 1ms : before + given.limit - 1ms) == past);
  }
}

BOOST_AUTO_TEST_SUITE(the_end_of_a_run)

BOOST_AUTO_TEST_CASE(an_interrupted_listener_waits_half_a_second_for_clients_that_do_not_answer) {
  check({.limit = 500ms, .keep_open = true, .clients = 3, .begin = [](Listener& listener) {
           listener.hub().interrupt();
           listener.turn();  // each of them is told with a CLOSE, and its session ends
         }});
}

BOOST_AUTO_TEST_CASE(an_interrupted_listener_of_one_client_waits_as_long) {
  check({.limit = 500ms, .keep_open = false, .clients = 1, .begin = [](Listener& listener) {
           listener.hub().interrupt();
           listener.turn();
         }});
}

// As when the socket takes nothing: then no session hears that its connection has ended.
BOOST_AUTO_TEST_CASE(an_interrupted_listener_waits_half_a_second_for_a_turn_in_which_it_can_say_so) {
  check({.limit = 500ms, .keep_open = true, .clients = 3, .begin = [](Listener& listener) {
           listener.hub().interrupt();
         }});
}

// What the limit of an interruption is shorter than.
BOOST_AUTO_TEST_CASE(a_listener_that_is_done_says_so_again_for_two_seconds) {
  check({.limit = 2s, .keep_open = false, .clients = 1, .begin = [](Listener& listener) {
           listener.last_session().finish();
           listener.turn();
         }});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::tools
