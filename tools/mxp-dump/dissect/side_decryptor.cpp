#include "mxp-dump/dissect/side_decryptor.h"

#include <algorithm>

namespace mxp::dump {
namespace {

constexpr std::size_t kMaxFruitlessSearches = 8;  // then the key is taken for the wrong one
// How many places in a connection are followed at once: two captures of it may be appended to one another.
constexpr std::size_t kMaxLines = 2;
// How many packets are opened before others are opened ahead: keys of short connections cost more than they save.
constexpr std::uint64_t kOpenedBefore = 64;

}  // namespace

SideDecryptor::Keys SideDecryptor::prepare(KeyRing& ring, ConnectionId destination,
                                           std::optional<std::uint8_t> likely_suite) {
  if (!lines_.empty() && destination == destination_) return Keys::present;
  const LoggedKeys* logged = ring.find(destination);
  if (logged == nullptr || logged->phase_0.empty()) return Keys::missing;
  lines_.clear();
  known_ = false;
  searches_ = misses_ = opened_ = source_ = 0;
  destination_ = destination;
  // Both suites are tried whatever the handshake said, because a forged message 2 may have said it.
  for (const Suite suite : {Suite::chacha20_poly1305, Suite::aes_256_gcm}) {
    for (const TrafficSecret& secret : logged->phase_0) {
      Line line{secret, PacketDecryptor(suite, secret), {}, {}};
      const bool likely = likely_suite == static_cast<std::uint8_t>(suite);
      lines_.insert(likely ? lines_.begin() : lines_.end(), std::move(line));
    }
  }
  return Keys::present;
}

std::optional<PacketDecryptor::Opened> SideDecryptor::open(ByteView packet, KeyRing& ring,
                                                           std::vector<std::uint8_t>& scratch,
                                                           const OpenedAhead* ahead) {
  if (ahead != nullptr && ahead->source != source_) ahead = nullptr;
  if (auto opened = open_anywhere(packet, scratch, ahead)) return opened;
  if (searches_ >= kMaxFruitlessSearches) return std::nullopt;
  return search(packet, ring.highest_phase(destination_), scratch);
}

std::optional<PacketDecryptor::Opened> SideDecryptor::try_repaired(ByteView packet,
                                                                   std::vector<std::uint8_t>& scratch) {
  return open_anywhere(packet, scratch, nullptr);
}

void SideDecryptor::follow_ahead(AheadOpener& opener, ConnectionId id) {
  if (source_ != 0 || ++opened_ < kOpenedBefore) return;
  const Line& line = lines_.front();
  source_ = opener.follow(id, line.decryptor.copy(line.phase_0), *line.largest + 1);
}

std::optional<PacketDecryptor::Opened> SideDecryptor::open_anywhere(ByteView packet, std::vector<std::uint8_t>& scratch,
                                                                    const OpenedAhead* ahead) {
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    auto opened = open_at(lines_[i], packet, scratch, ahead);
    if (!opened) continue;
    opened_with(i, opened->number);
    return opened;
  }
  return std::nullopt;
}

// A packet's number is near the largest one, or, in a capture whose parts are in another order, near the last one.
std::optional<PacketDecryptor::Opened> SideDecryptor::open_at(Line& line, ByteView packet,
                                                              std::vector<std::uint8_t>& scratch,
                                                              const OpenedAhead* ahead) {
  const std::uint64_t after_last = line.last ? *line.last + 1 : 0;
  const std::uint64_t after_largest = line.largest ? *line.largest + 1 : 0;
  const bool far_behind = after_largest - after_last > 64;
  const std::uint64_t expected = far_behind ? after_last : after_largest;
  if (ahead != nullptr) {
    if (auto opened = line.decryptor.adopt(*ahead, expected)) return opened;
  }
  if (auto opened = line.decryptor.open(packet, expected, scratch)) return opened;
  return far_behind ? line.decryptor.open(packet, after_largest, scratch) : std::nullopt;
}

std::optional<PacketDecryptor::Opened> SideDecryptor::search(ByteView packet, std::uint32_t highest_named,
                                                             std::vector<std::uint8_t>& scratch) {
  const PacketDecryptor::Search how{.highest_named = highest_named, .round = misses_};
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const std::uint64_t expected = lines_[i].largest ? *lines_[i].largest + 1 : 0;
    auto opened = lines_[i].decryptor.search(packet, expected, how, scratch);
    if (!opened) continue;
    opened_with(i, opened->number);
    // Only a search that found something earns another. Otherwise packets that open at once would pay for forged ones
    // between them.
    searches_ = 0;
    return opened;
  }
  // A search only looks ahead. What lies before is found from the beginning of the connection.
  if (known_ && lines_.front().decryptor.phase() > 0) {
    Line again{lines_.front().phase_0, PacketDecryptor(suite(), lines_.front().phase_0), {}, {}};
    auto opened = again.decryptor.open(packet, 0, scratch);
    if (!opened) opened = again.decryptor.search(packet, 0, how, scratch);
    if (opened) {
      if (lines_.size() == kMaxLines) lines_.pop_back();
      lines_.push_back(std::move(again));
      opened_with(lines_.size() - 1, opened->number);
      searches_ = 0;
      return opened;
    }
  }
  ++searches_;
  ++misses_;
  return std::nullopt;
}

void SideDecryptor::opened_with(std::size_t line, PacketNumber number) {
  std::rotate(lines_.begin(), lines_.begin() + static_cast<std::ptrdiff_t>(line),
              lines_.begin() + static_cast<std::ptrdiff_t>(line) + 1);
  if (!known_) lines_.erase(lines_.begin() + 1, lines_.end());
  known_ = true;
  misses_ = 0;
  Line& front = lines_.front();
  front.last = number.value();
  front.largest = std::max(front.largest.value_or(0), number.value());
}

}  // namespace mxp::dump
