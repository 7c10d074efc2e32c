// What mxp-cat and mxp-perf take to be watched: --qlog DIR and its like.
#pragma once

#include <string>

#include "common/command_line.h"

namespace mxp::tools {

// Empty: not asked for.
struct ObserveOptions {
  std::string qlog;  // a folder; QLOGDIR names one where this does not
  std::string qlog_flavour = "ietf";
  std::string metrics;  // [ADDR:]PORT
  std::string otlp;     // a file
  std::string audit;    // a file
  std::string recent;   // a file
#ifdef MXP_DEBUG_TOOLS
  std::string pcap;  // a file
#endif
};

void add_observe_options(CLI::App& app, ObserveOptions& options);

}  // namespace mxp::tools
