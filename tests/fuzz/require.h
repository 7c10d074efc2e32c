// What a fuzz target demands of every input: stops the process with the demand in words, so that the fuzzer and the
// replay in ctest report it alike, whatever the build type.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace mxp::fuzz {

inline void require(bool holds, const char* demand) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: does not hold: %s\n", demand);
  std::abort();
}

}  // namespace mxp::fuzz
