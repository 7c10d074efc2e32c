#include "mxp-dump/analysis/call_story.h"

#include <algorithm>

#include "message/body.h"

namespace mxp::dump {
namespace {

// Our choices. An answer that takes this much longer than the round trip waited for something; and if it was sent
// behind this many bytes of lower classes, it waited for them: a scheduler that lets critical messages pass sends a
// packet or two before it.
constexpr std::int64_t kLongerNs = 30'000'000;
constexpr std::uint64_t kManyBytes = 48 * 1024;

}  // namespace

void CallStory::add(const PacketRecord& record, std::int64_t time_ns, std::int64_t round_trip_ns) {
  std::uint64_t& lower = lower_bytes_[index(record.direction)];
  for (const Frame& frame : record.frames) {
    if (const auto* stream = std::get_if<StreamFrame>(&frame)) lower += stream->data.size();
    if (const auto* part = std::get_if<MessagePartFrame>(&frame)) lower += part->data.size();
    const auto* whole = std::get_if<MessageFrame>(&frame);
    if (whole == nullptr) continue;
    const auto message = decode_body(whole->form, whole->body);
    if (!message) continue;
    if (message_class(message->type) != MessageClass::critical) lower += whole->body.size();
    if (message->type == MessageType::call) {
      if (open_.size() < kMaxOpen)
        open_.try_emplace({record.direction, message->id},
                          Open{time_ns, lower_bytes_[index(reverse(record.direction))]});
    } else if (message->type == MessageType::response) {
      const auto it = open_.find({reverse(record.direction), message->id});
      if (it == open_.end()) continue;
      const std::int64_t took = time_ns - it->second.since_ns;
      const std::uint64_t between = lower - it->second.lower_bytes;
      open_.erase(it);
      ++answered_;
      if (took < round_trip_ns + std::max(kLongerNs, round_trip_ns / 2) || between < kManyBytes) continue;
      ++held_behind_;
      longest_ns_ = std::max(longest_ns_, took);
      most_bytes_ = std::max(most_bytes_, between);
      evidence_.add(record.frame);
    }
  }
}

}  // namespace mxp::dump
