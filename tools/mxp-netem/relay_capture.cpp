// What the relay writes into its capture and its record: each datagram when it came and when it left, with the link's
// doing as a comment.
#include <fmt/format.h>

#include "mxp-netem/relay.h"

namespace mxp::tools {
namespace {

std::string drop_comment(const netem::Verdict& verdict, netem::FlowId flow) {
  if (verdict.fate == netem::Fate::passed) return {};
  return fmt::format("netem dropped: {} (flow {} packet {})", netem::to_string(verdict.fate), flow, verdict.index);
}

std::string departure_comment(const netem::Departure& packet) {
  std::string what;
  const auto add = [&](bool applies, std::string_view word) {
    if (applies) what += (what.empty() ? "netem: " : ", ") + std::string(word);
  };
  add(packet.duplicate, "duplicate");
  add(packet.corrupted, "one bit flipped");
  add(packet.reordered, "sent ahead of those before it");
  if (!what.empty()) what += fmt::format(" (flow {} packet {})", packet.flow, packet.index);
  return what;
}

}  // namespace

void Relay::record_offer(Side side, const SocketAddress& source, const SocketAddress& destination,
                         const InDatagram& datagram, const netem::Verdict& verdict, netem::FlowId flow, Timestamp now) {
  if (record_ != nullptr && verdict.fate != netem::Fate::passed && !verdict.duplicated)
    record_->add(netem::recorded_loss(side == Side::client ? netem::Direction::up : netem::Direction::down, flow,
                                      verdict.index));
  if (capture_ == nullptr) return;
  capture_->add({.side = side,
                 .sense = Sense::inbound,
                 .source = source,
                 .destination = destination,
                 .ecn = datagram.ecn,
                 .payload = datagram.bytes},
                now, drop_comment(verdict, flow));
}

void Relay::write_record(Side side, const netem::Departure& packet) {
  netem::RecordedDeparture departure{.delay = packet.due_at - packet.offered_at,
                                     .copy = packet.duplicate,
                                     .ahead = packet.reordered,
                                     .marked = packet.ecn == Ecn::ce,
                                     .flipped_bit = {}};
  if (packet.corrupted) departure.flipped_bit = packet.flipped_bit;
  record_->add(netem::recorded_departure(side == Side::server ? netem::Direction::up : netem::Direction::down,
                                         packet.flow, packet.index, departure));
}

Result<void> Relay::output_status() const {
  if (capture_ != nullptr && !capture_->status()) return capture_->status();
  if (record_ != nullptr) return record_->status();
  return {};
}

void Relay::record_departure(Side side, const SocketAddress& source, const SocketAddress& destination,
                             const netem::Departure& packet, Timestamp now) {
  if (record_ != nullptr) write_record(side, packet);
  if (capture_ == nullptr) return;
  capture_->add({.side = side,
                 .sense = Sense::outbound,
                 .source = source,
                 .destination = destination,
                 .ecn = packet.ecn,
                 .payload = packet.bytes},
                now, departure_comment(packet));
}

}  // namespace mxp::tools
