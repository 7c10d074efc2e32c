// A client of mxp-perf whose server reports what cannot be true: the result rests on what the client saw.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <memory>
#include <thread>

#include "common/output.h"
#include "common/signals.h"
#include "mxp-perf/client.h"
#include "mxp/event_loop.h"

namespace mxp::perf::test {

namespace {

using namespace std::chrono_literals;

// Serves one test, and ends it with this report.
class LyingServer final : public Handler {
 public:
  explicit LyingServer(const ServerReport& report) : report_(report) {
    EndpointConfig config{.identity = PrivateKey::generate(system_random()), .accept = true};
    auto made = EventLoop::create({.bind = SocketAddress::ipv4(127, 0, 0, 1, 0)}, std::move(config), *this);
    BOOST_REQUIRE(made.has_value());
    loop_ = *std::move(made);
    thread_ = std::thread([this] { (void)loop_->run(); });
  }
  ~LyingServer() override {
    loop_->stop();
    thread_.join();
  }
  ClientResult measured(Test test = Test::bulk) {
    Options options;
    options.workload.test = test;
    options.workload.duration = 200ms;
    tools::Output output("mxp-perf", tools::Verbosity::quiet);
    const tools::SignalWatch signals;
    return Client(options, output)
        .run({loop_->local_address()}, loop_->endpoint().public_key(), PrivateKey::generate(system_random()), signals);
  }

  std::size_t on_stream_data(Connection& connection, StreamId id, ByteView data, bool) override {
    if (id.type() == StreamType::unidirectional) return data.size();
    (void)reader_.add(data);
    while (const auto line = reader_.poll_line()) {
      if (parse_request(*line)) send_line(connection, id, to_json(Mark::ready));
      if (is_mark(*line, Mark::end)) send_line(connection, id, to_json(report_));
    }
    return data.size();
  }

 private:
  const ServerReport report_;
  ControlReader reader_;
  std::unique_ptr<EventLoop> loop_;
  std::thread thread_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(perf_lying_server)

BOOST_AUTO_TEST_CASE(a_report_that_can_be_true_is_believed) {
  const ClientResult result = LyingServer({.bytes = 1000, .first_ns = 0, .last_ns = 1'000'000}).measured();
  BOOST_TEST(!result.error.has_value());
  BOOST_REQUIRE(result.result.has_value());
  BOOST_TEST(result.result->bytes == 1000u);
}

BOOST_AUTO_TEST_CASE(a_report_of_more_than_was_sent_is_an_error_beside_what_the_client_saw) {
  constexpr std::uint64_t kClaimed = std::uint64_t{1} << 50;
  const ClientResult result = LyingServer({.bytes = kClaimed, .first_ns = 0, .last_ns = 1'000'000}).measured();
  BOOST_REQUIRE(result.error.has_value());
  BOOST_TEST((result.error->kind == tools::ErrorKind::peer));
  BOOST_TEST(result.error->message.find("report cannot be true") != std::string::npos, result.error->message);
  BOOST_REQUIRE(result.result.has_value());
  BOOST_TEST(result.result->bytes > 0u);
  BOOST_TEST(result.result->bytes < kClaimed);
  BOOST_TEST(!result.result->server_cpu_seconds.has_value());
}

BOOST_AUTO_TEST_CASE(messages_that_were_acknowledged_and_not_received_are_an_error_beside_the_result) {
  const MessageReport one{.received = 1, .counted = 0, .latency_us = {}};
  const ClientResult result =
      LyingServer({.bytes = 0, .first_ns = 0, .last_ns = 1'000'000, .messages = one}).measured(Test::messages);
  BOOST_REQUIRE(result.error.has_value());
  BOOST_TEST((result.error->kind == tools::ErrorKind::network));
  BOOST_TEST(result.error->message.find(" messages lost: acknowledged") != std::string::npos, result.error->message);
  BOOST_REQUIRE(result.result.has_value());
  BOOST_TEST(result.result->messages->received.value() == 1u);
  BOOST_TEST(result.result->messages->delivered > 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::perf::test
