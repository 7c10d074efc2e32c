#include "mxp/require.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace mxp {

void precondition_broken(const char* condition, const char* file, int line) noexcept {
  const char* slash = std::strrchr(file, '/');
  std::fprintf(stderr, "mxp: precondition broken: %s (%s:%d)\n", condition, slash == nullptr ? file : slash + 1, line);
  std::abort();
}

}  // namespace mxp
