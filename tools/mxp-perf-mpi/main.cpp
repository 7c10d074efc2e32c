#include "mxp-perf-mpi/program.h"

int main(int argc, char** argv) { return mxp::perf_mpi::run_program(argc, argv); }
