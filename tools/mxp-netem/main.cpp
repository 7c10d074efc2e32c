#include "mxp-netem/program.h"

int main(int argc, char** argv) { return mxp::tools::run_netem(argc, argv); }
