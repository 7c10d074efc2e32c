// The one answer to "may I send, how much, and if not, why not and until when".
#pragma once

#include <cstdint>

#include "mxp/time.h"
#include "mxp/trace.h"

namespace mxp {

struct SendPermit {
  BlockedBy reason = BlockedBy::nothing;  // nothing, congestion or pacing
  std::uint64_t bytes = 0;                // UDP payload that may go now; at least one datagram unless blocked
  Timestamp retry_at = kNever;  // pacing: when to ask again; congestion: kNever, an ACK or a timeout changes it
  bool probe = false;           // a probe packet must go, even beyond the window: send it with SentPacket::probe

  bool blocked() const { return reason != BlockedBy::nothing; }
};

}  // namespace mxp
