// Which packets of a capture were lost, which only later packets tell. So a file is dissected once for this alone, and
// then once more to be shown.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "mxp-dump/dissect/connection.h"

namespace mxp::dump {

class LostPackets {
 public:
  // Our choice: 16 MiB. Of further connections nothing is known, which incomplete() tells.
  static constexpr std::size_t kMaxRanges = std::size_t{1} << 20;

  // A connection of which no more will be seen.
  void add(const Connection& connection);
  // nullopt where the capture does not tell.
  std::optional<bool> contains(std::uint64_t connection, TrafficDirection direction, std::uint64_t number) const;
  bool incomplete() const { return incomplete_; }

 private:
  std::map<std::pair<std::uint64_t, TrafficDirection>, Connection::LostNumbers> sides_;
  std::size_t ranges_ = 0;
  bool incomplete_ = false;
};

}  // namespace mxp::dump
