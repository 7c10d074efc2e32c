// What a run of packets leaves to be noted and told about those that could not be in it.
#pragma once

#include <cstdint>

#include "connection/parts.h"
#include "mxp/blocked.h"
#include "mxp/time.h"

namespace mxp {

struct HeldBy {
  enum class Run : std::uint8_t {
    ordinary,
    of_probes  // they go whatever the window says, and show nobody's preference
  };
  BlockedBy connection;  // what keeps it from sending more
  BlockedBy pending;     // what keeps what has something to send from sending it, apart from who was preferred
  Run run;
};
// Who waits for what, from now on: the connection, its classes and its streams. To be called at the end of a run.
void note_held(Parts& parts, Timestamp now, const HeldBy& held);

// Tells those who want decisions that what waits is held back for company, unless Parts::held_until says that already.
void trace_held_back(const Parts& parts, Timestamp now);
// Tells them how many messages have expired since the last call.
void trace_expired_messages(Parts& parts, Timestamp now);

}  // namespace mxp
