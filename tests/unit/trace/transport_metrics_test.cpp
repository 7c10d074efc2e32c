#include "mxp/transport_metrics.h"

#include <boost/test/unit_test.hpp>
#include <numeric>

#include "support/trace_events.h"

using namespace mxp;
using namespace mxp::test;

namespace {

std::size_t at(auto value) { return static_cast<std::size_t>(value); }

}  // namespace

BOOST_AUTO_TEST_SUITE(transport_metrics)

BOOST_AUTO_TEST_CASE(each_event_is_counted) {
  TransportMetrics metrics;
  for (const TraceEvent& event : every_event()) metrics.on(Timestamp(1s), kLocalId, event);
  const TransportMetricsSnapshot it = metrics.snapshot();
  BOOST_TEST(it.packets_sent == 1u);
  BOOST_TEST(it.bytes_sent == 1200u);
  BOOST_TEST(it.packets_received == 1u);
  BOOST_TEST(it.bytes_received == 60u);
  BOOST_TEST(it.probes_sent == 1u);
  BOOST_TEST(it.packets_lost[at(LossReason::time)] == 1u);
  BOOST_TEST(it.datagrams_dropped[at(DropReason::authentication_failed)] == 1u);
  BOOST_TEST(it.handshake_messages[0] == 1u);
  BOOST_TEST(it.handshake_retransmissions == 1u);
  BOOST_TEST(it.connections_started[at(Role::client)] == 1u);
  BOOST_TEST(it.connections_established[at(Role::client)] == 1u);
  BOOST_TEST(it.connections_closed[at(CloseClass::peer_error)] == 1u);
  BOOST_TEST(it.clients_accepted == 1u);
  BOOST_TEST(it.key_updates == 1u);
  BOOST_TEST(it.path_changes == 1u);
  BOOST_TEST(it.streams_opened == 4u);
  BOOST_TEST(it.streams_ended == 1u);
  BOOST_TEST(it.datagrams_lost == 1u);
  BOOST_TEST(it.datagrams_not_sent == 9u);
  BOOST_TEST(it.handshake.counts[5] == 1u);  // 12 ms: above 10, up to 25
  BOOST_TEST(it.rtt.counts[7] == 1u);        // 21 ms
  BOOST_TEST(it.rtt.sum_seconds == 0.021);
  // It is gone, and nothing of it is left in what is true now.
  BOOST_TEST(it.handshaking + it.established + it.ending == 0u);
  BOOST_TEST(it.congestion_window + it.bytes_in_flight == 0u);
}

BOOST_AUTO_TEST_CASE(blocked_time_is_that_of_all_connections_and_never_goes_back) {
  TransportMetrics metrics;
  const ConnectionId other({7});
  Timestamp now(100s);
  for (const ConnectionId id : {kLocalId, other}) metrics.on(now, id, TraceStarted{Role::server});
  metrics.on(now += 1s, kLocalId, TraceEstablished{1s});
  metrics.on(now, kLocalId, TraceBlocked{BlockedBy::congestion});
  TransportMetricsSnapshot it = metrics.snapshot();
  BOOST_TEST((it.blocked_time[at(BlockedBy::handshake)] == 2s));  // both
  BOOST_TEST(it.handshaking == 1u);
  BOOST_TEST(it.established == 1u);
  metrics.on(now += 3s, other, TracePacketReceived{PacketNumber(1), 10});  // time passes for all
  it = metrics.snapshot();
  BOOST_TEST((it.blocked_time[at(BlockedBy::congestion)] == 3s));
  BOOST_TEST((it.blocked_time[at(BlockedBy::handshake)] == 5s));
  metrics.on(now, kLocalId, TraceClosed{CloseInfo::By::peer, true, 0});
  metrics.on(now += 9s, kLocalId, TraceBlocked{BlockedBy::pacing});  // of a connection that has ended
  metrics.on(now, kLocalId, TraceForgotten{});
  it = metrics.snapshot();
  BOOST_TEST((it.blocked_time[at(BlockedBy::congestion)] == 3s));
  BOOST_TEST((it.blocked_time[at(BlockedBy::pacing)] == 0s));
  BOOST_TEST(it.connections_closed[at(CloseClass::clean)] == 1u);
  const Duration all = std::accumulate(it.blocked_time.begin(), it.blocked_time.end(), Duration::zero());
  BOOST_TEST((all == 4s + 13s));
}

BOOST_AUTO_TEST_CASE(windows_are_summed_over_those_that_are_open) {
  TransportMetrics metrics;
  const ConnectionId other({7}), renamed({8});
  for (const ConnectionId id : {kLocalId, other}) {
    metrics.on(Timestamp{}, id, TraceStarted{Role::client});
    metrics.on(Timestamp{}, id, TraceCongestion{10'000, 3'000, 1ms});
  }
  metrics.on(Timestamp{}, renamed, TraceIdChanged{other});
  metrics.on(Timestamp{}, renamed, TraceCongestion{5'000, 1'000, 1ms});
  BOOST_TEST(metrics.snapshot().congestion_window == 15'000u);
  BOOST_TEST(metrics.snapshot().bytes_in_flight == 4'000u);
  metrics.on(Timestamp{}, kLocalId, TraceForgotten{});  // without a word of its end
  BOOST_TEST(metrics.snapshot().congestion_window == 5'000u);
  BOOST_TEST(metrics.snapshot().rtt.sum_seconds == 0);  // none was measured
}

BOOST_AUTO_TEST_CASE(each_end_has_a_class) {
  const auto of = [](CloseInfo::By by, TransportErrorCode code) {
    return close_class({by, false, static_cast<std::uint64_t>(code)});
  };
  using By = CloseInfo::By;
  BOOST_TEST((close_class({By::peer, true, 0}) == CloseClass::clean));
  BOOST_TEST((close_class({By::peer, true, 3}) == CloseClass::application_error));
  BOOST_TEST((of(By::timeout, TransportErrorCode::idle_timeout) == CloseClass::idle_timeout));
  BOOST_TEST((of(By::timeout, TransportErrorCode::handshake_timeout) == CloseClass::handshake_timeout));
  BOOST_TEST((of(By::peer, TransportErrorCode::not_authorized) == CloseClass::not_authorized));
  BOOST_TEST((of(By::peer, TransportErrorCode::connection_refused) == CloseClass::refused));
  BOOST_TEST((of(By::local, TransportErrorCode::aead_limit_reached) == CloseClass::key_limit));
  BOOST_TEST((of(By::local, TransportErrorCode::protocol_violation) == CloseClass::our_error));
  BOOST_TEST((of(By::peer, TransportErrorCode::protocol_violation) == CloseClass::peer_error));
}

BOOST_AUTO_TEST_SUITE_END()
