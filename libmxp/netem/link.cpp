// A packet's way: offer() -> decide() draws everything that chance decides -> admit() drops or stores it -> enqueue()
// sets its departure -> take() hands it out. Under a managed queue enqueue() lets it wait, and advance_bottleneck()
// (link_queue.cpp) sets its departure when its turn on the wire comes.
#include "netem/link.h"

#include <algorithm>

#include "netem/distribution.h"
#include "netem/link_parts.h"

namespace mxp::netem {
namespace {

// Our choice: without a rate `limit auto` has no bound of its own, and memory must have one.
constexpr std::size_t kMostQueued = 1u << 20;
// Our choice: `limit auto` on a link with little delay still takes a burst of full packets.
constexpr std::uint64_t kLeastAutoBytes = 32 * 1500;

std::uint64_t automatic_limit(const LinkSpec& spec) {
  const ByteRate rate = mean_rate(spec);
  if (rate.is_zero()) return 0;
  const Duration on_the_way =
      spec.delay.mean + spec.delay.jitter + std::max(spec.slot.max, spec.slot.delay + spec.slot.jitter);
  return std::max(rate.bytes_in(on_the_way) * 3 / 2, kLeastAutoBytes);
}

}  // namespace

std::string_view to_string(Fate fate) {
  switch (fate) {
    case Fate::passed: return "passed";
    case Fate::lost: return "loss";
    case Fate::lost_too_big: return "mtu";
    case Fate::lost_outage: return "outage";
    case Fate::lost_listed: return "drop list";
    case Fate::lost_over_limit: return "byte limit";
    case Fate::tail_dropped: return "queue limit";
    case Fate::queue_dropped: return "queue management";
  }
  return "unknown";
}

ByteRate LinkCounters::rate() const {
  const Duration span = last_out - first_out;
  if (span.count() <= 0) return {};
  return ByteRate::bytes_per_second(
      static_cast<std::uint64_t>(static_cast<double>(ip_bytes_after_first) * 1e9 / static_cast<double>(span.count())));
}

Link::Link(LinkSpec spec, LinkIdentity identity)
    : spec_(std::move(spec)),
      identity_(identity),
      own_counters_(identity.counters == nullptr ? std::make_unique<LinkCounters>() : nullptr),
      counters_(identity.counters == nullptr ? own_counters_.get() : identity.counters),
      serializer_(spec_, identity.seed, static_cast<std::uint32_t>(identity.direction)),
      bottleneck_(spec_, mean_rate(spec_)),
      limit_bytes_(automatic_limit(spec_)) {}

void Link::change(LinkSpec spec, Path path) {
  if (path == Path::other || spec.queue.discipline == QueueDiscipline::droptail) send_all_that_waits();
  if (spec.queue != spec_.queue || spec.limit != spec_.limit) bottleneck_.manage(spec, mean_rate(spec));
  serializer_.change(spec);
  if (spec.flow_bytes != spec_.flow_bytes) ++limit_changes_;
  if (path == Path::other) {
    serializer_.free_wire();
    last_ready_ = {};
  }
  spec_ = std::move(spec);
  limit_bytes_ = automatic_limit(spec_);
}

bool Link::leaves_later(const Queued& a, const Queued& b) {
  return a.due != b.due ? a.due > b.due : a.sequence > b.sequence;
}

Link::Flow& Link::flow_of(FlowId id) {
  if (const auto found = flows_.find(id); found != flows_.end()) return found->second;
  return flows_.emplace(id, Flow(FlowDraws(identity_.seed, static_cast<std::uint32_t>(identity_.direction), id)))
      .first->second;
}

Verdict Link::offer(ByteView bytes, Timestamp now, FlowId flow_id, Ecn ecn, Duration waited) {
  free_.insert(free_.end(), taken_.begin(), taken_.end());
  taken_.clear();
  if (!first_offer_) first_offer_ = now;
  advance_bottleneck(now);

  Flow& flow = flow_of(flow_id);
  Verdict verdict{.index = flow.packets++};
  const DrawIndex original{.packet = verdict.index};
  const DrawIndex copy{.packet = verdict.index, .copy = true};
  const bool make_copy =
      spec_.duplicate.p > 0 &&
      flow.draws.correlated(original, Purpose::duplicate, spec_.duplicate.correlation) < spec_.duplicate.p;
  const Decision decision = decide(flow, original);
  const Decision copy_decision = make_copy ? decide(flow, copy) : Decision{};
  const bool is_listed = !spec_.drops.empty() && listed(flow, verdict, bytes);

  ++counters_->in;
  counters_->bytes_in += bytes.size();
  if (identity_.replay != nullptr) {
    if (const auto departures = identity_.replay->of(identity_.direction, flow_id, verdict.index)) {
      repeat(*departures, {.bytes = bytes, .now = now, .flow = flow_id, .ecn = ecn, .waited = waited}, verdict);
      return verdict;
    }
  }
  // The link does not copy what cannot enter it.
  if (blocked_ || in_outage(now)) {
    ++counters_->lost;
    ++counters_->lost_outage;
    verdict.fate = Fate::lost_outage;
    return verdict;
  }
  if (spec_.mtu > 0 && ip_size(bytes.size()) > spec_.mtu) {
    ++counters_->lost;
    ++counters_->lost_too_big;
    verdict.fate = Fate::lost_too_big;
    return verdict;
  }
  if (spec_.flow_bytes && over_limit(flow, bytes.size())) {
    ++counters_->lost;
    verdict.fate = Fate::lost_over_limit;
    return verdict;
  }
  if (is_listed) {
    ++counters_->lost;
    ++counters_->lost_listed;
    verdict.fate = Fate::lost_listed;
    return verdict;
  }
  if (spec_.marks == Marks::strip) ecn = Ecn::not_ect;
  const Offer offer{.bytes = bytes, .now = now, .flow = flow_id, .ecn = ecn, .waited = waited};
  verdict.fate = admit(decision, offer, flow.draws, original, &verdict);
  if (make_copy) {
    verdict.duplicated = true;
    ++counters_->duplicated;
    admit(copy_decision, offer, flow.draws, copy, nullptr);
  }
  return verdict;
}

// Every draw that has a memory is made for every packet, whatever becomes of the packet: a tail drop or an outage must
// not shift the decisions about the packets after it.
Link::Decision Link::decide(Flow& flow, DrawIndex at) const {
  Decision decision;
  decision.lose = flow.loss.loses(spec_.loss, flow.draws, at);
  decision.corrupt =
      spec_.corrupt.p > 0 && flow.draws.correlated(at, Purpose::corrupt, spec_.corrupt.correlation) < spec_.corrupt.p;
  // As in the kernel, a lost packet counts neither for reorder nor for jitter; with `ecn` it may be marked instead of
  // lost.
  if (decision.lose && !spec_.ecn) return decision;

  const auto& reorder = spec_.reorder;
  if (reorder.chance.p > 0 && flow.delayed_since_reorder + 1 >= reorder.gap &&
      flow.draws.correlated(at, Purpose::reorder, reorder.chance.correlation) < reorder.chance.p) {
    flow.delayed_since_reorder = 0;
    decision.at_once = true;
    return decision;
  }
  if (reorder.chance.p > 0 && flow.delayed_since_reorder + 1 < reorder.gap) ++flow.delayed_since_reorder;
  decision.delay =
      spec_.delay.jitter.count() == 0
          ? spec_.delay.mean
          : draw_duration(spec_.delay.mean, spec_.delay.jitter, spec_.delay.distribution,
                          flow.draws.correlated(at, Purpose::delay, spec_.delay.correlation), spec_.delay.table);
  return decision;
}

Fate Link::admit(const Decision& decision, const Offer& offer, const FlowDraws& draws, DrawIndex at, Verdict* verdict) {
  Ecn ecn = offer.ecn;
  if (decision.lose) {
    if (!spec_.ecn || !can_be_marked(ecn)) {
      ++counters_->lost;
      return Fate::lost;
    }
    ecn = Ecn::ce;
    ++counters_->marked;
    if (verdict != nullptr) verdict->marked = true;
  }
  if (!has_room(offer.bytes.size())) {
    ++counters_->tail_dropped;
    return Fate::tail_dropped;
  }
  if (bottleneck_.managed() && !decision.at_once) {
    const auto judged = judged_by_queue(offer, ecn, draws, at);
    if (!judged) {
      ++counters_->queue_dropped;
      return Fate::queue_dropped;
    }
    if (*judged != ecn && verdict != nullptr) verdict->marked = true;
    ecn = *judged;
  }

  const std::uint32_t buffer = store(offer, at.packet, ecn);
  Packet& packet = packets_[buffer];
  packet.duplicate = at.copy;
  packet.reordered = decision.at_once;
  packet.delay = decision.delay;
  if (decision.corrupt && !offer.bytes.empty()) flip(packet, draws.bits(at, Purpose::corrupt_where));
  if (packet.reordered) ++counters_->reordered;
  if (verdict != nullptr) {
    verdict->corrupted = packet.corrupted;
    verdict->reordered = packet.reordered;
  }
  const Duration queued = enqueue(buffer, decision, offer.now);
  if (spec_.ce_threshold.count() > 0 && queued > spec_.ce_threshold && can_be_marked(ecn) && ecn != Ecn::ce) {
    mark(packets_[buffer]);
    if (verdict != nullptr) verdict->marked = true;
  }
  return Fate::passed;
}

Duration Link::enqueue(std::uint32_t buffer, const Decision& decision, Timestamp now) {
  Timestamp due = now;
  Duration queued{};
  // As in the kernel, a packet that `reorder` chose overtakes everything that waits, also for the wire.
  if (!decision.at_once) {
    if (bottleneck_.managed()) {
      const Packet& packet = packets_[buffer];
      bottleneck_.push({.buffer = buffer,
                        .ip_bytes = static_cast<std::uint32_t>(ip_size(packet.bytes.size())),
                        .arrived = now,
                        .may_mark = can_be_marked(packet.ecn)});
      advance_bottleneck(now);
      return {};
    }
    const Timestamp ready = keep_order(now + decision.delay);
    due = serializer_.departure(ready, ip_size(packets_[buffer].bytes.size()), *first_offer_);
    queued = due - ready;
  }
  queue_.push_back({.due = due, .sequence = sequence_++, .buffer = buffer});
  std::push_heap(queue_.begin(), queue_.end(), leaves_later);
  return queued;
}

bool Link::has_room(std::size_t payload_bytes) const {
  if (bottleneck_.managed()) return has_room_in_bottleneck(payload_bytes);
  if (!spec_.limit.automatic) return queue_.size() < spec_.limit.packets;
  if (queue_.size() >= kMostQueued) return false;
  return limit_bytes_ == 0 || queued_bytes_ + ip_size(payload_bytes) <= limit_bytes_;
}

bool Link::in_outage(Timestamp now) const {
  if (spec_.outage.every.count() <= 0) return false;
  const Duration into_period = (now - *first_offer_) % spec_.outage.every;
  return into_period >= spec_.outage.every - spec_.outage.length;
}

std::uint32_t Link::free_buffer() {
  if (free_.empty()) {
    packets_.emplace_back();
    // Grown together, so that later moves between the lists never allocate.
    free_.reserve(packets_.capacity());
    taken_.reserve(packets_.capacity());
    return static_cast<std::uint32_t>(packets_.size() - 1);
  }
  const std::uint32_t buffer = free_.back();
  free_.pop_back();
  return buffer;
}

std::optional<Timestamp> Link::next_departure() const {
  std::optional<Timestamp> next;
  if (!queue_.empty()) next = queue_.front().due;
  if (bottleneck_.empty()) return next;
  const Timestamp turn = serializer_.start(bottleneck_.front().arrived, *first_offer_);
  return next ? std::min(*next, turn) : turn;
}

std::optional<Departure> Link::take(Timestamp now) {
  advance_bottleneck(now);
  if (queue_.empty() || queue_.front().due > now) return std::nullopt;
  const Queued next = queue_.front();
  std::pop_heap(queue_.begin(), queue_.end(), leaves_later);
  queue_.pop_back();
  taken_.push_back(next.buffer);

  const Packet& packet = packets_[next.buffer];
  const std::size_t ip_bytes = ip_size(packet.bytes.size());
  queued_bytes_ -= ip_bytes;
  if (counters_->out++ == 0) {
    counters_->first_out = now;
  } else {
    counters_->ip_bytes_after_first += ip_bytes;
  }
  counters_->last_out = now;
  counters_->bytes_out += packet.bytes.size();
  counters_->delay.record(now - packet.offered_at + packet.waited);
  return Departure{.bytes = packet.bytes,
                   .flow = packet.flow,
                   .index = packet.index,
                   .ecn = packet.ecn,
                   .duplicate = packet.duplicate,
                   .corrupted = packet.corrupted,
                   .reordered = packet.reordered,
                   .flipped_bit = packet.flipped_bit,
                   .offered_at = packet.offered_at,
                   .waited = packet.waited,
                   .due_at = next.due};
}

}  // namespace mxp::netem
