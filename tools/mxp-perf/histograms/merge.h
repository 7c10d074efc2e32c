// merge RESULT.hlog…: adds the histograms of several clients, hosts or runs, exactly: their sum is the histogram that
// one run with all their values would have written.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <vector>

#include "common/tool_error.h"
#include "mxp-perf/histograms/hlog_file.h"
#include "mxp-perf/histograms/merge_options.h"
#include "mxp-perf/options.h"
#include "mxp-perf/outputs/result_sinks.h"

namespace CLI {
class App;
}  // namespace CLI

namespace mxp::perf {

const CLI::App* add_merge_command(CLI::App& app, MergeOptions& options, OutputOptions& outputs);

// One histogram for each tag, in the order in which the tags come: from the first begin to the last end of its parts.
// The log begins when the first of them does. The error names what does not add up.
std::expected<HistogramLog, std::string> merge_logs(std::span<const HistogramLog> logs);

tools::Result<void> run_merge(const Options& options, ResultSinks& sinks);

}  // namespace mxp::perf
