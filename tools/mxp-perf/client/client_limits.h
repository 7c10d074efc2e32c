// How long a client waits for what, and how much it does at once. Our choices.
#pragma once

#include <chrono>

#include "mxp/time.h"

namespace mxp::perf {

// Handshakes under way at once: their first messages and their answers fit into the receive buffer that Linux gives by
// default (208 KiB, of which a datagram of 1200 bytes takes 2.3).
inline constexpr unsigned kMaxHandshakes = 64;
// How often the client looks at what happened.
inline constexpr Duration kTick = std::chrono::milliseconds(100);
// Between a question about the server's clock, once it is answered, and the next one.
inline constexpr Duration kClockPause = std::chrono::milliseconds(20);
// So that connections that wait for --start-at stay.
inline constexpr Duration kWaitingKeepalive = std::chrono::seconds(5);
// For the server's "ready" after the request: a peer that is no mxp-perf may say nothing at all.
inline constexpr Duration kReadyLimit = std::chrono::seconds(5);
// For the last answers and the server's reports after the end: a test ends near its duration whatever the path still
// holds.
inline constexpr Duration kEndLimit = std::chrono::seconds(3);
// Of it, for the acknowledgements of the last messages: then the server is asked for its report in any case.
inline constexpr Duration kSettleLimit = std::chrono::milliseconds(1500);
// For the other side to say that our CLOSE arrived.
inline constexpr Duration kCloseLimit = std::chrono::seconds(1);

}  // namespace mxp::perf
