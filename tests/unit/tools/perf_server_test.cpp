// mxp-perf server and what comes to it in another order than it was sent.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "mxp-perf/server.h"
#include "mxp/event_loop.h"

namespace mxp::perf::test {

namespace {

using namespace std::chrono_literals;

// A client that does by hand what a test needs. Both loops run in this thread, in turn.
class Scene final : public Handler {
 public:
  Scene() : server_loop_(made(server_, {.accept = true})), client_loop_(made(*this, {.accept = false})) {
    server_.attach(*server_loop_);
    client_ = *client_loop_->endpoint().connect(client_loop_->now(), server_loop_->local_address(),
                                                server_loop_->endpoint().public_key());
    BOOST_REQUIRE(run_until([this] { return client_->state() == ConnectionState::established; }));
    control_ = *client_->open_stream(StreamType::bidirectional);
  }
  Connection& client() { return *client_; }
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
  void on_closed(Connection&, const CloseInfo& info) override { closed_ = info.reason; }

 private:
  struct Setup {
    bool accept;
  };
  static std::unique_ptr<EventLoop> made(Handler& handler, Setup setup) {
    EndpointConfig config{.identity = PrivateKey::generate(system_random()), .accept = setup.accept};
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
};

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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::perf::test
