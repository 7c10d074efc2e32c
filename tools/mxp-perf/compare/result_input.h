// Results that mxp-perf has written, read again.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/tool_error.h"

namespace mxp::perf {

// A whole result of a test: one that was cut short is refused, since its figures say something else. All refusals are
// usage errors that name the file.
tools::Result<nlohmann::json> read_result(const std::string& name);

// Of "a.json,b.json".
tools::Result<std::vector<nlohmann::json>> read_results(const std::string& names);

// Any document of this tool: a result, a comparison, a search for capacity.
tools::Result<nlohmann::json> read_document(const std::string& name);

}  // namespace mxp::perf
