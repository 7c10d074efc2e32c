// `mxp-dump why FILE`: what is wrong with each connection of a capture.
#pragma once

#include <string>
#include <vector>

namespace mxp::dump {

// `arguments` without the program's name and "why". Returns the exit code; errors are printed.
int run_why(const std::vector<std::string>& arguments);

}  // namespace mxp::dump
