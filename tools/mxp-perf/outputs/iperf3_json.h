// --iperf3-json: a result in the shape of iperf3's JSON, for dashboards that read that. It has what both know: the
// intervals, what was sent and received, processor time in per cent, and an error.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "common/tool_error.h"
#include "mxp-perf/options.h"
#include "mxp-perf/result.h"

namespace mxp::perf {

// Whether a test moves bytes: of others iperf3 knows nothing.
bool has_iperf3_form(Test test);

// `result` is nullptr where there is none.
nlohmann::json to_iperf3(const Options& options, const Result* result, const std::optional<tools::ToolError>& error);

}  // namespace mxp::perf
