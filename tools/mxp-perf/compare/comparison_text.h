// A comparison for people and for pipelines.
#pragma once

#include <string>

#include "mxp-perf/compare/comparison.h"

namespace mxp::perf {

std::string to_text(const Comparison& comparison);
// A test case for each metric that decides, in the form that CI systems read.
std::string to_junit(const Comparison& comparison);
// Annotations of GitHub's workflows: ::error, ::warning and ::notice.
std::string to_github(const Comparison& comparison);

}  // namespace mxp::perf
