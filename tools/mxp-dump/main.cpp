#include "mxp-dump/program.h"

int main(int argc, char** argv) { return mxp::dump::run_program(argc, argv); }
