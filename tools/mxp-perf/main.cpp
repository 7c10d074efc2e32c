#include "mxp-perf/program.h"

int main(int argc, char** argv) { return mxp::perf::run_program(argc, argv); }
