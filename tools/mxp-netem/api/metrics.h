// The counters of all proxies for Prometheus, in its text format.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "mxp-netem/api/proxy.h"

namespace mxp::tools {

std::string metrics_text(const std::vector<std::unique_ptr<Proxy>>& proxies);

}  // namespace mxp::tools
