// Which key log a command uses, and what there is to say of it: the same for all commands.
#pragma once

#include <string>

#include "common/output.h"
#include "common/tool_error.h"
#include "mxp-dump/dissect/key_ring.h"

namespace mxp::dump {

struct KeyLogChoice {
  std::string path;       // empty: none
  bool required = false;  // named by the user rather than by the environment
};

// `named` is the value of --keylog; where it is empty, MXPKEYLOGFILE counts.
KeyLogChoice choose_key_log(const std::string& named);

// Loads it, and says what is wrong with it. One that is required must be readable.
tools::Result<void> load_key_log(KeyRing& keys, const KeyLogChoice& choice, tools::Output& output);

// What is wrong with the secrets that stand in the capture, once it was read.
void warn_of_embedded(const KeyRing& keys, tools::Output& output);

}  // namespace mxp::dump
