// Where chance comes from: given at construction, so that a test or a simulation replays exactly.
#pragma once

#include <array>
#include <cstdint>

#include "mxp/bytes.h"

#pragma GCC visibility push(default)
namespace mxp {

// Threads: an object belongs to the thread of the endpoint that it was given to, unless it says that any thread may use
// it, as system_random() does.
class Random {
 public:
  virtual ~Random() = default;
  // Fills `out` with random bytes. In production these must be cryptographically secure (system_random() in
  // mxp/event_loop.h).
  virtual void fill(MutableBytes out) = 0;
};

// Eight bytes read as a big-endian number, so that the same bytes give the same number on every machine.
inline std::uint64_t random_u64(Random& random) {
  std::array<std::uint8_t, 8> bytes;
  random.fill(bytes);
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

}  // namespace mxp
#pragma GCC visibility pop
