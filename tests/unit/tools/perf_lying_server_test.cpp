// A client of mxp-perf whose server reports what cannot be true: the result rests on what the client saw.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <memory>
#include <thread>

#include "common/observe/observation.h"
#include "common/output.h"
#include "common/signals.h"
#include "mxp-perf/client/client.h"
#include "mxp/event_loop.h"

namespace mxp::perf::test {

namespace {

using namespace std::chrono_literals;

// Serves one test, and ends it with this report.
class LyingServer final : public Handler {
 public:
  // Which calls it answers, and how.
  enum class Calls : std::uint8_t { ignored, every_other_one_twice };

  explicit LyingServer(const ServerReport& report, Calls calls = Calls::ignored) : report_(report), calls_(calls) {
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
    options.workload.calls_per_second = test == Test::isolation ? 1000 : 0;
    options.workload.messages_per_second = test == Test::mixed ? 1000 : 0;
    tools::Output output("mxp-perf", tools::Verbosity::quiet);
    const tools::SignalWatch signals;
    const auto observation = tools::Observation::create({}, "mxp-perf", output);
    BOOST_REQUIRE(observation.has_value());
    return Client(options, output)
        .run({loop_->local_address()}, loop_->endpoint().public_key(), PrivateKey::generate(system_random()), signals,
             **observation);
  }

  bool on_message(Connection& connection, const Message& message) override {
    if (message.type != MessageType::call || calls_ == Calls::ignored || message.id % 4 >= 2) return true;
    const Message answer{.type = MessageType::response, .id = message.id, .payload = message.payload};
    for (int i = 0; i < 2; ++i) (void)connection.send_message(answer);
    return true;
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
  const Calls calls_;
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
  BOOST_TEST(!result.result->server.has_value());
}

BOOST_AUTO_TEST_CASE(messages_that_were_acknowledged_and_not_received_are_an_error_beside_the_result) {
  const MessageReport one{.received = 1, .counted = 0, .latencies = {}};
  const ClientResult result =
      LyingServer({.bytes = 0, .first_ns = 0, .last_ns = 1'000'000, .messages = one}).measured(Test::messages);
  BOOST_REQUIRE(result.error.has_value());
  BOOST_TEST((result.error->kind == tools::ErrorKind::network));
  BOOST_TEST(result.error->message.find(" messages lost: acknowledged") != std::string::npos, result.error->message);
  BOOST_REQUIRE(result.result.has_value());
  BOOST_TEST(result.result->messages->received.value() == 1u);
  BOOST_TEST(result.result->messages->delivered > 1u);
}

BOOST_AUTO_TEST_CASE(calls_without_an_answer_count_with_their_wait_and_answers_count_once) {
  const ClientResult result = LyingServer({}, LyingServer::Calls::every_other_one_twice).measured(Test::isolation);
  BOOST_REQUIRE(result.result.has_value());
  // 200 ms of 1000 calls a second.
  BOOST_TEST(result.result->calls->due == 200u);
  BOOST_TEST(result.result->calls->answered == 100u);
  BOOST_TEST(result.result->calls->unanswered == 100u);
  // The last answers are waited for three seconds long; every other call of either half has waited so, too.
  for (const auto& latency : {result.result->alone_latency_us, result.result->latency_us}) {
    BOOST_REQUIRE(latency.has_value());
    BOOST_TEST(latency->p90 > 2.9e6);
  }
}

BOOST_AUTO_TEST_CASE(calls_of_a_mix_without_an_answer_count_with_their_wait) {
  const ClientResult result = LyingServer({}, LyingServer::Calls::every_other_one_twice).measured(Test::mixed);
  BOOST_REQUIRE(result.result.has_value());
  BOOST_TEST(result.result->messages->taken == 200u);  // of which 100 are calls, and 50 are answered
  BOOST_REQUIRE(result.result->latency_us.has_value());
  BOOST_TEST(result.result->latency_us->p90 > 2.9e6);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::perf::test
