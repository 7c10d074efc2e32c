#include "mxp-cat/program.h"

int main(int argc, char** argv) { return mxp::tools::run_cat(argc, argv); }
