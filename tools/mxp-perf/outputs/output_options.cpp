#include "mxp-perf/outputs/output_options.h"

#include <CLI/CLI.hpp>

namespace mxp::perf {

void add_histogram_options(CLI::App& app, OutputOptions& options) {
  app.add_option("--hlog", options.hlog, "histograms of all latencies to FILE, in HdrHistogram's log format")
      ->type_name("FILE");
  app.add_option("--hgrm", options.hgrm,
                 "percentiles of the latency to FILE, as HdrHistogram's plotter takes them (us)")
      ->type_name("FILE");
}

void add_run_options(CLI::App& app, OutputOptions& options) {
  app.add_flag("--json-stream", options.json_stream, "what happens as JSON on stdout, an object a line, as it happens");
  app.add_option("--iperf3-json", options.iperf3,
                 "bulk and datagrams: the result in the shape of iperf3's JSON to FILE")
      ->type_name("FILE");
}

}  // namespace mxp::perf
