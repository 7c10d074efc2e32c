// How the connection ended, if the capture shows it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "mxp-dump/dissect/record.h"

namespace mxp::dump {

struct CloseStory {
  struct Close {
    std::uint64_t frame = 0;
    std::int64_t time_ns = 0;
    TrafficDirection by = TrafficDirection::client_to_server;
    bool application = false;
    std::uint64_t code = 0;
    std::uint64_t frame_type = 0;
    std::string reason;  // escaped
  };
  std::optional<Close> first;
  bool drained = false;  // the sides had agreed to the end (docs/protocol.md §7.1)

  void add(const PacketRecord& record, std::int64_t time_ns);
};

}  // namespace mxp::dump
