// What the relay writes into its capture: each datagram when it came and when it left, with the link's doing as a
// comment.
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
  if (capture_ == nullptr) return;
  capture_->add({.side = side,
                 .sense = Sense::inbound,
                 .source = source,
                 .destination = destination,
                 .ecn = datagram.ecn,
                 .payload = datagram.bytes},
                now, drop_comment(verdict, flow));
}

void Relay::record_departure(Side side, const SocketAddress& source, const SocketAddress& destination,
                             const netem::Departure& packet, Timestamp now) {
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
