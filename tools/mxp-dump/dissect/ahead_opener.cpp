#include "mxp-dump/dissect/ahead_opener.h"

#include <algorithm>

#include "mxp-dump/dissect/batch.h"
#include "mxp-dump/dissect/datagram_form.h"
#include "mxp-dump/link/udp_finder.h"

namespace mxp::dump {

std::uint64_t AheadOpener::follow(ConnectionId id, PacketDecryptor decryptor, std::uint64_t expected) {
  const std::lock_guard lock(mutex_);
  asked_.push_back({.source = ++sources_, .id = id, .decryptor = std::move(decryptor), .expected = expected});
  if (asked_.size() > kMost) asked_.erase(asked_.begin());
  any_asked_ = true;
  return sources_;
}

void AheadOpener::take_asked() {
  if (!any_asked_) return;
  const std::lock_guard lock(mutex_);
  for (Followed& one : asked_) {
    std::erase_if(followed_, [&](const Followed& other) { return other.id == one.id; });
    if (followed_.size() == kMost) followed_.erase(followed_.begin());
    followed_.push_back(std::move(one));
  }
  asked_.clear();
  any_asked_ = false;
}

void AheadOpener::look_at(const CapturedPacket& frame, MutableBytes room, std::vector<OpenedAhead>& out) {
  take_asked();
  if (followed_.empty()) return;
  const FoundUdp found = find_udp(frame);
  if (!found || found->fragment || found->truncated() || found->payload.size() < kMinShortPacket) return;
  const ByteView payload = found->payload;
  const ConnectionId id = id_at(payload, 1);
  const auto followed = std::ranges::find(followed_, id, &Followed::id);
  if (followed == followed_.end()) return;
  const auto batch = batch_segment_size(payload, id, followed->segment_size);
  if (batch) followed->segment_size = *batch;
  const std::size_t step = batch.value_or(payload.size());
  for (std::size_t at = 0; at < payload.size() && followed->failures < kMostFailures; at += step) {
    const ByteView packet = payload.subspan(at, std::min(step, payload.size() - at));
    const auto place = static_cast<std::size_t>(packet.data() - frame.bytes.data());
    const bool opened = open(*followed, packet, room.subspan(place, packet.size()), out);
    followed->failures = opened ? 0 : followed->failures + 1;
  }
  if (followed->failures == kMostFailures) followed_.erase(followed);
}

bool AheadOpener::open(Followed& followed, ByteView packet, MutableBytes room, std::vector<OpenedAhead>& out) {
  if (packet.size() < kMinShortPacket || id_at(packet, 1) != followed.id) return false;
  auto opened = followed.decryptor.open_likely(packet, followed.expected, room);
  if (!opened) return false;
  opened->source = followed.source;
  followed.expected = std::max(followed.expected, opened->number.value() + 1);
  out.push_back(*opened);
  return true;
}

}  // namespace mxp::dump
