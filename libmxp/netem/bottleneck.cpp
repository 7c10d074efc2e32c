#include "netem/bottleneck.h"

namespace mxp::netem {

void Bottleneck::manage(const LinkSpec& spec, ByteRate rate) {
  const LinkSpec::Queue& queue = spec.queue;
  ecn_ = queue.ecn;
  switch (queue.discipline) {
    case QueueDiscipline::droptail: management_ = std::monostate{}; break;
    case QueueDiscipline::codel: management_ = Codel(queue.target, queue.interval); break;
    case QueueDiscipline::red: management_ = Red(queue, red_levels(queue, spec.limit.packets), rate); break;
  }
}

QueueFate Bottleneck::judge_arrival(bool may_mark, double u, Timestamp now) {
  if (auto* red = std::get_if<Red>(&management_)) return red->judge(bytes_, may_mark, u, now);
  return QueueFate::send;
}

void Bottleneck::push(const Packet& packet) {
  // Those that are gone are cleared away when they are half of all, so that each packet is moved at most once.
  if (first_ > 0 && first_ * 2 >= packets_.size()) {
    packets_.erase(packets_.begin(), packets_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  packets_.push_back(packet);
  bytes_ += packet.ip_bytes;
}

Bottleneck::Next Bottleneck::pop(Timestamp now) {
  Next next{.packet = packets_[first_++]};
  bytes_ -= next.packet.ip_bytes;
  if (auto* codel = std::get_if<Codel>(&management_)) {
    next.fate = codel->judge({.waited = now - next.packet.arrived,
                              .bytes = next.packet.ip_bytes,
                              .bytes_behind = bytes_,
                              .may_mark = ecn_ && next.packet.may_mark},
                             now);
    if (empty()) codel->on_empty();
  } else if (auto* red = std::get_if<Red>(&management_)) {
    if (empty()) red->on_empty(now);
  }
  return next;
}

}  // namespace mxp::netem
