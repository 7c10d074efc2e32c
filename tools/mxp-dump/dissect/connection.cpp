#include "mxp-dump/dissect/connection.h"

#include <algorithm>

namespace mxp::dump {
namespace {

using Time = std::optional<std::uint64_t>;

Time longest(const std::vector<Path>& paths, Time Path::* end) {
  Time result;
  for (const Path& path : paths) {
    if (!path.first_initial_ns || !(path.*end) || *(path.*end) < *path.first_initial_ns) continue;
    result = std::max(result.value_or(0), *(path.*end) - *path.first_initial_ns);
  }
  return result;
}

}  // namespace

std::optional<std::uint64_t> Connection::handshake_ns() const { return longest(paths, &Path::first_response_ns); }

std::optional<std::uint64_t> Connection::confirmation_ns() const {
  return longest(paths, &Path::first_confirmation_ns);
}

bool Connection::unanswered() const {
  return initials > 0 && responses == 0 && sides[0].short_packets == 0 && sides[1].short_packets == 0;
}

std::uint64_t Connection::handshake_repeats(TrafficDirection direction) const {
  std::uint64_t repeats = 0;
  for (const Path& path : paths) repeats = std::max(repeats, path.handshake_repeats[index(direction)]);
  return repeats;
}

std::optional<std::uint64_t> Connection::retransmitted(TrafficDirection direction) const {
  if (!side(direction).read_completely()) return std::nullopt;
  return handshake_repeats(direction) + side(direction).repeating;
}

bool Connection::captured_completely(TrafficDirection direction) const {
  const Side& one = side(direction);
  if (!one.read_completely() || !one.fates.any_sent()) return false;
  return one.fates.counts().not_captured == 0;
}

std::optional<Connection::Fates> Connection::fates(TrafficDirection direction) const {
  const Side& one = side(direction);
  if (one.opened == 0 || !one.read_completely()) return std::nullopt;
  const PacketFates::Counts counts = one.fates.counts();
  Fates fates;
  // A packet that did not verify may be one of those that seem to be missing.
  const std::uint64_t doubtful = std::min(counts.not_captured, one.not_verified());
  fates.not_captured = counts.not_captured - doubtful;
  fates.unknown = counts.unknown + doubtful;
  if (!one.fates.any_acknowledged()) return fates;
  const bool complete = captured_completely(reverse(direction));
  fates.lost = counts.lost + (complete ? counts.unacknowledged : 0);
  fates.unknown += complete ? 0 : counts.unacknowledged;
  return fates;
}

std::optional<Connection::LostNumbers> Connection::lost_numbers(TrafficDirection direction) const {
  const auto fates = this->fates(direction);
  if (!fates || !fates->lost) return std::nullopt;
  PacketFates::LostNumbers lost = side(direction).fates.lost_numbers();
  LostNumbers result{std::move(lost.reported), lost.known_from};
  if (captured_completely(reverse(direction)))
    for (const RangeSet::Range& range : lost.unacknowledged.ranges()) result.numbers.add(range.begin, range.end);
  return result;
}

}  // namespace mxp::dump
