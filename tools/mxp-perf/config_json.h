// `config` of a result: every option of the test as it was meant, so that a number can be measured again.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "mxp-perf/options.h"

namespace mxp::perf {

// Keys that do not apply are absent.
nlohmann::json config_of(const Options& options);

}  // namespace mxp::perf
