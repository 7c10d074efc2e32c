// --json-schema: the JSON Schema (draft 2020-12) of all that this tool writes with --json. It is the file of
// docs/schema, which the program carries.
#pragma once

#include <string_view>

namespace mxp::tools::embedded {

std::string_view perf_result_schema();

}  // namespace mxp::tools::embedded
