// mxp-netem but for main() itself, which is a file of its own so that what is here is compiled with the rest of the tool.
#pragma once

namespace mxp::tools {

// From the command line to the exit code.
int run_netem(int argc, char** argv);

}  // namespace mxp::tools
