// What the tool does once it knows what is meant: capture or file → UDP → MXP → lines, and a summary at the end.
#pragma once

#include "common/output.h"
#include "common/tool_error.h"
#include "mxp-dump/options.h"

namespace mxp::dump {

// The exit code if all went well (which may be 7 or 130), or the error to print. A truncated file is an error that
// comes after all that is whole was printed.
tools::Result<tools::ExitCode> run(const Options& options, tools::Output& output);

}  // namespace mxp::dump
