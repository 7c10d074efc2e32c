#include "netem/serializer.h"

#include <algorithm>
#include <limits>

#include "netem/distribution.h"
#include "netem/spec_units.h"

namespace mxp::netem {
namespace {

// Slots belong to the link and not to a flow, so their draws come from a flow number that no flow has.
constexpr std::uint64_t kSlotFlow = std::numeric_limits<std::uint64_t>::max();

// Waits of a day each add up, packet by packet, to more than a Timestamp holds. Nobody sees the difference after 146
// years.
constexpr Timestamp kFarthest{Duration::max() / 2};

}  // namespace

Serializer::Serializer(const LinkSpec& spec, std::uint64_t seed, std::uint32_t direction)
    : rate_(spec.rate),
      framing_(spec.framing),
      slot_(spec.slot),
      trace_(spec.trace.opportunities_ms),
      draws_(seed, direction, kSlotFlow) {}

void Serializer::change(const LinkSpec& spec) {
  rate_ = spec.rate;
  framing_ = spec.framing;
  if (slot_ != spec.slot) {
    slot_ = spec.slot;
    packets_left_ = bytes_left_ = 0;  // the next packet opens a slot of the new kind
  }
  if (trace_.opportunities_ms() != spec.trace.opportunities_ms) trace_ = DeliveryTrace(spec.trace.opportunities_ms);
}

Timestamp Serializer::start(Timestamp ready, Timestamp link_start) const {
  if (!trace_.empty()) return link_start + trace_.next_opportunity(ready - link_start);
  return rate_.is_zero() ? ready : std::max(ready, wire_free_);
}

Duration Serializer::time_on_wire(std::uint64_t ip_bytes) const {
  std::int64_t bytes = std::max<std::int64_t>(static_cast<std::int64_t>(ip_bytes) + framing_.overhead_bytes, 0);
  if (framing_.cell_bytes > 0) {
    const std::int64_t cells = (bytes + framing_.cell_bytes - 1) / framing_.cell_bytes;
    bytes = std::max<std::int64_t>(
        cells * (static_cast<std::int64_t>(framing_.cell_bytes) + framing_.cell_overhead_bytes), 0);
  }
  // Cells may make of one packet more than a Duration can say: beyond this it does not matter how long.
  if (static_cast<std::uint64_t>(bytes) > rate_.bytes_in(kLongestTime)) return kLongestTime;
  return rate_.time_for(static_cast<std::uint64_t>(bytes));
}

Timestamp Serializer::departure(Timestamp ready, std::uint64_t ip_bytes, Timestamp link_start) {
  if (!trace_.empty()) {
    ready = link_start + trace_.departure(ready - link_start, ip_bytes);
  } else if (!rate_.is_zero()) {
    // Same as sch_netem: max(now + latency, end of the packet before) + time on the wire.
    wire_free_ = std::min(std::max(ready, wire_free_) + time_on_wire(ip_bytes), kFarthest);
    ready = wire_free_;
  }
  return slot_.enabled() ? through_slots(ready, ip_bytes) : ready;
}

Duration Serializer::draw_slot_wait() {
  const double u = draws_.uniform({.packet = slot_index_++}, Purpose::slot);
  if (slot_.drawn) return draw_duration(slot_.delay, slot_.jitter, slot_.distribution, u, slot_.table);
  return slot_.min + Duration(static_cast<Duration::rep>(static_cast<double>((slot_.max - slot_.min).count()) * u));
}

// A packet that is ready before the open slot is due joins it; one that comes later, or finds it full, waits for the
// next.
Timestamp Serializer::through_slots(Timestamp ready, std::uint64_t ip_bytes) {
  if (ready > slot_opens_ || packets_left_ == 0 || bytes_left_ == 0) {
    slot_opens_ = std::min(std::max(ready, slot_opens_) + draw_slot_wait(), kFarthest);
    packets_left_ = slot_.packets == 0 ? std::numeric_limits<std::uint64_t>::max() : slot_.packets;
    bytes_left_ = slot_.bytes == 0 ? std::numeric_limits<std::uint64_t>::max() : slot_.bytes;
  }
  --packets_left_;
  bytes_left_ -= std::min(bytes_left_, ip_bytes);  // as in the kernel, the packet that exceeds the slot still goes
  return slot_opens_;
}

}  // namespace mxp::netem
