// Where chance comes from: given at construction, so that a test or a simulation replays exactly.
#pragma once

#include "mxp/bytes.h"

namespace mxp {

// Thread rule: an object belongs to the thread of the endpoint that it was given to.
class Random {
 public:
  virtual ~Random() = default;
  // Fills `out` with random bytes. In production these must be cryptographically secure (system_random() in
  // mxp/event_loop.h).
  virtual void fill(MutableBytes out) = 0;
};

}  // namespace mxp
