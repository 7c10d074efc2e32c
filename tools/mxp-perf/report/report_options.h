// What `mxp-perf report` was asked to do.
#pragma once

#include <string>
#include <vector>

namespace mxp::perf {

struct ReportOptions {
  std::vector<std::string> files;
  std::string output;  // the page
  std::string title;
};

}  // namespace mxp::perf
