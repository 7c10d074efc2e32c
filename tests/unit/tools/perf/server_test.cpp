// mxp-perf server, what comes to it in another order than it was sent, and clients that lie.
#include "mxp-perf/server.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "mxp/event_loop.h"

namespace mxp::perf::test {

namespace {

using namespace std::chrono_literals;

// A client that does by hand what a test needs. Both loops run in this thread, in turn.
class Scene final : public Handler {
 public:
  explicit Scene(const ServerLimits& limits = {}, const Patience& patience = {})
      : server_(limits, patience),
        server_loop_(made(server_, {.accept = true})),
        client_loop_(made(*this, {.accept = false})) {
    server_.attach(*server_loop_);
    client_ = *client_loop_->endpoint().connect(client_loop_->now(), server_loop_->local_address(),
                                                server_loop_->endpoint().public_key());
    BOOST_REQUIRE(run_until([this] { return client_->state() == ConnectionState::established; }));
    control_ = *client_->open_stream(StreamType::bidirectional);
  }
  Connection& client() { return *client_; }
  Timestamp now() const { return client_loop_->now(); }
  StreamId control() const { return control_; }
  const std::vector<std::string>& lines() const { return lines_; }
  const std::optional<std::string>& closed() const { return closed_; }

  template <typename Condition>
  bool run_until(const Condition& is_met) {
    for (const Timestamp limit = client_loop_->now() + 10s; !is_met() && client_loop_->now() < limit;) turn();
    return is_met();
  }
  // Until the server has acknowledged everything, so that it has been told of it.
  bool run_until_acknowledged(std::uint64_t stream_bytes) {
    return run_until([&] { return closed_ || client_->stats().stream_bytes_acknowledged >= stream_bytes; });
  }

  std::size_t on_stream_data(Connection&, StreamId, ByteView data, bool) override {
    (void)reader_.add(data);
    while (const auto line = reader_.poll_line()) lines_.push_back(*line);
    return data.size();
  }
  void on_closed(Connection&, const CloseInfo& info) override {
    closed_ = info.reason;
    code_ = info.code;
  }
  // Asks for a test, and waits until the server is ready for it.
  void ask(const Workload& workload) {
    send_line(client(), control_, request_of(workload));
    BOOST_REQUIRE(run_until([this] { return lines_.size() == 1; }));
    BOOST_REQUIRE(is_mark(lines_[0], Mark::ready));
  }
  // Until the server has closed the connection because of what the client does, which it does again and again.
  template <typename Action>
  std::string refused_for(const Action& again) {
    BOOST_REQUIRE(run_until([&] {
      if (!closed_) again();
      return closed_.has_value();
    }));
    BOOST_TEST(code_ == static_cast<AppErrorCode>(AppCode::too_much));
    return *closed_;
  }

 private:
  struct Setup {
    bool accept;
  };
  static std::unique_ptr<EventLoop> made(Handler& handler, Setup setup) {
    EndpointConfig config{.identity = PrivateKey::generate(system_random()), .accept = setup.accept};
    config.transport.datagrams.max_payload = kLargestDatagram;
    auto loop = EventLoop::create({.bind = SocketAddress::ipv4(127, 0, 0, 1, 0)}, std::move(config), handler);
    BOOST_REQUIRE(loop.has_value());
    return *std::move(loop);
  }
  void turn() {
    client_loop_->flush();
    BOOST_REQUIRE(server_loop_->process(server_loop_->now()).has_value());
    BOOST_REQUIRE(client_loop_->process(client_loop_->now()).has_value());
  }

