#include "support/flow_lab.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "netem/spec.h"

namespace mxp::testing {

namespace {

constexpr std::size_t kHeaders = 28;   // IPv4 and UDP
constexpr std::size_t kAckBytes = 50;  // a packet with an ACK frame and nothing else

netem::LinkSpec parse(const std::string& text, const std::vector<std::uint32_t>& opportunities_ms = {}) {
  auto spec = netem::parse_link_spec(text);
  if (!spec) throw std::invalid_argument("not a link: " + text);
  if (!spec->trace.file.empty()) spec->trace.opportunities_ms = opportunities_ms;
  return *spec;
}

}  // namespace

FlowLab::FlowLab(const LabConfig& config)
    : config_(config),
      up_(parse(config.up, config.opportunities_ms), {config.seed, netem::Direction::up}),
      down_(parse(config.down), {config.seed, netem::Direction::down}),
      rate_(parse(config.up).rate),
      buffer_(std::max(config.datagram, kAckBytes)) {}

std::size_t FlowLab::add(const FlowPlan& plan) {
  RecoveryConfig config;
  config.congestion_control = plan.congestion_control;
  flows_.push_back(std::make_unique<Flow>(plan, config, config_.datagram));
  flows_.back()->recovery.set_handshake_confirmed();
  if (config_.ack_frequency)
    flows_.back()->ack_frequency.on_peer_parameters(std::chrono::milliseconds(1), std::chrono::milliseconds(25));
  const std::size_t index = flows_.size() - 1;
  schedule(Timestamp(plan.starts_at), [this, index] { send(*flows_[index], index); });
  return index;
}

void FlowLab::run(Duration until) {
  const Timestamp end = Timestamp{} + until;
  for (;;) {
    drain_links();
    Timestamp next = std::min(up_.next_departure().value_or(kNever), down_.next_departure().value_or(kNever));
    if (!events_.empty()) next = std::min(next, events_.top().at);
    if (next > end) break;
    now_ = std::max(now_, next);
    while (!events_.empty() && events_.top().at <= now_) {
      const auto action = events_.top().action;
      events_.pop();
      action();
    }
  }
  now_ = end;
}

void FlowLab::drain_links() {
  while (const auto departure = up_.take(now_)) {
    std::uint64_t number;
    std::memcpy(&number, departure->bytes.data(), sizeof number);
    departed_.push_back({now_ - Timestamp{}, now_ - departure->offered_at});
    on_data(departure->flow, number);
  }
  while (const auto departure = down_.take(now_)) {
    std::uint64_t id;
    std::memcpy(&id, departure->bytes.data(), sizeof id);
    const auto found = acks_.find(id);
    if (found == acks_.end()) continue;  // a copy
    Ack ack = std::move(found->second);
    acks_.erase(found);
    const Duration extra = flows_[ack.flow]->plan.extra_delay;
    if (extra == Duration::zero()) on_ack(ack.flow, ack.ranges, ack.delay);
    else schedule(now_ + extra, [this, ack] { on_ack(ack.flow, ack.ranges, ack.delay); });
  }
}

void FlowLab::count_losses(Flow& flow, const Outcome& outcome) {
  for (const LostPacket& it : outcome.lost) {
    flow.lost += it.packet.in_flight ? 1 : 0;
    if (flow.request && it.packet.number == PacketNumber(flow.request->first))
      flow.ack_frequency.on_lost(flow.request->second.sequence);
  }
  for (const SentPacket& packet : outcome.acknowledged) {
    if (!flow.request || packet.number != PacketNumber(flow.request->first)) continue;
    flow.ack_frequency.on_acknowledged(flow.request->second.sequence);
    flow.recovery.set_peer_max_ack_delay(flow.ack_frequency.peer_max_ack_delay());
  }
  flow.delivered += outcome.acknowledged.size() + outcome.spurious;
  if (!flow.finished_at && flow.delivered * config_.datagram >= flow.plan.bytes) flow.finished_at = now_ - Timestamp{};
}

void FlowLab::send(Flow& flow, std::size_t index) {
  if (flow.finished_at) return;
  if (now_ >= flow.recovery.deadline()) count_losses(flow, flow.recovery.on_deadline(now_));
  SendPermit permit = flow.recovery.permit(now_);
  // What was lost is sent again: so many packets are sent as were lost or are new.
  const auto wanted = [&] {
    return flow.next - flow.lost < (flow.plan.bytes + config_.datagram - 1) / config_.datagram;
  };
  for (; !permit.blocked() && (permit.probe || wanted()); permit = flow.recovery.permit(now_)) {
    for (std::uint64_t bytes = permit.bytes; bytes >= config_.datagram && (permit.probe || wanted());
         bytes -= config_.datagram) {
      if (const auto request = flow.ack_frequency.request_due(
              now_, PacketNumber(flow.next), flow.path,
              flow.recovery.sees_reordering() ? AckFrequency::Order::mixed : AckFrequency::Order::kept)) {
        flow.ack_frequency.on_sent(now_, *request);
        flow.recovery.set_peer_max_ack_delay(flow.ack_frequency.peer_max_ack_delay());
        flow.request = {flow.next, *request};
      }
      flow.recovery.on_packet_sent({.number = PacketNumber(flow.next),
                                    .sent_at = now_,
                                    .frames_begin = flow.next,
                                    .frames_count = 1,
                                    .size_bytes = static_cast<std::uint32_t>(config_.datagram),
                                    .ack_eliciting = true,
                                    .in_flight = true,
                                    .kind = permit.probe ? PacketKind::loss_probe : PacketKind::ordinary});
      if (flow.plan.urgent) flow.path.on_critical_data(now_);
      std::memcpy(buffer_.data(), &flow.next, sizeof flow.next);
      up_.offer(ByteView(buffer_).first(config_.datagram), now_, index);
      ++flow.next;
      if (permit.probe) break;
    }
  }
  if (!permit.blocked()) flow.recovery.on_application_limited();
  const Timestamp wake = std::min(permit.retry_at, flow.recovery.deadline());
  if (wake != kNever && (wake < flow.wake_at || flow.wake_at <= now_)) {
    flow.wake_at = std::max(wake, now_);
    schedule(flow.wake_at, [this, index] { send(*flows_[index], index); });
  }
}

void FlowLab::on_data(std::size_t index, std::uint64_t number) {
  Flow& flow = *flows_[index];
  if (number >= flow.seen.size()) flow.seen.resize(std::max<std::size_t>(number + 1, 2 * flow.seen.size()));
  if (flow.seen[number]) return;
  flow.seen[number] = true;
  flow.received.push_back(now_ - Timestamp{});
  if (flow.request && flow.request->first == number) (void)flow.tracker.on_request(flow.request->second);
  flow.tracker.on_packet_received(now_, PacketNumber(number), true);
  acknowledge_if_due(index);
  if (flow.tracker.deadline() != kNever)
    schedule(flow.tracker.deadline(), [this, index] { acknowledge_if_due(index); });
}

void FlowLab::acknowledge_if_due(std::size_t index) {
  Flow& flow = *flows_[index];
  if (!flow.tracker.ack_due(now_)) return;
  const auto ranges = flow.tracker.ranges();
  acks_.emplace(next_ack_, Ack{index, {ranges.begin(), ranges.end()}, flow.tracker.delay(now_)});
  std::memcpy(buffer_.data(), &next_ack_, sizeof next_ack_);
  ++next_ack_;
  down_.offer(ByteView(buffer_).first(kAckBytes), now_, index);
  flow.tracker.on_ack_sent(now_);
  // As if ACKs of ours were acknowledged after some thousand packets.
  const std::uint64_t largest = ranges.front().last.value();
  if (largest > flow.largest_acknowledgement_sent + 5000) {
    flow.tracker.on_ack_acknowledged(PacketNumber(flow.largest_acknowledgement_sent));
    flow.largest_acknowledgement_sent = largest - 2500;
  }
}

void FlowLab::on_ack(std::size_t index, const std::vector<AckRange>& ranges, Duration delay) {
  Flow& flow = *flows_[index];
  if (const auto outcome = flow.recovery.on_ack(now_, AckOf(ranges, delay))) count_losses(flow, *outcome);
  send(flow, index);
}

double FlowLab::rate_mbit(std::size_t flow, Duration from, Duration to) const {
  const auto& times = flows_[flow]->received;
  const auto begin = std::lower_bound(times.begin(), times.end(), from);
  const auto end = std::lower_bound(times.begin(), times.end(), to);
  const double seconds = std::chrono::duration<double>(to - from).count();
  return static_cast<double>(end - begin) * static_cast<double>(config_.datagram) * 8e-6 / seconds;
}

double FlowLab::share(std::size_t flow, Duration from, Duration to) const {
  const double with_headers = static_cast<double>(config_.datagram + kHeaders) / static_cast<double>(config_.datagram);
  return rate_mbit(flow, from, to) * with_headers / (static_cast<double>(rate_.bits_per_second()) * 1e-6);
}

double FlowLab::total_share(Duration from, Duration to) const {
  double sum = 0;
  for (std::size_t i = 0; i < flows_.size(); ++i) sum += share(i, from, to);
  return sum;
}

double FlowLab::jain(Duration from, Duration to) const {
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < flows_.size(); ++i) {
    const double x = share(i, from, to);
    sum += x;
    squares += x * x;
  }
  return squares == 0 ? 0 : sum * sum / (static_cast<double>(flows_.size()) * squares);
}

Duration FlowLab::queue_delay(double percentile, Duration from, Duration to) const {
  std::vector<Duration> delays;
  Duration shortest = Duration::max();
  for (const Departed& it : departed_) {
    shortest = std::min(shortest, it.delay);
    if (it.at >= from && it.at < to) delays.push_back(it.delay);
  }
  if (delays.empty()) return {};
  const auto rank = static_cast<std::ptrdiff_t>(percentile / 100 * static_cast<double>(delays.size() - 1));
  std::nth_element(delays.begin(), delays.begin() + rank, delays.end());
  return delays[static_cast<std::size_t>(rank)] - shortest;
}

double FlowLab::lost_share(std::size_t flow) const {
  const Flow& it = *flows_[flow];
  return it.next == 0 ? 0 : static_cast<double>(it.lost) / static_cast<double>(it.next);
}

}  // namespace mxp::testing
