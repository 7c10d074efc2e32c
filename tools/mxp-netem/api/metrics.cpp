#include "mxp-netem/api/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <string_view>
#include <utility>

namespace mxp::tools {
namespace {

using Labels = std::vector<prometheus::ClientMetric::Label>;

class MetricFamilies {
 public:
  prometheus::MetricFamily& family(std::string name, std::string help, prometheus::MetricType type) {
    for (auto& one : all_) {
      if (one.name == name) return one;
    }
    return all_.emplace_back(prometheus::MetricFamily{std::move(name), std::move(help), type, {}});
  }
  void counter(std::string name, std::string help, const Labels& labels, double value) {
    prometheus::ClientMetric metric;
    metric.label = labels;
    metric.counter.value = value;
    family(std::move(name), std::move(help), prometheus::MetricType::Counter).metric.push_back(std::move(metric));
  }
  void gauge(std::string name, std::string help, const Labels& labels, double value) {
    prometheus::ClientMetric metric;
    metric.label = labels;
    metric.gauge.value = value;
    family(std::move(name), std::move(help), prometheus::MetricType::Gauge).metric.push_back(std::move(metric));
  }
  const std::vector<prometheus::MetricFamily>& all() const { return all_; }

 private:
  std::vector<prometheus::MetricFamily> all_;
};

Labels with(const Labels& labels, std::string name, std::string value) {
  Labels more = labels;
  more.push_back({std::move(name), std::move(value)});
  return more;
}

double seconds(Duration span) { return static_cast<double>(span.count()) / 1e9; }

void add_link(MetricFamilies& families, const Proxy& proxy, netem::Direction direction) {
  const LinkGroup& group = proxy.relay().links().main();
  const netem::LinkCounters& counters = group.counters(direction);
  const std::string stream = direction == netem::Direction::up ? "upstream" : "downstream";
  const Labels whole = {
      {"direction", stream}, {"proxy", proxy.name()}, {"listener", proxy.listen()}, {"upstream", proxy.upstream()}};
  families.counter("toxiproxy_proxy_received_bytes_total", "Payload that came in.", whole,
                   static_cast<double>(counters.bytes_in));
  families.counter("toxiproxy_proxy_sent_bytes_total", "Payload that went out.", whole,
                   static_cast<double>(counters.bytes_out));
  const Labels labels = {{"direction", stream}, {"proxy", proxy.name()}};
  families.counter("mxp_netem_packets_received_total", "Datagrams that came in.", labels,
                   static_cast<double>(counters.in));
  families.counter("mxp_netem_packets_sent_total", "Datagrams that went out.", labels,
                   static_cast<double>(counters.out));
  const std::uint64_t by_chance = counters.lost - counters.lost_too_big - counters.lost_outage - counters.lost_listed;
  for (const auto& [reason, count] : {std::pair<std::string_view, std::uint64_t>{"loss", by_chance},
                                      {"mtu", counters.lost_too_big},
                                      {"outage", counters.lost_outage},
                                      {"list", counters.lost_listed},
                                      {"limit", counters.tail_dropped},
                                      {"queue", counters.queue_dropped}}) {
    families.counter("mxp_netem_drops_total", "Datagrams that the link did not pass on.",
                     with(labels, "reason", std::string(reason)), static_cast<double>(count));
  }
  for (const auto& [what, count] : {std::pair<std::string_view, std::uint64_t>{"duplicated", counters.duplicated},
                                    {"corrupted", counters.corrupted},
                                    {"reordered", counters.reordered},
                                    {"marked", counters.marked}}) {
    families.counter("mxp_netem_changes_total", "Datagrams that the link copied, changed or sent ahead.",
                     with(labels, "change", std::string(what)), static_cast<double>(count));
  }
  families.gauge("mxp_netem_queued_packets", "Datagrams on their way now.", labels,
                 static_cast<double>(group.queued_packets(direction)));
  prometheus::ClientMetric delay;
  delay.label = labels;
  delay.summary.sample_count = counters.delay.count();
  delay.summary.sample_sum = seconds(counters.delay.mean()) * static_cast<double>(counters.delay.count());
  for (const double quantile : {0.5, 0.99})
    delay.summary.quantile.push_back({quantile, seconds(counters.delay.quantile(quantile))});
  families
      .family("mxp_netem_delay_seconds", "What the link and the relay together took.", prometheus::MetricType::Summary)
      .metric.push_back(std::move(delay));
}

void add_relay(MetricFamilies& families, const Proxy& proxy) {
  const Labels labels = {{"proxy", proxy.name()}};
  const Relay& relay = proxy.relay();
  families.gauge("mxp_netem_enabled", "1: the proxy passes datagrams on.", labels, proxy.links().enabled ? 1 : 0);
  families.counter("mxp_netem_clients_total", "Clients so far.", labels, static_cast<double>(relay.clients()));
  families.gauge("mxp_netem_late_seconds", "How late the latest 1 % of the datagrams left.", labels,
                 seconds(relay.health().late.quantile(0.99)));
}

}  // namespace

std::string metrics_text(const std::vector<std::unique_ptr<Proxy>>& proxies) {
  MetricFamilies families;
  for (const auto& proxy : proxies) {
    for (const auto direction : {netem::Direction::up, netem::Direction::down}) add_link(families, *proxy, direction);
    add_relay(families, *proxy);
  }
  return prometheus::TextSerializer().Serialize(families.all());
}

}  // namespace mxp::tools