  Server server_;
  std::unique_ptr<EventLoop> server_loop_, client_loop_;
  Connection* client_ = nullptr;
  StreamId control_;
  ControlReader reader_;
  std::vector<std::string> lines_;
  std::optional<std::string> closed_;
  std::uint64_t code_ = 0;
};

std::shared_ptr<RateGate> gate_of(Accounts& accounts, const PublicKey& key, std::uint64_t run) {
  const auto client = accounts.open(key, {.run = run}, {}, Timestamp(), {.max_bits_per_second = 8e6});
  BOOST_REQUIRE(client != nullptr);
  return client->gate;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(perf_server)

BOOST_AUTO_TEST_CASE(data_that_overtake_the_line_which_begins_the_test_wait_for_it_and_count) {
  Scene scene;
  const Workload workload{.test = Test::bulk, .duration = 10s};
  std::uint64_t sent = send_line(scene.client(), scene.control(), request_of(workload));
  BOOST_REQUIRE(scene.run_until([&] { return scene.lines().size() == 1; }));
  BOOST_REQUIRE(is_mark(scene.lines()[0], Mark::ready));

  const StreamId streams[] = {*scene.client().open_stream(StreamType::unidirectional),
                              *scene.client().open_stream(StreamType::unidirectional)};
  const std::vector<std::uint8_t> data(1000);
  for (const int round : {1, 2, 3}) {
    BOOST_TEST_CONTEXT("round " << round) {
      for (const StreamId id : streams) sent += scene.client().write(id, data).value_or(0);
      BOOST_REQUIRE(scene.run_until_acknowledged(sent));
      BOOST_REQUIRE(!scene.closed().has_value());
    }
  }
  sent += send_line(scene.client(), scene.control(), to_json(Mark::begin));
  BOOST_REQUIRE(scene.run_until_acknowledged(sent));
  sent += scene.client().write(streams[0], data).value_or(0);  // the first piece of all only starts the clock
  BOOST_REQUIRE(scene.run_until_acknowledged(sent));
  send_line(scene.client(), scene.control(), to_json(Mark::end));
  BOOST_REQUIRE(scene.run_until([&] { return scene.lines().size() == 2 || scene.closed(); }));
  BOOST_REQUIRE(scene.lines().size() == 2u);
  const auto report = parse_report(scene.lines()[1]);
  BOOST_REQUIRE(report.has_value());
  BOOST_TEST(report->bytes >= 4000u);  // all but that first piece, which had up to 3000
}

BOOST_AUTO_TEST_CASE(data_without_any_request_are_refused) {
  Scene scene;
  const std::vector<std::uint8_t> data(1000);
  const StreamId id = *scene.client().open_stream(StreamType::unidirectional);
  BOOST_REQUIRE(scene.client().write(id, data).has_value());
  BOOST_REQUIRE(scene.run_until([&] { return scene.closed().has_value(); }));
  BOOST_TEST(*scene.closed() == "data before a request");
}

BOOST_AUTO_TEST_CASE(a_client_that_never_begins_loses_its_place) {
  Scene scene({}, {.begin = 1ms});
  scene.ask({.test = Test::bulk, .duration = 10s});
  BOOST_TEST(scene.refused_for([] {}) == "the test did not begin in time");
}

BOOST_AUTO_TEST_CASE(a_client_that_said_how_long_it_waits_keeps_its_place_so_long) {
  Scene scene({}, {.begin = 1ms});
  scene.ask({.test = Test::bulk, .duration = 10s, .wait = 1h});
  const Timestamp until = scene.now() + 300ms;
  BOOST_REQUIRE(scene.run_until([&] { return scene.now() > until || scene.closed(); }));
  BOOST_TEST(!scene.closed().has_value());
}

BOOST_AUTO_TEST_CASE(a_wait_is_part_of_the_request_within_bounds) {
  nlohmann::json request = request_of({.wait = 5s});
  BOOST_REQUIRE(parse_request(request.dump()).has_value());
  BOOST_TEST(parse_request(request.dump())->wait.count() == Duration(5s).count());
  BOOST_TEST(parse_request(request_of({}).dump())->wait.count() == 0);
  for (const std::int64_t wait : {std::int64_t{-1}, kMaxDuration.count() + 1}) {
    request["wait_ns"] = wait;
    BOOST_TEST(!parse_request(request.dump()).has_value());
  }
}

BOOST_AUTO_TEST_CASE(a_wait_that_is_longer_than_a_test_may_be_is_refused) {
  Scene scene({.max_time = 1s});
  send_line(scene.client(), scene.control(), request_of({.duration = 1s, .wait = 2s}));
  const std::string says = scene.refused_for([] {});
  BOOST_TEST(says.starts_with("a wait of 2.00 s for --start-at is longer than this server allows"), says);
}

BOOST_AUTO_TEST_CASE(a_client_that_goes_on_after_its_test_is_refused) {
  const std::vector<std::uint8_t> data(1000);
  for (const Test test : {Test::bulk, Test::rr, Test::mixed}) {
    BOOST_TEST_CONTEXT(to_string(test)) {
      Scene scene({}, {.end = 1ms});
      scene.ask({.test = test, .duration = 20ms, .size = 1000});
      send_line(scene.client(), scene.control(), to_json(Mark::begin));
      const StreamId id =
          *scene.client().open_stream(test == Test::rr ? StreamType::bidirectional : StreamType::unidirectional);
      const std::string says = scene.refused_for([&] {
        if (test == Test::mixed) (void)scene.client().send_message({.type = MessageType::event, .payload = data});
        else (void)scene.client().write(id, data);
      });
      BOOST_TEST(says == "the time of the test is over, and the client goes on");
    }
  }
}

BOOST_AUTO_TEST_CASE(datagrams_beyond_the_rate_that_the_request_said_are_refused) {
  Scene scene({.max_bits_per_second = 80e3});
  scene.ask({.test = Test::datagrams, .duration = 1h, .size = 100, .calls_per_second = 10});
  const std::vector<std::uint8_t> data(1000);
  BOOST_TEST(scene.refused_for([&] { (void)scene.client().send_datagram(data); }) ==
             "more datagrams than this server allows");
}

BOOST_AUTO_TEST_CASE(datagrams_that_waited_in_a_queue_are_no_higher_rate) {
  RateGate gate(10'000);
  Timestamp now(1h);
  for (int second = 0; second != 100; ++second, now += 1s)
    for (int i = 0; i != 10; ++i) BOOST_TEST(gate.owe(now, 1000, 2s));
  int passed = 0;
  while (passed < 100 && gate.owe(now, 1000, 2s)) ++passed;
  BOOST_TEST(passed < 25);
}

BOOST_AUTO_TEST_CASE(all_runs_of_a_key_share_one_rate) {
  Accounts accounts;
  const PublicKey key = PrivateKey::generate(system_random()).public_key();
  const auto first = gate_of(accounts, key, 1);
  BOOST_REQUIRE(first != nullptr);
  BOOST_TEST(gate_of(accounts, key, 2) == first);
  BOOST_TEST(gate_of(accounts, PrivateKey::generate(system_random()).public_key(), 1) != first);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::perf::test
