#include "common/observe/options.h"

namespace mxp::tools {

void add_observe_options(CLI::App& app, ObserveOptions& options) {
  app.add_option("--qlog", options.qlog,
                 "write what each connection does to DIR, a file for each (QLOGDIR names one, too)")
      ->type_name("DIR");
  app.add_option("--qlog-flavour", options.qlog_flavour, "ietf (default), or qvis: what the qvis tools open")
      ->check(CLI::IsMember({"ietf", "qvis"}))
      ->type_name("ietf|qvis");
  app.add_option("--metrics", options.metrics,
                 "serve Prometheus metrics at http://ADDR:PORT/metrics; a bare PORT is for this machine alone")
      ->type_name("[ADDR:]PORT");
  app.add_option("--otlp", options.otlp,
                 "write OpenTelemetry spans to FILE, OTLP/JSON, one a line (TRACEPARENT: their parent)")
      ->type_name("FILE");
  app.add_option("--audit", options.audit, "append every decision about keys and peers to FILE, as JSON, one a line")
      ->type_name("FILE");
  app.add_option("--recent", options.recent,
                 "append the latest events to FILE when a connection fails, and at SIGUSR1 (which else prints them)")
      ->type_name("FILE");
#ifdef MXP_DEBUG_TOOLS
  app.add_option("--debug-pcap", options.pcap, "write our datagrams and their secrets to FILE, as pcapng")
      ->type_name("FILE");
#endif
}

}  // namespace mxp::tools
