#include "connection/datagram_frames.h"

#include "core/packet_header.h"

namespace mxp {

std::size_t datagram_room(const Parts& parts) {
  constexpr std::size_t kLongestNumber = 4, kFrameType = 1;
  return parts.path->control.datagram_size() - kShortHeaderSize - kLongestNumber - kTagSize - kFrameType;
}

void tell_outbox(Parts& parts, Timestamp now) {
  if (!parts.datagrams) return;
  parts.datagrams->queue.on_clock(now);
  parts.datagrams->queue.set_path_limit(datagram_room(parts));
  // Until the peer's new address is proven, packets may be as small as its allowance, and a datagram cannot be cut.
  parts.outbox.on_clock(now, parts.path->is_proven() ? Outbox::DatagramsNow::may_go : Outbox::DatagramsNow::wait);
}

std::expected<void, TransportError> on_datagram_frame(Parts& parts, const DatagramFrame& frame) {
  const std::size_t most = parts.environment.config.transport.datagrams.max_payload;
  if (frame.data.size() > most)
    return std::unexpected(
        TransportError{TransportErrorCode::protocol_violation, 0, "DATAGRAM frame longer than announced"});
  ++parts.stats.datagrams_received;
  parts.events.on_datagram(frame.data);
  return {};
}

void tell_datagram_outcomes(Parts& parts, Timestamp now) {
  if (!parts.datagrams) return;
  Datagrams& queue = parts.datagrams->queue;
  const DatagramCounters& all = queue.counters();
  DatagramCounters& told = parts.datagrams->traced;
  const TraceDatagrams event{all.lost - told.lost, all.expired - told.expired, all.dropped - told.dropped,
                             all.too_large - told.too_large};
  if (event.lost + event.expired + event.dropped + event.too_large != 0) {
    told = all;
    parts.trace(now, event);
  }
  queue.tell_outcomes();
}

}  // namespace mxp
