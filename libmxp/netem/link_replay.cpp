// A link that repeats a recording, and the storing of packets that it has in common with one that decides by itself.
#include <algorithm>

#include "netem/link.h"

namespace mxp::netem {

std::uint32_t Link::store(const Offer& offer, std::uint64_t index, Ecn ecn) {
  const std::uint32_t buffer = free_buffer();
  Packet& packet = packets_[buffer];
  packet.bytes.assign(offer.bytes.begin(), offer.bytes.end());
  packet.flow = offer.flow;
  packet.index = index;
  packet.ecn = ecn;
  packet.duplicate = packet.corrupted = packet.reordered = false;
  packet.offered_at = offer.now;
  packet.waited = offer.waited;
  packet.delay = Duration::zero();
  queued_bytes_ += ip_size(offer.bytes.size());
  return buffer;
}

void Link::flip(Packet& packet, std::uint64_t bit) {
  packet.corrupted = true;
  packet.flipped_bit = bit;
  packet.bytes[(bit >> 3) % packet.bytes.size()] ^= static_cast<std::uint8_t>(1u << (bit & 7u));
  ++counters_->corrupted;
}

void Link::repeat(std::span<const RecordedDeparture> departures, const Offer& offer, Verdict& verdict) {
  bool passed = false;
  for (const RecordedDeparture& departure : departures) {
    const std::uint32_t buffer = store(offer, verdict.index, offer.ecn);
    Packet& packet = packets_[buffer];
    packet.duplicate = departure.copy;
    packet.reordered = departure.ahead;
    if (departure.flipped_bit && !packet.bytes.empty()) flip(packet, *departure.flipped_bit);
    if (departure.ahead) ++counters_->reordered;
    if (departure.marked) mark(packet);
    if (departure.copy) {
      ++counters_->duplicated;
      verdict.duplicated = true;
    } else {
      passed = true;
      verdict.corrupted = packet.corrupted;
      verdict.reordered = departure.ahead;
      verdict.marked = departure.marked;
    }
    queue_.push_back({.due = offer.now + departure.delay, .sequence = sequence_++, .buffer = buffer});
    std::push_heap(queue_.begin(), queue_.end(), leaves_later);
  }
  if (passed) return;
  ++counters_->lost;
  verdict.fate = Fate::lost;
}

}  // namespace mxp::netem
