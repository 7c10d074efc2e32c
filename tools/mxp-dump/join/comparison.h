// The captures of both ends, held against each other: which packets are in both, and what became of the others.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "mxp-dump/join/clock_fit.h"
#include "mxp-dump/join/sightings.h"

namespace mxp::dump {

struct LostPacket {
  std::uint64_t frame = 0;  // in the capture of its sender
  std::int64_t time_ns = 0;
  std::int64_t number = -1;
  std::uint32_t connection = 0;  // of that capture
};

struct WayReport {
  std::uint64_t sent = 0;     // in the capture of their sender
  std::uint64_t arrived = 0;  // and in that of their receiver
  std::vector<LostPacket> lost;
  std::uint64_t not_captured_at_receiver = 0;  // arrived, and its capture lacks them
  std::uint64_t not_captured_at_sender = 0;    // seen by the receiver only
  std::uint64_t outside = 0;                   // sent before the other capture began, or after it had ended
  std::uint64_t duplicated = 0;                // copies that only the receiver saw
  std::uint64_t reordered = 0;                 // arrived after a packet that was sent later
  std::vector<double> delays_ns;               // sorted; empty without clocks
};

struct Comparison {
  std::array<WayReport, 2> ways;  // by direction
  std::optional<ClockFit::Clocks> clocks;
  std::vector<std::optional<std::uint32_t>> server_connection;  // of each connection of the client's capture
  std::vector<std::optional<std::uint32_t>> client_connection;  // and the other way round
};

Comparison compare(const Sightings& client, const Sightings& server);

}  // namespace mxp::dump
