// The commands of mxp-perf that run tests, or measure the machine.
#pragma once

#include "common/output.h"
#include "common/tool_error.h"
#include "mxp-perf/options.h"
#include "mxp-perf/outputs/result_sinks.h"

namespace mxp::perf {

tools::Result<void> run_server(const Options& options, tools::Output& output, ResultSinks& sinks);
tools::Result<void> run_client(const Options& options, tools::Output& output, ResultSinks& sinks);
// Server and client on loopback, in processes of their own.
tools::Result<void> run_both(const Options& options, tools::Output& output, ResultSinks& sinks);
tools::Result<void> run_limits(const Options& options, tools::Output& output, ResultSinks& sinks);

}  // namespace mxp::perf
