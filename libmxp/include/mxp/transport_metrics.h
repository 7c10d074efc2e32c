// Counts what happens to all connections of an endpoint, in numbers that a monitoring system takes: counters that only
// grow, sums and histograms over all connections, and never a connection's id. The library knows no exposition format;
// mxp-cat and mxp-perf show these numbers as Prometheus has them (docs/observability.md lists the names).
//
// Outlives the loop or endpoint that it is given to. Threads: one endpoint's; snapshot() may be called on any other.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "mxp/trace.h"

#pragma GCC visibility push(default)
namespace mxp {

// Numbers of observations by upper bounds, in seconds; the last place counts those beyond all bounds.
template <std::size_t Bounds>
struct SecondsHistogram {
  std::array<std::uint64_t, Bounds + 1> counts{};  // of each place alone, not cumulative
  double sum_seconds = 0;

  template <typename List>
  void observe(const List& bounds, Duration value) {
    const double seconds = std::chrono::duration<double>(value).count();
    std::size_t place = 0;
    while (place < Bounds && seconds > bounds[place]) ++place;
    ++counts[place];
    sum_seconds += seconds;
  }
};
inline constexpr std::array<double, 14> kHandshakeBounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                            0.1,    0.25,  0.5,    1,     2.5,  5,     10};
inline constexpr std::array<double, 16> kRttBounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                      0.05,   0.1,     0.15,   0.25,  0.5,    1,     2.5,  5};

// Why a connection has ended, in as few words as a label should have.
enum class CloseClass : std::uint8_t {
  clean,              // without an error, or in order
  application_error,  // another code of the application than 0
  idle_timeout,
  handshake_timeout,
  unreachable,
  not_authorized,
  refused,     // the server has no room
  key_limit,   // the keys have done what they may, or were turned against the rules
  peer_error,  // the peer says that we broke the rules
  our_error,   // we say that the peer broke the rules
};
inline constexpr std::size_t kCloseClasses = static_cast<std::size_t>(CloseClass::our_error) + 1;
CloseClass close_class(const TraceClosed& closed);
std::string_view to_string(CloseClass close);  // "idle_timeout": the name of the enumerator

struct TransportMetricsSnapshot {
  std::uint64_t packets_sent = 0, packets_received = 0;
  std::uint64_t bytes_sent = 0, bytes_received = 0;  // UDP payload of these packets
  std::uint64_t probes_sent = 0;
  std::array<std::uint64_t, 2> packets_lost{};                      // by LossReason
  std::array<std::uint64_t, kDropReasonCount> datagrams_dropped{};  // by DropReason
  std::array<std::uint64_t, 2> handshake_messages{};                // message 1 and 2, sent
  std::uint64_t handshake_retransmissions = 0;
  std::array<std::uint64_t, 2> connections_started{};      // by Role
  std::array<std::uint64_t, 2> connections_established{};  // by Role
  std::array<std::uint64_t, kCloseClasses> connections_closed{};
  std::uint64_t clients_accepted = 0;
  std::uint64_t clients_refused = 0;
  std::uint64_t key_updates = 0;  // of sending directions
  std::uint64_t path_changes = 0;
  std::uint64_t streams_opened = 0;
  std::uint64_t streams_ended = 0;
  std::uint64_t datagrams_lost = 0, datagrams_not_sent = 0;
  SecondsHistogram<kHandshakeBounds.size()> handshake{};
  SecondsHistogram<kRttBounds.size()> rtt{};  // a sample for each ACK that measured one
  // Over all connections, up to the latest event.
  TimeByReason blocked_time{};
  // Now.
  std::uint64_t handshaking = 0, established = 0, ending = 0;
  std::uint64_t congestion_window = 0, bytes_in_flight = 0;  // sums, bytes
};

class TransportMetrics final : public TraceSink {
 public:
  TransportMetrics();
  ~TransportMetrics() override;

  void on(Timestamp now, ConnectionId connection, const TraceEvent& event) override;
  TransportMetricsSnapshot snapshot() const;

 private:
  struct [[gnu::visibility("hidden")]] Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mxp
#pragma GCC visibility pop
