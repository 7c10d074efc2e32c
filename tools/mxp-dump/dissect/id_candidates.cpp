#include "mxp-dump/dissect/id_candidates.h"

#include <algorithm>
#include <bit>
#include <string_view>

#include "core/packet_header.h"

namespace mxp::dump {
namespace {

// Form bit and fixed bit, and the reserved bit that header protection leaves in the clear (docs/protocol.md §3).
constexpr std::uint8_t kUnmaskedBits = 0xe0;

bool is_text(ConnectionId id) {
  return std::all_of(id.bytes().begin(), id.bytes().end(),
                     [](std::uint8_t byte) { return byte >= 0x20 && byte < 0x7f; });
}

}  // namespace

std::size_t EndpointsHash::operator()(const Endpoints& endpoints) const {
  std::size_t value = 0;
  for (const SocketAddress* address : {&endpoints.source, &endpoints.destination}) {
    const std::string_view ip(reinterpret_cast<const char*>(address->ip.data()), address->ip.size());
    value = value * 31 + std::hash<std::string_view>{}(ip) + address->port;
  }
  return value;
}

bool IdCandidate::better_than(const IdCandidate& other) const {
  const int variety = std::popcount(first_bytes), other_variety = std::popcount(other.first_bytes);
  if (variety != other_variety) return variety > other_variety;
  if (is_text(id) != is_text(other.id)) return !is_text(id);
  if (count != other.count) return count > other.count;
  return order < other.order;
}

bool IdCandidates::plausible(std::uint8_t first_byte, std::size_t length) {
  return (first_byte & kUnmaskedBits) == packet_bits::kFixed && length >= kMinShortPacket;
}

std::vector<IdCandidate>& IdCandidates::ids_of(const Endpoints& endpoints) {
  for (Pairs::value_type* const pair : latest_) {
    if (pair != nullptr && pair->first == endpoints) return pair->second;
  }
  const auto [pair, is_new] = pairs_.try_emplace(endpoints);
  if (is_new) {
    order_.push_back(endpoints);
    if (order_.size() > kMaxPairs) {
      latest_ = {};
      pairs_.erase(order_.front());
      order_.pop_front();
    }
  }
  latest_ = {&*pair, latest_[0]};
  return pair->second;
}

void IdCandidates::add(const Endpoints& endpoints, ConnectionId id, std::uint8_t first_byte,
                       std::optional<std::uint64_t> time_ns) {
  auto& ids = ids_of(endpoints);
  auto found = std::find_if(ids.begin(), ids.end(), [&](const IdCandidate& one) { return one.id == id; });
  if (found == ids.end()) {
    if (ids.size() == kMaxIds) {
      // Of the rarest ids the one that was seen first goes, since a new one must have time to come again.
      ids.erase(std::min_element(ids.begin(), ids.end(), [](const IdCandidate& a, const IdCandidate& b) {
        return a.count != b.count ? a.count < b.count : a.order < b.order;
      }));
    }
    found = ids.insert(ids.end(), IdCandidate{.id = id, .order = ++seen_, .first_ns = time_ns});
  }
  ++found->count;
  found->first_bytes |= std::uint32_t{1} << (first_byte & static_cast<std::uint8_t>(~kUnmaskedBits));
  if (time_ns && (!found->first_ns || *time_ns < *found->first_ns)) found->first_ns = time_ns;
}

const std::vector<IdCandidate>* IdCandidates::of(const Endpoints& endpoints) const {
  const auto found = pairs_.find(endpoints);
  return found == pairs_.end() ? nullptr : &found->second;
}

}  // namespace mxp::dump
