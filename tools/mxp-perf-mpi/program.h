// mxp-perf-mpi but for main() itself, which is a file of its own so that what is here is compiled with the rest of the tool.
#pragma once

namespace mxp::perf_mpi {

// From the command line to the exit code.
int run_program(int argc, char** argv);

}  // namespace mxp::perf_mpi
