// Between endpoint and carrier: batches are bounded, order is kept, and a full socket stops the asking.
#include "udp/transmit_queue.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <deque>

#include "unit/udp/udp_support.h"

namespace mxp::test {
namespace {

// Takes what it is told to take.
class ScriptedCarrier final : public Carrier {
 public:
  struct Step {
    std::size_t datagrams;  // taken before the status is answered
    SendStatus status;
  };
  std::deque<Step> script;           // empty: everything is sent
  std::vector<std::size_t> batches;  // runs of each send()
  std::vector<Datagram> sent;

  int fd() const override { return -1; }
  SocketAddress local_address() const override { return {}; }
  CarrierCapabilities capabilities() const override { return {}; }
  const CarrierStats& stats() const override { return stats_; }
  std::optional<TooLarge> poll_too_large() override { return std::nullopt; }
  ReceiveResult receive() override { return {}; }
  std::optional<SocketAddress> poll_unreachable() override { return std::nullopt; }
  SendStatus send(std::span<OutgoingRun> runs) override {
    batches.push_back(runs.size());
    Step step{~std::size_t{0}, SendStatus::all_sent};
    if (!script.empty()) {
      step = script.front();
      script.pop_front();
    }
    for (OutgoingRun& run : runs) {
      while (!run.bytes.empty()) {
        if (step.datagrams == 0) return step.status;
        --step.datagrams;
        const std::size_t size = std::min(run.bytes.size(), run.to.segment_size);
        sent.emplace_back(run.bytes.begin(), run.bytes.begin() + static_cast<std::ptrdiff_t>(size));
        run.bytes = run.bytes.subspan(size);
      }
    }
    return SendStatus::all_sent;
  }

 private:
  CarrierStats stats_;
};

// Gives runs of `bytes` until `left` are given.
struct Source {
  std::size_t left;
  std::size_t bytes;
  std::size_t segment;
  std::size_t asked = 0;
  std::uint32_t seed = 0;
  std::vector<Datagram> given{};

  std::optional<Transmit> operator()(MutableBytes buffer, const TransmitLimits&) {
    ++asked;
    BOOST_REQUIRE(buffer.size() == TransmitQueue::kRunBytes);
    if (left == 0) return std::nullopt;
    --left;
    const Datagram data = pattern(bytes, ++seed);
    std::copy(data.begin(), data.end(), buffer.begin());
    for (Datagram& one : split(data, segment)) given.push_back(std::move(one));
    return Transmit{.remote = kLoopback, .local = {}, .segment_size = segment, .size = bytes};
  }
};

using Result = TransmitQueue::Result;
constexpr std::size_t kNoBudget = ~std::size_t{0};

}  // namespace

BOOST_AUTO_TEST_SUITE(transmit_queue)

BOOST_AUTO_TEST_CASE(a_large_run_leaves_at_once_and_small_ones_together) {
  ScriptedCarrier carrier;
  TransmitQueue queue;
  Source large{3, 60'000, 1200};
  BOOST_TEST((queue.pump(carrier, {}, kNoBudget, large) == Result::idle));
  BOOST_TEST((carrier.batches == std::vector<std::size_t>{1, 1, 1}));
  BOOST_TEST((carrier.sent == large.given));
  carrier.batches.clear();
  carrier.sent.clear();
  Source small{TransmitQueue::kMaxRuns + 5, 100, 100};
  BOOST_TEST((queue.pump(carrier, {}, kNoBudget, small) == Result::idle));
  BOOST_TEST((carrier.batches == std::vector<std::size_t>{TransmitQueue::kMaxRuns, 5}));
  BOOST_TEST((carrier.sent == small.given));
}

BOOST_AUTO_TEST_CASE(runs_of_any_size_fit_and_keep_their_order) {
  for (const std::size_t bytes : {1u, 1199u, 8'000u, 16'383u, 16'384u, 32'000u, 65'507u}) {
    ScriptedCarrier carrier;
    TransmitQueue queue;
    Source source{20, bytes, 1200};
    BOOST_TEST((queue.pump(carrier, {}, kNoBudget, source) == Result::idle));
    BOOST_TEST((carrier.sent == source.given));
    BOOST_TEST(queue.empty());
  }
}

BOOST_AUTO_TEST_CASE(the_budget_bounds_a_turn_and_nothing_waits_behind) {
  ScriptedCarrier carrier;
  TransmitQueue queue;
  Source source{100, 30'000, 1200};
  BOOST_TEST((queue.pump(carrier, {}, 90'000, source) == Result::budget_spent));
  BOOST_TEST(source.asked == 3u);
  BOOST_TEST(queue.empty());
  BOOST_TEST((carrier.sent == source.given));
}

BOOST_AUTO_TEST_CASE(a_full_socket_keeps_the_rest_and_stops_the_asking) {
  for (const auto status : {SendStatus::wait_writable, SendStatus::wait_a_while}) {
    for (std::size_t taken = 0; taken < 50; taken += 7) {
      ScriptedCarrier carrier;
      carrier.script = {{taken, status}, {0, status}};
      TransmitQueue queue;
      Source source{4, 60'000, 1200};  // 50 datagrams each
      const Result blocked = status == SendStatus::wait_writable ? Result::wait_writable : Result::wait_a_while;
      BOOST_TEST((queue.pump(carrier, {}, kNoBudget, source) == blocked));
      BOOST_TEST(source.asked == 1u);
      BOOST_TEST(carrier.sent.size() == taken);
      BOOST_TEST((queue.pump(carrier, {}, kNoBudget, source) == blocked));
      BOOST_TEST(source.asked == 1u);  // still full: not asked
      BOOST_TEST((queue.pump(carrier, {}, kNoBudget, source) == Result::idle));
      BOOST_TEST((carrier.sent == source.given));  // the kept ones first, none lost, none twice
    }
  }
}

BOOST_AUTO_TEST_CASE(a_batch_of_small_runs_goes_on_where_the_socket_stopped) {
  for (std::size_t taken = 0; taken < 20; ++taken) {
    ScriptedCarrier carrier;
    carrier.script = {{taken, SendStatus::wait_writable}};
    TransmitQueue queue;
    Source source{10, 250, 150};  // two datagrams each, the second short
    BOOST_TEST((queue.pump(carrier, {}, kNoBudget, source) == Result::wait_writable));
    BOOST_TEST(!queue.empty());
    BOOST_TEST((queue.pump(carrier, {}, kNoBudget, source) == Result::idle));
    BOOST_TEST((carrier.sent == source.given));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::test
