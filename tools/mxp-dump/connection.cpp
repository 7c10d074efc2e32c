#include "mxp-dump/connection.h"

#include <algorithm>

namespace mxp::dump {
namespace {

constexpr std::uint64_t kPacketThreshold = 3;  // RFC 9002 §6.1.1

}  // namespace

std::optional<std::uint64_t> Connection::handshake_ns() const {
  const auto end = first_client_short_ns ? first_client_short_ns : response_ns;
  if (!first_initial_ns || !end || *end < *first_initial_ns) return std::nullopt;
  return *end - *first_initial_ns;
}

std::uint64_t Connection::retransmitted(TrafficDirection flow) const {
  std::uint64_t handshakes = 0;
  for (const Path& path : paths) handshakes = std::max(handshakes, path.handshake_repeats[index(flow)]);
  return handshakes + side(flow).repeating;
}

std::optional<std::uint64_t> Connection::lost(TrafficDirection flow) const {
  const Side& from = side(flow);
  if (!from.acknowledged.empty()) {
    const std::uint64_t largest = from.acknowledged.largest();
    return from.acknowledged.missing_below(largest >= kPacketThreshold ? largest - kPacketThreshold + 1 : 0);
  }
  if (from.opened == 0) return std::nullopt;
  std::uint64_t missing = 0;
  for (const Path& path : paths) {
    const NumberLedger& numbers = path.numbers[index(flow)];
    if (!numbers.empty()) missing = std::max(missing, numbers.missing_below(numbers.largest()));
  }
  return missing;
}

}  // namespace mxp::dump
