#include "reliability/forward_delay.h"

#include <algorithm>

#include "core/work.h"

namespace mxp {
namespace {

constexpr Duration kNone = Duration::max();

}  // namespace

bool ForwardDelay::on_ack(Timestamp now, PathId path, std::span<const SentPacket> acknowledged,
                          const ReceiveTimes& times) {
  // By number, so that each acknowledged packet finds its own in a few steps.
  std::array<ReceiveTime, kMaxReceiveTimes> by_number;
  const auto end = std::ranges::copy(times.begin(), times.end(), by_number.begin()).out;
  std::ranges::sort(by_number.begin(), end, {}, &ReceiveTime::number);

  Duration smallest = kNone;
  Duration latest_at{-1};
  Duration latest{};  // the difference of the packet that arrived last
  Duration latest_round_trip{};
  for (const SentPacket& packet : acknowledged) {
    MXP_WORK(1);
    if (packet.path != path) continue;
    const auto found = std::ranges::lower_bound(by_number.begin(), end, packet.number, {}, &ReceiveTime::number);
    if (found == end || found->number != packet.number) continue;
    if (!queue_) {
      sent_origin_ = packet.sent_at;
      bucket_began_at_ = now;
      smallest_.fill(kNone);
      queue_ = Duration::zero();
    }
    // No overflow: the peer's time is at most kLatestReceiveTime (frame_reader.cpp), and ours counts from a packet of
    // this path.
    const Duration difference = found->at - (packet.sent_at - sent_origin_);
    smallest = std::min(smallest, difference);
    if (found->at <= latest_at) continue;
    latest_at = found->at;
    latest = difference;
    latest_round_trip = now - packet.sent_at;
  }
  if (smallest == kNone) return false;

  advance(now);
  smallest_[0] = std::min(smallest_[0], smallest);
  const Duration base = *std::ranges::min_element(smallest_);
  queue_ = std::max(std::min(latest - base, latest_round_trip), Duration::zero());
  return true;
}

void ForwardDelay::advance(Timestamp now) {
  for (std::size_t i = 0; i < kBuckets && now - bucket_began_at_ >= kBucket; ++i) {
    std::shift_right(smallest_.begin(), smallest_.end(), 1);
    smallest_[0] = kNone;
    bucket_began_at_ += kBucket;
  }
  // After a long silence nothing is left of what was known.
  if (now - bucket_began_at_ >= kBucket) bucket_began_at_ = now;
}

}  // namespace mxp
