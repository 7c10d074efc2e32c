#include "mxp-dump/qlog/qlog_trace.h"

#include <algorithm>
#include <limits>

#include "common/escape.h"
#include "core/packet_threshold.h"
#include "core/trace_frame_list.h"
#include "trace/qlog_records.h"

namespace mxp::dump {
namespace {

constexpr std::uint64_t kNanosecondsOfMillisecond = 1'000'000;

QlogSeenPacket::Type seen_type(PacketType type) {
  if (type == PacketType::initial) return QlogSeenPacket::Type::initial;
  return type == PacketType::one_rtt ? QlogSeenPacket::Type::one_rtt : QlogSeenPacket::Type::response;
}

}  // namespace

// Times count from a whole millisecond, which is what the header can tell.
QlogTrace::QlogTrace(QlogFlavour flavour, TrafficDirection flow, const PacketRecord& record)
    : flavour_(flavour),
      flow_(flow),
      zero_ns_(record.time_ns.value_or(0) / kNanosecondsOfMillisecond * kNanosecondsOfMillisecond),
      now_ns_(record.time_ns.value_or(0)),
      client_(record.client()),
      server_(record.server()) {}

void QlogTrace::event(const TraceEvent& event, std::string& out) const {
  append_qlog_event(out, flavour_, time(), event);
}

void QlogTrace::begin(const PacketRecord& record, std::string& out) {
  begun_ = true;
  const Role role = flow_ == TrafficDirection::client_to_server ? Role::client : Role::server;
  ConnectionId id;
  if (record.client_id) id = *record.client_id;
  else if (record.destination_id) id = *record.destination_id;
  append_qlog_header(out, {.flavour = flavour_,
                           .clock = {.at = {}, .unix_nanoseconds = zero_ns_},
                           .connection = id,
                           .role = role,
                           .program = "mxp-dump",
                           .network = true});
  const bool client = role == Role::client;
  event(TraceStarted{role, client ? server_ : client_, client ? client_ : server_, PublicKey{}}, out);
}

void QlogTrace::add(const PacketRecord& record, std::string& out) {
  now_ns_ = std::max(now_ns_, record.time_ns.value_or(now_ns_));
  if (!begun_) begin(record, out);
  add_move(record, out);
  if (record.duplicate || record.damaged || record.protection == Protection::key_misfit) return add_drop(record, out);
  add_packet(record, out);
  add_established(record, out);
  if (record.protection == Protection::opened) add_frames(record, out);
}

// A packet that its receiver does not take, as far as can be seen here.
void QlogTrace::add_drop(const PacketRecord& record, std::string& out) {
  DropReason reason = DropReason::duplicate_packet;
  if (!record.duplicate)
    reason = record.type == PacketType::one_rtt ? DropReason::authentication_failed : DropReason::malformed_header;
  event(TracePacketDropped{reason, record.length, record.source}, out);
}

void QlogTrace::add_packet(const PacketRecord& record, std::string& out) {
  QlogSeenPacket packet{
      .way = is_ours(record.direction) ? QlogSeenPacket::Way::sent : QlogSeenPacket::Way::received,
      .type = seen_type(record.type),
      .number = record.number,
      .frames = {},
      .size_bytes = record.length,
      .ack_eliciting = record.asks_for_ack(),
      .repeats = record.retransmission,
  };
  TraceFrameList frames;
  if (record.protection == Protection::opened) {
    for (const Frame& frame : record.frames) frames.add(frame);
    packet.frames = frames.view();
  }
  append_qlog_seen(out, flavour_, time(), packet);
  if (!record.number) return;
  const std::uint64_t number = record.number->value();
  if (record.lost == true) {
    auto& untold = directions_[index(record.direction)].untold;
    untold[number] = record.length;
    if (untold.size() > kMaxUntold) tell_lost(record.direction, untold.begin()->first + 1, LossReason::time, out);
  }
  if (!is_ours(record.direction)) return;
  flight_.sent({.number = number,
                .frame = record.frame,
                .time_ns = static_cast<std::int64_t>(now_ns_),
                .size = record.length,
                .eliciting = packet.ack_eliciting},
               kNothingToSettle);
}

// The client has moved, or a NAT gave it another address.
void QlogTrace::add_move(const PacketRecord& record, std::string& out) {
  if (!record.from_client() || record.source == client_) return;
  client_ = record.source;
  const bool client = flow_ == TrafficDirection::client_to_server;
  event(TracePathChanged{client ? server_ : client_, client ? client_ : server_}, out);
}

// The keys are confirmed by the client's first packet after message 2.
void QlogTrace::add_established(const PacketRecord& record, std::string& out) {
  if (record.type == PacketType::initial && !first_initial_ns_) first_initial_ns_ = now_ns_;
  if (record.type == PacketType::response && !first_response_ns_) first_response_ns_ = now_ns_;
  if (established_ || record.type != PacketType::one_rtt || !record.from_client() || !first_initial_ns_ ||
      !first_response_ns_)
    return;
  established_ = true;
  event(TraceEstablished{Duration(*first_response_ns_ - *first_initial_ns_)}, out);
}

void QlogTrace::add_frames(const PacketRecord& record, std::string& out) {
  Direction& own = directions_[index(record.direction)];
  if (!record.turn.empty()) {
    const bool first = own.phases >= directions_[index(reverse(record.direction))].phases;
    const bool ours = is_ours(record.direction);
    ++own.phases;
    event(TraceKeyUpdated{.side = ours ? TraceKeyUpdated::KeySide::sending : TraceKeyUpdated::KeySide::receiving,
                          .phase = record.phase,
                          .begun = ours == first ? TraceKeyUpdated::Begun::by_us : TraceKeyUpdated::Begun::by_peer},
          out);
  }
  for (const Frame& frame : record.frames) {
    if (const auto* ack = std::get_if<AckFrame>(&frame)) {
      const std::uint64_t largest = ack->largest.value();
      if (largest >= kPacketThreshold)
        tell_lost(reverse(record.direction), largest - kPacketThreshold + 1, LossReason::reordering, out);
      if (!is_ours(record.direction)) add_ack(*ack, out);
    }
    const auto* close = std::get_if<CloseFrame>(&frame);
    if (close == nullptr || closed_) continue;
    closed_ = true;
    const std::string reason =
        tools::escape(std::string_view(reinterpret_cast<const char*>(close->reason.data()), close->reason.size()));
    event(TraceClosed{.by = is_ours(record.direction) ? CloseInfo::By::local : CloseInfo::By::peer,
                      .application = close->application,
                      .code = close->code,
                      .frame_type = close->frame_type,
                      .before_established = false,
                      .reason = reason},
          out);
  }
}

// RFC 9002 §5, from the place of the capture to the receiver and back.
void QlogTrace::add_ack(const AckFrame& frame, std::string& out) {
  const Flight::Answer& answer = flight_.acknowledged(frame, kNothingToSettle);
  if (answer.newly_acknowledged.empty()) return;
  TraceCongestion metrics{.window_bytes = 0, .in_flight_bytes = flight_.bytes(), .smoothed_rtt = smoothed_rtt_};
  const Duration whole(round_trip_ns(answer, frame, static_cast<std::int64_t>(now_ns_)).value_or(0));
  if (whole > Duration::zero()) {
    min_rtt_ = min_rtt_ == Duration::zero() ? whole : std::min(min_rtt_, whole);
    // RFC 9002 §5.3, where the page and `why` take any delay off that is shorter: these are the metrics of an endpoint.
    const Duration sample = whole - frame.delay >= min_rtt_ ? whole - frame.delay : whole;
    if (smoothed_rtt_ == Duration::zero()) {
      smoothed_rtt_ = sample;
      rtt_variation_ = sample / 2;
    } else {
      const Duration off = sample > smoothed_rtt_ ? sample - smoothed_rtt_ : smoothed_rtt_ - sample;
      rtt_variation_ += (off - rtt_variation_) / 4;
      smoothed_rtt_ += (sample - smoothed_rtt_) / 8;
    }
    metrics.smoothed_rtt = smoothed_rtt_;
    metrics.latest_rtt = sample;
    metrics.min_rtt = min_rtt_;
    metrics.rtt_variation = rtt_variation_;
  }
  event(metrics, out);
}

// Those below `before`, which are lost as the whole capture shows, and of which this is the moment when their sender
// could know.
void QlogTrace::tell_lost(TrafficDirection direction, std::uint64_t before, LossReason reason, std::string& out) {
  auto& untold = directions_[index(direction)].untold;
  while (!untold.empty() && untold.begin()->first < before) {
    const auto [number, size] = *untold.begin();
    untold.erase(untold.begin());
    const TracePacketLost told{PacketNumber(number), size, reason};
    if (is_ours(direction)) event(told, out);
    else append_qlog_peer_loss(out, flavour_, time(), told);
  }
}

void QlogTrace::finish(std::string& out) {
  for (const TrafficDirection direction : kDirections)
    tell_lost(direction, std::numeric_limits<std::uint64_t>::max(), LossReason::time, out);
}

}  // namespace mxp::dump
