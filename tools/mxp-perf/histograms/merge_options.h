// What `mxp-perf merge` was asked to do.
#pragma once

#include <string>
#include <vector>

namespace mxp::perf {

struct MergeOptions {
  std::vector<std::string> files;  // .hlog; "-" = stdin
  std::vector<std::string> tags;   // only these; all where it is empty
};

}  // namespace mxp::perf
