#include "mxp-dump/dissect/lost_packets.h"

namespace mxp::dump {

void LostPackets::add(const Connection& connection) {
  for (const TrafficDirection direction : kDirections) {
    if (connection.side(direction).opened == 0) continue;
    auto lost = connection.lost_numbers(direction);
    if (!lost) continue;
    const std::size_t more = lost->numbers.range_count() + 1;  // one for the entry itself
    if (lost->known_from > 0) incomplete_ = true;
    if (ranges_ + more > kMaxRanges) {
      incomplete_ = true;
      continue;
    }
    ranges_ += more;
    lost->numbers.shrink();
    sides_.emplace(std::pair(connection.number, direction), std::move(*lost));
  }
}

std::optional<bool> LostPackets::contains(std::uint64_t connection, TrafficDirection direction,
                                          std::uint64_t number) const {
  const auto found = sides_.find({connection, direction});
  if (found == sides_.end() || number < found->second.known_from) return std::nullopt;
  return found->second.numbers.contains(number);
}

}  // namespace mxp::dump
