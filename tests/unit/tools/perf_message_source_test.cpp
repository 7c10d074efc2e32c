// What --test mixed sends: half calls, three in ten chunks of streams, two in ten events, whatever holds it up.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <map>

#include "mxp-perf/workloads/message_source.h"
#include "mxp/event_loop.h"

namespace mxp::perf::test {

namespace {

using namespace std::chrono_literals;

struct Counter final : Handler {
  std::map<MessageType, std::uint64_t> counts;
  std::uint64_t total = 0;
  bool on_message(Connection&, const Message& message) override {
    ++counts[message.type];
    ++total;
    return true;
  }
};

// Both ends in this thread.
struct Pair {
  Counter counter;
  Handler nothing;
  std::unique_ptr<EventLoop> server, client;
  Connection* connection = nullptr;

  Pair() {
    server = loop(counter, {.identity = PrivateKey::generate(system_random()), .accept = true});
    client = loop(nothing, {.identity = PrivateKey::generate(system_random())});
    connection = *client->endpoint().connect(client->now(), server->local_address(), server->endpoint().public_key());
    run_until([this] { return connection->state() == ConnectionState::established; });
  }
  static std::unique_ptr<EventLoop> loop(Handler& handler, EndpointConfig config) {
    auto made = EventLoop::create({.bind = SocketAddress::ipv4(127, 0, 0, 1, 0)}, std::move(config), handler);
    BOOST_REQUIRE(made.has_value());
    return *std::move(made);
  }
  template <typename Condition>
  void run_until(const Condition& is_met) {
    for (const Timestamp limit = client->now() + 10s; !is_met() && client->now() < limit;) {
      client->flush();
      BOOST_REQUIRE(server->process(server->now()).has_value());
      BOOST_REQUIRE(client->process(client->now()).has_value());
    }
    BOOST_REQUIRE(is_met());
  }
  void check(std::uint64_t calls, std::uint64_t chunks, std::uint64_t events) {
    run_until([&] { return counter.total >= calls + chunks + events; });
    BOOST_TEST(counter.counts[MessageType::call] == calls);
    BOOST_TEST(counter.counts[MessageType::stream_chunk] == chunks);
    BOOST_TEST(counter.counts[MessageType::event] == events);
    BOOST_TEST(counter.total == calls + chunks + events);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(perf_message_source)

BOOST_AUTO_TEST_CASE(calls_that_wait_for_answers_hold_up_the_others_so_that_the_shares_stay) {
  Pair pair;
  MessageSource source(MessageSource::Mix::mixed, 64, 1000);
  source.fill(*pair.connection, [&] { return pair.client->now(); });
  BOOST_TEST(source.waiting_calls().size() == 1000u);
  BOOST_TEST(source.taken() == 2000u);
  pair.check(1000, 600, 400);

  // The first 500 calls: every second message is one.
  for (std::uint64_t id = 0; id < 1000; id += 2) BOOST_REQUIRE(source.on_answer(id).has_value());
  BOOST_TEST(!source.on_answer(0).has_value());     // a second time
  BOOST_TEST(!source.on_answer(1001).has_value());  // no call
  source.fill(*pair.connection, [&] { return pair.client->now(); });
  pair.check(1500, 900, 600);
}

BOOST_AUTO_TEST_CASE(at_a_rate_what_is_due_has_the_same_shares) {
  Pair pair;
  MessageSource source(MessageSource::Mix::mixed, 64, 1000, Arrivals(ArrivalLaw::fixed, 1000, 1));
  const Timestamp begin = pair.client->now();
  source.begin(begin);
  source.add_connection(*pair.connection);
  BOOST_TEST((source.send_due(begin + 499ms, begin + 500ms) == begin + 500ms));
  BOOST_TEST(source.taken() == 500u);
  BOOST_TEST(source.left_before(begin + 1s) == 500u);
  BOOST_TEST(source.sender_late().percentiles().max == 500e3, boost::test_tools::tolerance(1e-3));
  pair.check(250, 150, 100);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::perf::test
