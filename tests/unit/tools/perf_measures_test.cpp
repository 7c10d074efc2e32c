// What mxp-perf counts, and what its connections may hold: the parts that a test over a socket cannot pin down.
#include <boost/test/unit_test.hpp>

#include "mxp-perf/memory.h"
#include "mxp-perf/result.h"
#include "mxp-perf/workloads/bulk.h"
#include "mxp-perf/workloads/latency_histogram.h"

using namespace mxp;
using namespace mxp::perf;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(perf_measures)

BOOST_AUTO_TEST_CASE(the_meter_counts_what_comes_within_the_duration) {
  const Timestamp start = Timestamp{} + 5s;
  BulkMeter meter(0s, 10s);
  BOOST_TEST(!meter.closes().has_value());
  meter.on_bytes(start, 1000);  // opens the measurement
  meter.on_bytes(start + 4s, 100);
  meter.on_bytes(start + 10s, 10);
  meter.on_bytes(start + 10s + 1ns, 1);  // backlog
  BOOST_TEST(meter.bytes() == 110u);
  BOOST_TEST(meter.total() == 1111u);
  BOOST_TEST((meter.last() - meter.first() == Duration(10s)));
  BOOST_TEST((meter.closes().value() == start + 10s));
}

BOOST_AUTO_TEST_CASE(what_is_to_be_left_out_is_the_beginning_of_the_duration) {
  const Timestamp start = Timestamp{} + 5s;
  BulkMeter meter(2s, 10s);
  meter.on_bytes(start, 1);
  meter.on_bytes(start + 1s, 10);
  meter.on_bytes(start + 3s, 100);  // opens the measurement
  meter.on_bytes(start + 9s, 1000);
  meter.on_bytes(start + 11s, 10'000);
  BOOST_TEST(meter.bytes() == 1000u);
  BOOST_TEST((meter.last() - meter.first() == Duration(6s)));
}

BOOST_AUTO_TEST_CASE(what_connections_may_hold_does_not_grow_with_their_number) {
  const FlowControlConfig alone = shared_flow_control(1), defaults;
  BOOST_TEST(alone.connection_send_buffer == defaults.connection_send_buffer);
  BOOST_TEST(alone.max_connection_window == defaults.max_connection_window);
  for (const unsigned connections : {1u, 2u, 100u, 1000u}) {
    const FlowControlConfig config = shared_flow_control(connections);
    BOOST_TEST(config.connection_send_buffer == send_share(connections));
    BOOST_TEST(config.connection_send_buffer * connections <= kSendMemory);
    BOOST_TEST(config.max_connection_window * connections <= kReceiveMemory);
    for (const std::uint64_t window : {config.connection_window, config.stream_window, config.max_stream_window})
      BOOST_TEST(window <= config.max_connection_window);
    BOOST_TEST(config.stream_window >= 16u * 1024);
  }
}

BOOST_AUTO_TEST_CASE(transport_figures_are_those_of_all_connections) {
  TransportTotals totals;
  totals.add({.packets_sent = 10,
              .packets_received = 5,
              .packets_lost = 1,
              .bytes_sent = 1000,
              .stream_bytes_retransmitted = 7,
              .handshake_time = 2ms,
              .has_rtt = true,
              .smoothed_rtt = 10ms});
  totals.add({.packets_sent = 20,
              .packets_received = 6,
              .packets_lost = 2,
              .bytes_sent = 2000,
              .stream_bytes_retransmitted = 8,
              .handshake_time = 4ms,
              .has_rtt = true,
              .smoothed_rtt = 30ms});
  totals.add({.packets_sent = 1, .handshake_time = 6ms, .has_rtt = false, .smoothed_rtt = 333ms});
  BOOST_TEST(totals.connections == 3u);
  BOOST_TEST(totals.packets_sent == 31u);
  BOOST_TEST(totals.packets_received == 11u);
  BOOST_TEST(totals.packets_lost == 3u);
  BOOST_TEST(totals.bytes_sent == 3000u);
  BOOST_TEST(totals.stream_bytes_retransmitted == 15u);
  BOOST_TEST((totals.smoothed_rtt == Duration(20ms)));  // a guess is no measurement
  BOOST_TEST((totals.handshake_time == Duration(4ms)));
}

BOOST_AUTO_TEST_CASE(many_values_of_one_size_are_as_many) {
  LatencyHistogram histogram;
  histogram.record(1ms);
  histogram.record(1s, 999);
  BOOST_TEST(histogram.count() == 1000u);
  BOOST_TEST(histogram.percentiles().p50 > 999'000.0);
  BOOST_TEST(histogram.percentiles().max >= 1e6);
  BOOST_TEST(histogram.percentiles().max < 1.001e6);
}

BOOST_AUTO_TEST_SUITE_END()
