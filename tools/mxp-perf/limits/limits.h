// The calibrator: what this machine allows without any protocol, measured with the same carriers, ciphers and batching
// as the library. Every figure of a run stands beside these, because machines differ and are noisy.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/tool_error.h"
#include "mxp-perf/loop/loop_run.h"
#include "mxp/keys.h"
#include "mxp/time.h"

namespace mxp::perf {

// How long a run measures each of its limits.
inline constexpr Duration kLimitDuration = std::chrono::seconds(1);

// Loopback, two processes, GSO and GRO as the library uses them: bits per second of UDP payload that arrived.
tools::Result<double> measure_udp(std::size_t datagram_bytes, Duration duration);
// The same with every datagram sealed by the sender and opened by the receiver, and nothing else: bits per second of
// plaintext that was opened.
tools::Result<double> measure_sealed(std::size_t datagram_bytes, Suite suite, Duration duration);

// Nanoseconds for each call.
double measure_aead_seal(Suite suite, std::size_t bytes, Duration duration);
double measure_x25519(Duration duration);

struct Spread {
  double p50_us = 0;
  double p99_us = 0;
};
// Round trip of 64 bytes between two processes that block in recv, or try it again and again.
tools::Result<Spread> measure_ping_pong(Waiting waiting, Duration duration);
// How late a sleep of 1 ms wakes up.
Spread measure_timer(Duration duration);

struct LimitMode {
  std::string name;
  std::optional<std::size_t> datagram_bytes;
  std::optional<double> bits_per_second;
  std::optional<double> ns_per_op;
  std::optional<Spread> us;
};
// Measures everything above and hands over each figure as soon as it is there. `mtu` 0 means 1500 and the loopback's
// own. Stops without an error when `take` says that it needs no more.
enum class TakeMore : std::uint8_t { yes, no };
tools::Result<void> measure_all_limits(std::size_t mtu, const std::function<TakeMore(LimitMode)>& take);

}  // namespace mxp::perf
