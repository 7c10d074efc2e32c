// What one capture saw of MXP, packet by packet, kept small: about 56 bytes for each.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/range_set.h"
#include "mxp-dump/dissect/connection.h"
#include "mxp-dump/files/file_pass.h"

namespace mxp::dump {

// Our choice: 110 MB for each capture. What comes later is not looked at, which is said.
inline constexpr std::size_t kMaxSightings = 2'000'000;

struct Sighting {
  std::uint64_t content = 0;  // hash of its length and first bytes: what both ends see alike
  std::int64_t time_ns = 0;
  std::uint64_t frame = 0;
  std::int64_t number = -1;  // of the packet; -1 without keys
  std::uint32_t connection = 0;
  TrafficDirection direction = TrafficDirection::client_to_server;
};

struct Sightings {
  std::vector<Sighting> packets;  // in the order of the capture
  struct Ends {
    std::string client, server;
    // By direction: the numbers that the receiver has acknowledged.
    std::array<RangeSet, 2> acknowledged;
  };
  std::vector<Ends> connections;           // by Sighting::connection
  std::int64_t first_ns = 0, last_ns = 0;  // of all frames
  std::uint64_t frames = 0;
  std::uint64_t not_kept = 0;
};

tools::Result<Sightings> collect_sightings(FilePass& input, KeyRing& keys, std::uint16_t port);

}  // namespace mxp::dump
