#include "common/observe/metrics_families.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "mxp/version.h"

namespace mxp::tools {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

using Labels = std::vector<ClientMetric::Label>;

// "packet too old" as the value of a label: "packet_too_old".
std::string label_value(std::string_view words) {
  std::string value(words);
  std::ranges::replace_if(value, [](char c) { return c == ' ' || c == '-'; }, '_');
  return value;
}

class FamilyList {
 public:
  MetricFamily& begin(MetricType type, std::string name, std::string help) {
    return all.emplace_back(MetricFamily{std::move(name), std::move(help), type, {}});
  }
  // One without labels, or the first of several.
  void counter(std::string name, std::string help, double value, Labels labels = {}) {
    begin(MetricType::Counter, std::move(name), std::move(help));
    more(value, std::move(labels));
  }
  void gauge(std::string name, std::string help, double value, Labels labels = {}) {
    begin(MetricType::Gauge, std::move(name), std::move(help));
    more(value, std::move(labels));
  }
  // Another one of the family that was begun last.
  void more(double value, Labels labels) {
    MetricFamily& family = all.back();
    ClientMetric& metric = family.metric.emplace_back();
    metric.label = std::move(labels);
    if (family.type == MetricType::Counter) metric.counter.value = value;
    else metric.gauge.value = value;
  }
  // One for each value of an enum, with its name as the label.
  template <typename Enum, typename Array, typename Value>
  void counters(std::string name, std::string help, std::string label, const Array& numbers, Value value) {
    begin(MetricType::Counter, std::move(name), std::move(help));
    for (std::size_t i = 0; i < numbers.size(); ++i)
      more(value(numbers[i]), {{label, label_value(to_string(static_cast<Enum>(i)))}});
  }
  template <std::size_t Bounds>
  void histogram(std::string name, std::string help, const std::array<double, Bounds>& bounds,
                 const SecondsHistogram<Bounds>& numbers) {
    ClientMetric& metric = begin(MetricType::Histogram, std::move(name), std::move(help)).metric.emplace_back();
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i <= Bounds; ++i) {
      sum += numbers.counts[i];
      metric.histogram.bucket.push_back({sum, i < Bounds ? bounds[i] : std::numeric_limits<double>::infinity()});
    }
    metric.histogram.sample_count = sum;
    metric.histogram.sample_sum = numbers.sum_seconds;
  }

  std::vector<MetricFamily> all;
};

double number(std::uint64_t value) { return static_cast<double>(value); }
double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

void add_packets(FamilyList& families, const TransportMetricsSnapshot& numbers) {
  families.counter("mxp_packets_sent_total", "Packets sent, handshake messages excluded.",
                   number(numbers.packets_sent));
  families.counter("mxp_packets_received_total", "Packets received that opened and were new.",
                   number(numbers.packets_received));
  families.counter("mxp_sent_bytes_total", "UDP payload of the packets sent.", number(numbers.bytes_sent));
  families.counter("mxp_received_bytes_total", "UDP payload of the packets received.", number(numbers.bytes_received));
  families.counter("mxp_probes_sent_total", "Packets sent for a probe timeout.", number(numbers.probes_sent));
  families.counter("mxp_packets_lost_total", "Packets of ours declared lost, by what showed it.",
                   number(numbers.packets_lost[0]), {{"reason", "reordering"}});
  families.more(number(numbers.packets_lost[1]), {{"reason", "time"}});
  families.counters<DropReason>("mxp_datagrams_dropped_total", "Datagrams dropped on arrival, by reason.", "reason",
                                numbers.datagrams_dropped, number);
}

void add_connections(FamilyList& families, const TransportMetricsSnapshot& numbers) {
  families.gauge("mxp_connections", "Connections now, by state.", number(numbers.handshaking),
                 {{"state", "handshaking"}});
  families.more(number(numbers.established), {{"state", "established"}});
  families.more(number(numbers.ending), {{"state", "ending"}});
  families.counter("mxp_connections_started_total", "Connections begun, by our role.",
                   number(numbers.connections_started[0]), {{"role", "client"}});
  families.more(number(numbers.connections_started[1]), {{"role", "server"}});
  families.counter("mxp_connections_established_total", "Connections whose handshake was completed, by our role.",
                   number(numbers.connections_established[0]), {{"role", "client"}});
  families.more(number(numbers.connections_established[1]), {{"role", "server"}});
  families.counters<CloseClass>("mxp_connections_closed_total", "Connections that ended, by the class of the reason.",
                                "class", numbers.connections_closed, number);
  families.counter("mxp_clients_admitted_total", "Decisions of a server about clients with a verified key.",
                   number(numbers.clients_accepted), {{"decision", "accepted"}});
  families.more(number(numbers.clients_refused), {{"decision", "refused"}});
  families.counter("mxp_handshake_messages_sent_total", "Handshake messages sent, by which of the two.",
                   number(numbers.handshake_messages[0]), {{"message", "1"}});
  families.more(number(numbers.handshake_messages[1]), {{"message", "2"}});
  families.counter("mxp_handshake_retransmissions_total", "Of these, those sent again.",
                   number(numbers.handshake_retransmissions));
  families.histogram("mxp_handshake_duration_seconds", "From the first handshake message to confirmed keys.",
                     kHandshakeBounds, numbers.handshake);
}

void add_transfer(FamilyList& families, const TransportMetricsSnapshot& numbers) {
  families.histogram("mxp_rtt_seconds", "Round trips as acknowledgements measured them, over all connections.",
                     kRttBounds, numbers.rtt);
  families.counters<BlockedBy>("mxp_blocked_seconds_total",
                               "For how long each reason kept connections from sending more, summed over connections.",
                               "reason", numbers.blocked_time, seconds);
  families.gauge("mxp_congestion_window_bytes", "Sum of the congestion windows of all connections.",
                 number(numbers.congestion_window));
  families.gauge("mxp_in_flight_bytes", "Sum of the bytes in flight of all connections.",
                 number(numbers.bytes_in_flight));
  families.counter("mxp_key_updates_total", "Updates of sending keys.", number(numbers.key_updates));
  families.counter("mxp_path_changes_total", "Times that packets began to go to or from another address.",
                   number(numbers.path_changes));
  families.counter("mxp_streams_opened_total", "Streams opened by either side.", number(numbers.streams_opened));
  families.counter("mxp_streams_ended_total", "Streams that we sent on and that ended in both directions.",
                   number(numbers.streams_ended));
  families.counter("mxp_datagrams_lost_total", "Datagrams of the application that were sent and lost.",
                   number(numbers.datagrams_lost));
  families.counter("mxp_datagrams_not_sent_total",
                   "Datagrams of the application that expired, were dropped or too large.",
                   number(numbers.datagrams_not_sent));
}

}  // namespace

std::vector<MetricFamily> metric_families(const TransportMetricsSnapshot& numbers, const std::string& tool) {
  FamilyList families;
  families.gauge("mxp_build_info", "Always 1; what runs is in the labels.", 1,
                 {{"version", std::string(kLibraryVersion)}, {"tool", tool}});
  add_packets(families, numbers);
  add_connections(families, numbers);
  add_transfer(families, numbers);
  return std::move(families.all);
}

}  // namespace mxp::tools
