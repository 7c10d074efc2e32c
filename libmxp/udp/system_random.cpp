#include <openssl/rand.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "mxp/event_loop.h"

namespace mxp {
namespace {

class SystemRandom final : public Random {
 public:
  void fill(MutableBytes out) override {
    constexpr std::size_t kMostAtOnce = 1u << 20;  // RAND_bytes counts in int
    while (!out.empty()) {
      const std::size_t count = std::min(out.size(), kMostAtOnce);
      if (RAND_bytes(out.data(), static_cast<int>(count)) != 1) {
        // Keys that are not random are worse than no program at all, so the process ends.
        std::fputs("mxp: the system's random generator failed; stopping rather than using guessable keys\n", stderr);
        std::abort();
      }
      out = out.subspan(count);
    }
  }
};

}  // namespace

Random& system_random() {
  static SystemRandom random;  // stateless: OpenSSL keeps a generator for each thread
  return random;
}

}  // namespace mxp
