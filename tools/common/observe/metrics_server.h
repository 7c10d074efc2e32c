// Serves metrics at http://ADDR:PORT/metrics, from threads of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/tool_error.h"
#include "mxp/transport_metrics.h"

namespace mxp::tools {

class MetricsServer {
 public:
  // `address` is "[ADDR:]PORT"; without ADDR only this machine can ask. `metrics` outlives the server.
  static Result<std::unique_ptr<MetricsServer>> start(const std::string& address, const std::string& tool,
                                                      const TransportMetrics& metrics);
  ~MetricsServer();

  const std::string& url() const { return url_; }

 private:
  struct Parts;
  explicit MetricsServer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
  std::string url_;
};

}  // namespace mxp::tools
