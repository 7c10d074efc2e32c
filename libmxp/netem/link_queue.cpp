// A link with a managed queue: a packet waits in the bottleneck until the wire is free for it, and what is left of its
// delay comes after the wire. And what a flow may not send at all.
#include <algorithm>

#include "core/packet_header.h"
#include "netem/link.h"
#include "netem/link_parts.h"

namespace mxp::netem {
namespace {

bool is_handshake_packet(ByteView bytes) {
  const auto header = parse_packet_header(bytes);
  return header && !std::holds_alternative<ShortHeader>(*header);
}

bool holds(const std::vector<DropList::Range>& ranges, std::uint64_t number) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const DropList::Range& range) { return number >= range.first && number <= range.last; });
}

}  // namespace

bool Link::listed(Flow& flow, const Verdict& verdict, ByteView bytes) const {
  bool chosen = holds(spec_.drops.packets, verdict.index + 1);
  if (!spec_.drops.handshake.empty() && is_handshake_packet(bytes)) {
    chosen = holds(spec_.drops.handshake, ++flow.handshake_packets) || chosen;
  }
  return chosen;
}

bool Link::over_limit(Flow& flow, std::size_t bytes) const {
  if (flow.limit_changes != limit_changes_) {
    flow.limit_changes = limit_changes_;
    flow.bytes = 0;
  }
  flow.bytes += bytes;
  return flow.bytes > *spec_.flow_bytes;
}

bool Link::has_room_in_bottleneck(std::size_t payload_bytes) const {
  if (!spec_.limit.automatic) return bottleneck_.size() < spec_.limit.packets;
  return bottleneck_.bytes() + ip_size(payload_bytes) <= limit_bytes_;
}

std::optional<Ecn> Link::judged_by_queue(const Offer& offer, Ecn ecn, const FlowDraws& draws, DrawIndex at) {
  switch (bottleneck_.judge_arrival(can_be_marked(ecn), draws.uniform(at, Purpose::queue), offer.now)) {
    case QueueFate::send: return ecn;
    case QueueFate::mark:
      if (ecn != Ecn::ce) ++counters_->marked;
      return Ecn::ce;
    case QueueFate::drop: break;
  }
  return std::nullopt;
}

void Link::advance_bottleneck(Timestamp now) {
  while (!bottleneck_.empty()) {
    const Timestamp turn = serializer_.start(bottleneck_.front().arrived, *first_offer_);
    if (turn > now) return;
    const Bottleneck::Next next = bottleneck_.pop(turn);
    if (next.fate == QueueFate::drop) {
      ++counters_->queue_dropped;
      queued_bytes_ -= next.packet.ip_bytes;
      free_.push_back(next.packet.buffer);
      continue;
    }
    put_on_wire(next.packet, next.fate == QueueFate::mark);
  }
}

// When the queue is no longer managed, or the path is another one: those that wait go as they would have by themselves.
void Link::send_all_that_waits() {
  while (!bottleneck_.empty()) {
    const Timestamp turn = serializer_.start(bottleneck_.front().arrived, *first_offer_);
    put_on_wire(bottleneck_.pop(turn).packet, false);
  }
}

void Link::put_on_wire(const Bottleneck::Packet& head, bool marked) {
  Packet& packet = packets_[head.buffer];
  const Timestamp sent = serializer_.departure(head.arrived, head.ip_bytes, *first_offer_);
  const bool long_queue = spec_.ce_threshold.count() > 0 && sent - head.arrived > spec_.ce_threshold;
  if (marked || (long_queue && head.may_mark)) mark(packet);
  queue_.push_back({.due = keep_order(sent + packet.delay), .sequence = sequence_++, .buffer = head.buffer});
  std::push_heap(queue_.begin(), queue_.end(), leaves_later);
}

void Link::mark(Packet& packet) {
  if (packet.ecn == Ecn::ce) return;
  packet.ecn = Ecn::ce;
  ++counters_->marked;
}

Timestamp Link::keep_order(Timestamp ready) {
  if (spec_.order != Order::keep) return ready;
  const Duration shift = std::max(last_ready_ - ready, Duration::zero());
  last_ready_ = ready + shift;
  counters_->order_shift.record(shift);
  return last_ready_;
}

}  // namespace mxp::netem
