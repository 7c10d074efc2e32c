#include "mxp-dump/analysis/path_story.h"

#include <algorithm>
#include <variant>

namespace mxp::dump {

void PathStory::add(const PacketRecord& record, std::int64_t time_ns) {
  if (record.type != PacketType::one_rtt || record.damaged || record.duplicate) return;
  const bool from_client = record.direction == TrafficDirection::client_to_server;
  bool challenge = false, goes_on = false;
  for (const Frame& frame : record.frames) {
    challenge = challenge || std::holds_alternative<PathChallengeFrame>(frame);
    goes_on = goes_on || !is_probing(frame);
  }
  if (challenge && !from_client) {
    ++server_challenges;
    challenges.add(record.frame);
  }
  if (!from_client) return;
  client_challenged = client_challenged || challenge;
  if (!known_) {
    known_ = true;
    known_clients_.push_back(record.source);
    client_ = record.source;
    id_ = record.destination_id;
    if (record.number) highest_number_ = record.number->value();
    return;
  }
  if (record.number) {
    // What comes late from the old address is no move back, and what was seen before is the other side of a relay.
    if (record.number->value() <= highest_number_) return;
    highest_number_ = record.number->value();
  }
  if (record.source == client_) {
    id_ = record.destination_id;
    return;
  }
  // A path probe asks, and moves nobody; without keys none can be told.
  if (record.protection == Protection::opened && !goes_on) return;
  // Without keys an address that takes turns with another one is such a relay.
  if (std::ranges::find(known_clients_, record.source) != known_clients_.end()) {
    ++returns;
    client_ = record.source;
    return;
  }
  if (known_clients_.size() < kMaxMoves) known_clients_.push_back(record.source);
  ++move_count;
  if (moves.size() < kMaxMoves)
    moves.push_back({record.frame, time_ns, client_, record.source, id_ != record.destination_id});
  client_ = record.source;
  id_ = record.destination_id;
}

}  // namespace mxp::dump
