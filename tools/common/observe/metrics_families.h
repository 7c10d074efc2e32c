// The numbers of TransportMetrics as Prometheus has them: names with a unit, labels of few values and no ids.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <string>
#include <vector>

#include "mxp/transport_metrics.h"

namespace mxp::tools {

std::vector<prometheus::MetricFamily> metric_families(const TransportMetricsSnapshot& numbers, const std::string& tool);

// Takes a snapshot for each scrape.
class MetricsCollectable final : public prometheus::Collectable {
 public:
  // `metrics` outlives it.
  MetricsCollectable(const TransportMetrics& metrics, std::string tool) : metrics_(metrics), tool_(std::move(tool)) {}
  std::vector<prometheus::MetricFamily> Collect() const override { return metric_families(metrics_.snapshot(), tool_); }

 private:
  const TransportMetrics& metrics_;
  std::string tool_;
};

}  // namespace mxp::tools
