// The files of a result beside --json: --hlog, --hgrm and --iperf3-json. They are opened before the test, so that a
// wrong name costs no run, and written when there is a result.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>

#include "common/tool_error.h"
#include "mxp-perf/outputs/output_options.h"
#include "mxp-perf/result.h"
#include "udp/unique_fd.h"

namespace mxp::perf {

class ResultFiles {
 public:
  // `arguments` is the raw command line: the files that it names are not overwritten.
  static tools::Result<ResultFiles> open(const OutputOptions& names, std::span<const std::string> arguments);

  // Histograms by their tags: each is a line of the log; .hgrm holds the first.
  tools::Result<void> write_histograms(const HistogramLog& log);
  tools::Result<void> write_iperf3(const nlohmann::json& document);

 private:
  struct File {
    std::string name;
    UniqueFd fd;
  };
  tools::Result<void> write(File& file, std::string_view text);

  File hlog_, hgrm_, iperf3_;
};

// The histograms of a result, tagged TEST.NAME. Those of a test that had no value are empty and there all the same.
HistogramLog log_of(const Result& result);

}  // namespace mxp::perf
