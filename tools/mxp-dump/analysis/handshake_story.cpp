#include "mxp-dump/analysis/handshake_story.h"

#include <algorithm>

namespace mxp::dump {

void HandshakeStory::add(const PacketRecord& record, std::int64_t time_ns) {
  if (record.type == PacketType::one_rtt) {
    const bool from_client = record.direction == TrafficDirection::client_to_server;
    if (!from_client) ++server_short_packets;
    if (from_client && !record.damaged && !confirmed_ns) confirmed_ns = time_ns;
    return;
  }
  if (record.type == PacketType::initial) {
    ++initials;
    initial_frames.add(record.frame);
    fragmented = fragmented || record.fragment;
    if (!first_initial_ns) first_initial_ns = time_ns;
    last_initial_ns = time_ns;
    if (first_response_ns) ++initials_after_response;
    const bool known = std::ranges::find(sources, record.source) != sources.end();
    if (!known && sources.size() < kMaxSources) sources.push_back(record.source);
    // To the same server: a capture from both sides of a relay has each message with two pairs of addresses.
    if (sources.size() == 1 && initials == 1) server = record.destination;
    const bool elsewhere = record.source != sources.front() && record.destination == server;
    if (elsewhere) ++from_other_sources;
    // A repetition that was under way while the answer came is a round trip late at most.
    const bool late = confirmed_ns && time_ns - *confirmed_ns > 1'000'000'000;
    if (late) ++initials_after_confirmation;
    if (elsewhere || late) copies.add(record.frame);
  } else if (record.type == PacketType::response) {
    ++responses;
    response_frames.add(record.frame);
    fragmented = fragmented || record.fragment;
    if (!first_response_ns) first_response_ns = time_ns;
    last_response_ns = time_ns;
  }
}

}  // namespace mxp::dump
