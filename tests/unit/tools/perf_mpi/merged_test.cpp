// One result of those of several ranks, on results whose sum is known.
#include "mxp-perf-mpi/merged.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <random>
#include <vector>

#include "unit/tools/perf_mpi/made_outcomes.h"

using namespace mxp::perf_mpi;
using namespace mxp::perf_mpi::test;
namespace perf = mxp::perf;
using boost::test_tools::tolerance;
using mxp::Duration;

namespace {

// So many calls in two seconds, answered after the times in `latency`.
perf::Result calls(std::uint64_t answered, const perf::HdrHistogram& latency, double late_seconds = 0) {
  perf::Result result = made_result(perf::Test::rr, late_seconds);
  result.seconds = 2;
  result.wall_seconds = 2;
  result.bytes = answered * 64;
  result.messages_per_second = static_cast<double>(answered) / 2;
  result.calls = perf::CallCounts{.asked_per_second = 100,
                                  .rate_kept = true,
                                  .due = answered + 3,
                                  .answered = answered,
                                  .unanswered = 2,
                                  .failed = 1};
  result.histograms = {{"latency", latency}, {"service_time", latency}};
  if (latency.count() > 0) result.latency_us = perf::percentiles_us(latency);
  return result;
}

perf::ProcessFigures figures(std::uint64_t n, double cpu_seconds) {
  return {.cpu_seconds = cpu_seconds,
          .waited_seconds = cpu_seconds / 2,
          .spins = false,
          .datagrams_sent = 10 * n,
          .send_calls = n,
          .sends_blocked = n + 1,
          .datagrams_received = 6 * n,
          .receive_calls = 2 * n,
          .receive_overflows = n + 2};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(perf_mpi_merged)

BOOST_AUTO_TEST_CASE(counts_add_up_and_rates_are_those_of_all) {
  const auto latency = values({{50'000, 10}});
  const auto options = made_options(perf::Test::rr);
  const auto merged =
      merge_outcomes(options, made_outcomes({calls(200, latency), calls(100, latency), calls(60, latency)}, options));
  BOOST_REQUIRE(merged.has_value());
  const perf::CallCounts& counts = merged->result.calls.value();
  BOOST_TEST(counts.answered == 360u);
  BOOST_TEST(counts.due == 369u);
  BOOST_TEST(counts.unanswered == 6u);
  BOOST_TEST(counts.failed == 3u);
  BOOST_TEST(counts.asked_per_second.value() == 300);
  BOOST_TEST(counts.rate_kept.value());
  const auto& result = merged->document.at("result");
  BOOST_TEST(result.at("messages_per_second").get<double>() == 180, tolerance(1e-9));
  BOOST_TEST(result.at("seconds").get<double>() == 2, tolerance(1e-9));
  BOOST_TEST(result.at("bytes") == 360 * 64);
  BOOST_TEST(!result.contains("goodput_bits_per_second"));
  BOOST_TEST(merged->document.at("config").at("connections") == 1);
}

BOOST_AUTO_TEST_CASE(a_rank_that_began_late_makes_the_time_of_all_longer) {
  const auto latency = values({{50'000, 10}});
  const auto options = made_options(perf::Test::rr);
  const auto merged = merge_outcomes(options, made_outcomes({calls(200, latency), calls(200, latency, 0.5)}, options));
  BOOST_TEST(merged.value().result.messages_per_second.value() == 400 / 2.5, tolerance(1e-6));
  BOOST_TEST(merged->result.seconds == 2.5, tolerance(1e-6));
  // Each kept its share, but a quarter of the time there was only one.
  BOOST_TEST(merged->document.at("result").at("rate_kept") == false);
}

BOOST_AUTO_TEST_CASE(a_rate_that_was_kept_is_not_less_for_a_moments_delay) {
  const auto latency = values({{50'000, 10}});
  const auto options = made_options(perf::Test::rr);
  const auto merged = merge_outcomes(options, made_outcomes({calls(200, latency), calls(200, latency, 0.03)}, options));
  BOOST_TEST(merged.value().document.at("result").at("rate_kept") == true);
  BOOST_TEST(merged->result.messages_per_second.value() == 200);
  BOOST_TEST(merged->result.seconds == 2.03, tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(a_rate_is_not_kept_by_ranks_whose_clocks_moved_apart) {
  const auto latency = values({{50'000, 10}});
  const auto options = made_options(perf::Test::rr);
  auto outcomes = made_outcomes({calls(200, latency), calls(200, latency)}, options);
  outcomes[1].clock_error_seconds = 0.01;
  BOOST_TEST(merge_outcomes(options, outcomes).value().document.at("result").at("rate_kept") == true);
  outcomes[1].clock_error_seconds = 0.05;  // of two seconds
  BOOST_TEST(merge_outcomes(options, outcomes).value().document.at("result").at("rate_kept") == false);
}

BOOST_AUTO_TEST_CASE(a_rate_that_one_rank_missed_is_missed) {
  const auto latency = values({{50'000, 10}});
  const auto options = made_options(perf::Test::rr);
  perf::Result missed = calls(200, latency);
  missed.calls->rate_kept = false;
  const auto merged = merge_outcomes(options, made_outcomes({calls(200, latency), missed}, options));
  BOOST_TEST(merged.value().document.at("result").at("rate_kept") == false);
}

// The median of all is in neither of the medians: it is that of the values.
BOOST_AUTO_TEST_CASE(percentiles_are_those_of_all_values_together) {
  const auto fast = values({{1'000, 99}, {2'000, 1}}), slow = values({{1'500, 1}, {9'000'000, 102}});
  const auto options = made_options(perf::Test::rr);
  const auto merged = merge_outcomes(options, made_outcomes({calls(100, fast), calls(103, slow)}, options));
  perf::HdrHistogram all = fast;
  BOOST_REQUIRE(all.add(slow).has_value());
  BOOST_REQUIRE(merged.value().log.histograms.size() == 2u);
  BOOST_TEST((merged->log.histograms[0].histogram == all));
  BOOST_TEST(merged->document.at("result").at("latency_us") == to_json(perf::percentiles_us(all)));
  BOOST_TEST(merged->result.latency_us->p50 >= 9000);
  BOOST_TEST(merged->result.latency_us->p50 < 9010);
  BOOST_TEST(merged->result.service_time_us->p50 == merged->result.latency_us->p50);
}

// Four ranks that shared the values, and one that recorded them all, write the same.
BOOST_AUTO_TEST_CASE(what_the_sender_was_late_and_the_delays_of_each_way_are_as_of_one_that_recorded_everything) {
  const auto options = made_options(perf::Test::rr);
  std::vector<perf::Result> ranks(4, made_result(perf::Test::rr));
  std::vector<perf::HdrHistogram> late(5), to_server(5), to_client(5);
  std::mt19937_64 random(5);
  for (unsigned i = 0; i != 10'000; ++i)
    for (auto* each : {&late, &to_server, &to_client}) {
      // From a nanosecond to a second, those of the last rank in the tail of all.
      const std::uint64_t value = (std::uint64_t{1} << (random() % 30)) + random() % 100;
      const std::size_t rank = value > (1u << 27) ? 3 : random() % 4;
      for (const std::size_t where : {rank, std::size_t{4}}) (*each)[where].record(value);
    }
  const auto fill = [&](perf::Result& result, std::size_t i, double error_bound) {
    result.one_way = perf::OneWayDelay{.to_server = to_server[i],
                                       .to_client = to_client[i],
                                       .clock_offset_us = static_cast<double>(i),
                                       .error_bound_us = error_bound,
                                       .probes = to_server[i].count()};
    result.sender_late_us = perf::percentiles_us(late[i]);
    result.histograms = {{"sender_late", late[i]}, {"to_server", to_server[i]}, {"to_client", to_client[i]}};
  };
  for (std::size_t rank = 0; rank != 4; ++rank) fill(ranks[rank], rank, rank == 2 ? 30 : 5);
  perf::Result everything = made_result(perf::Test::rr);
  fill(everything, 4, 30);
  const auto merged = merge_outcomes(options, made_outcomes(ranks, options)).value().document;
  auto alone = to_json(everything);
  BOOST_TEST(alone["result"]["one_way_us"].erase("clock_offset") == 1u);  // which several do not have together
  BOOST_TEST(merged.at("result").at("one_way_us") == alone.at("result").at("one_way_us"));
  BOOST_TEST(merged.at("result").at("sender_late_us") == alone.at("result").at("sender_late_us"));
  BOOST_TEST(merged.at("histograms") == alone.at("histograms"));
}

BOOST_AUTO_TEST_CASE(a_rank_without_values_takes_part_with_its_counts) {
  const auto options = made_options(perf::Test::rr);
  const perf::Result none = calls(0, values({}));
  const auto merged = merge_outcomes(options, made_outcomes({calls(100, values({{1'000, 100}})), none}, options));
  BOOST_TEST(merged.value().result.calls->unanswered == 4u);
  BOOST_TEST(merged->log.histograms[0].histogram.count() == 100u);
  BOOST_TEST(merged->result.messages_per_second.value() == 50, tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(histograms_that_do_not_add_up_are_an_error) {
  const auto options = made_options(perf::Test::rr);
  perf::HdrHistogram coarse(2);
  coarse.record(1'000, 5);
  const auto merged =
      merge_outcomes(options, made_outcomes({calls(5, values({{1'000, 5}})), calls(5, coarse)}, options));
  BOOST_REQUIRE(!merged.has_value());
  BOOST_TEST(
      merged.error().message ==
      "the ranks' histograms: rr.latency: one has values of 3 figures, the other of 2: their bins do not add up");
  auto outcomes = made_outcomes({calls(5, values({{1'000, 5}})), calls(5, values({{1'000, 5}}))}, options);
  outcomes[1].hlog = "no log";
  BOOST_TEST(merge_outcomes(options, outcomes).error().message.starts_with("rank 1: "));
}

BOOST_AUTO_TEST_CASE(a_document_that_is_none_is_an_error) {
  const auto options = made_options(perf::Test::rr);
  auto outcomes = made_outcomes({calls(5, values({{1'000, 5}})), calls(5, values({{1'000, 5}}))}, options);
  outcomes[1].document["result"]["bytes"] = -1;
  BOOST_TEST(merge_outcomes(options, outcomes).error().message.starts_with("a rank's result is none: "));
  outcomes[1].document["result"]["bytes"] = 1;
  outcomes[1].document.erase("verdict");
  BOOST_TEST(!merge_outcomes(options, outcomes).has_value());
}

BOOST_AUTO_TEST_CASE(datagrams_of_all_keep_the_rate_where_those_of_each_do) {
  const auto options = made_options(perf::Test::datagrams);
  const auto sent = [](std::uint64_t delivered, std::optional<std::uint64_t> overtaken, bool kept) {
    perf::Result result = made_result(perf::Test::datagrams);
    result.seconds = 4;
    result.bytes = delivered * 1000;
    result.goodput_bits_per_second = static_cast<double>(result.bytes) * 2;
    result.messages_per_second = static_cast<double>(delivered) / 4;
    result.datagrams = perf::DatagramCounts{.asked_per_second = 100,
                                            .rate_kept = kept,
                                            .sent = 400,
                                            .delivered = delivered,
                                            .not_sent = 7,
                                            .overtaken = overtaken};
    return result;
  };
  const auto both = merge_outcomes(options, made_outcomes({sent(400, 1, true), sent(396, 2, true)}, options));
  const auto& result = both.value().document.at("result");
  BOOST_TEST(result.at("rate_kept") == true);
  BOOST_TEST(result.at("datagrams").at("sent") == 800);
  BOOST_TEST(result.at("datagrams").at("delivered") == 796);
  BOOST_TEST(result.at("datagrams").at("delivered_share").get<double>() == 796.0 / 800);
  BOOST_TEST(result.at("datagrams").at("not_sent") == 14);
  BOOST_TEST(result.at("datagrams").at("overtaken") == 3);
  BOOST_TEST(result.at("datagrams").at("asked_per_second") == 200);
  BOOST_TEST(result.at("messages_per_second").get<double>() == 199, tolerance(1e-9));
  BOOST_TEST(result.at("goodput_bits_per_second").get<double>() == 199 * 8000, tolerance(1e-9));
  const auto one = merge_outcomes(options, made_outcomes({sent(400, 1, true), sent(200, {}, false)}, options));
  BOOST_TEST(one.value().document.at("result").at("rate_kept") == false);
  // The server's report of one rank is missing.
  BOOST_TEST(!one->document.at("result").at("datagrams").contains("overtaken"));
}

BOOST_AUTO_TEST_CASE(messages_are_counted_by_their_bytes) {
  auto options = made_options(perf::Test::messages);
  options.workload.size = 100;
  perf::Result sent = made_result(perf::Test::messages);
  sent.seconds = 2;
  sent.bytes = 100 * 50;
  sent.messages_per_second = 25;
  sent.goodput_bits_per_second = 20'000;
  sent.messages = perf::MessageCounts{.taken = 60, .delivered = 55, .expired = 3, .unknown = 2, .received = 50};
  const auto merged = merge_outcomes(options, made_outcomes({sent, sent}, options));
  BOOST_TEST(merged.value().result.messages_per_second.value() == 50, tolerance(1e-9));
  BOOST_TEST(merged->result.messages->taken == 120u);
  BOOST_TEST(merged->result.messages->expired == 6u);
  BOOST_TEST(merged->result.messages->unknown == 4u);
  BOOST_TEST(merged->result.messages->received.value() == 100u);
}

BOOST_AUTO_TEST_CASE(sockets_and_processor_time_add_up_of_the_ranks_and_not_of_the_server) {
  const auto options = made_options(perf::Test::bulk);
  std::vector<perf::Result> results;
  for (const unsigned n : {1u, 2u, 3u}) {
    perf::Result one = made_result(perf::Test::bulk);
    one.client = figures(n, n);
    one.server = figures(100 + n, 10 - n);  // of one process: each saw a part of it
    one.answers = n;
    one.held_seconds = 0.5;
    results.push_back(one);
  }
  const auto document = merge_outcomes(options, made_outcomes(results, options)).value().document;
  const auto& client = document.at("socket").at("client");
  BOOST_TEST(client.at("datagrams_sent") == 60);
  BOOST_TEST(client.at("datagrams_received") == 36);
  BOOST_TEST(client.at("sends_blocked") == 9);
  BOOST_TEST(client.at("receive_overflows") == 12);
  BOOST_TEST(client.at("datagrams_per_send") == 10);
  BOOST_TEST(client.at("datagrams_per_receive") == 3);
  BOOST_TEST(document.at("socket").at("server").at("datagrams_sent") == 1010);
  BOOST_TEST(document.at("cpu").at("client_seconds") == 6);
  BOOST_TEST(document.at("cpu").at("client_waited_seconds") == 3);
  BOOST_TEST(document.at("cpu").at("server_seconds") == 9);
  BOOST_TEST(document.at("result").at("server_time_us").at("mean") == 250'000);
}

BOOST_AUTO_TEST_CASE(transport_is_that_of_all_connections) {
  using namespace std::chrono_literals;
  const auto options = made_options(perf::Test::bulk);
  perf::Result a = made_result(perf::Test::bulk), b = a;
  const auto set = [](perf::TransportTotals& totals, unsigned connections, std::uint64_t packets, Duration rtt) {
    totals.connections = connections;
    totals.packets_sent = packets;
    totals.min_rtt = rtt;
    totals.smoothed_rtt = 2 * rtt;
  };
  set(a.transport, 1, 5, 2ms);
  set(b.transport, 2, 7, 1ms);
  set(a.server_transport, 1, 100, 0ms);
  set(b.server_transport, 2, 50, 4ms);
  a.transport.datagram_bytes = 1400;
  b.transport.datagram_bytes = 1450;
  a.transport.handshake_time = 6ms;
  b.transport.handshake_time = 3ms;
  a.transport.blocked[1] = 10ms;
  b.transport.blocked[1] = 5ms;
  b.transport.blocked[2] = 1ms;
  const auto document = merge_outcomes(options, made_outcomes({a, b}, options)).value().document;
  const auto& transport = document.at("transport");
  BOOST_TEST(transport.at("connections") == 3);
  BOOST_TEST(transport.at("packets_sent") == 12);
  BOOST_TEST(transport.at("datagram_bytes") == 1450);
  BOOST_TEST(transport.at("min_rtt_us") == 1000);
  BOOST_TEST(transport.at("handshake_us") == 4000);
  BOOST_TEST(!transport.contains("smoothed_rtt_us"));
  std::vector<double> blocked;
  for (const auto& [reason, ms] : transport.at("blocked_ms").items()) blocked.push_back(ms.get<double>());
  std::ranges::sort(blocked);
  BOOST_TEST((blocked == std::vector<double>{1, 15}));
  BOOST_TEST(document.at("server_transport").at("packets_sent") == 150);
  BOOST_TEST(document.at("server_transport").at("min_rtt_us") == 4000);
}

BOOST_AUTO_TEST_CASE(intervals_are_sums_where_all_ranks_have_the_same) {
  const auto options = made_options(perf::Test::bulk);
  perf::Result a = made_result(perf::Test::bulk), b = a;
  a.intervals = {{.begin_seconds = 0, .end_seconds = 1, .per_second = 1000}};
  b.intervals = {{.begin_seconds = 0, .end_seconds = 1, .per_second = 500}};
  const auto same = merge_outcomes(options, made_outcomes({a, b}, options)).value().document;
  BOOST_REQUIRE(same.at("intervals").size() == 1u);
  BOOST_TEST(same.at("intervals")[0].at("goodput_bits_per_second").get<double>() == 12'000, tolerance(1e-9));
  b.intervals[0].end_seconds = 2;
  BOOST_TEST(!merge_outcomes(options, made_outcomes({a, b}, options)).value().document.contains("intervals"));
}

BOOST_AUTO_TEST_CASE(a_verdict_is_that_of_all_or_none) {
  const auto options = made_options(perf::Test::bulk);
  perf::Result a = made_result(perf::Test::bulk), b = a;
  const auto agree = merge_outcomes(options, made_outcomes({a, b}, options)).value().document;
  BOOST_TEST(agree.at("verdict") == "tool");
  BOOST_TEST(agree.at("verdict_reason") == "the client");
  BOOST_TEST(!agree.contains("noise"));
  b.verdict = perf::Verdict::network;
  b.noise.reason = "others had the processors";
  const auto differ = merge_outcomes(options, made_outcomes({a, b}, options)).value().document;
  BOOST_TEST(differ.at("verdict") == "none");
  BOOST_TEST(differ.at("verdict_reason") == "the ranks differ: rank 0 tool, rank 1 network");
  BOOST_TEST(differ.at("noise").at("too_noisy") == true);
}

BOOST_AUTO_TEST_SUITE_END()
