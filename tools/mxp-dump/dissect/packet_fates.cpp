#include "mxp-dump/dissect/packet_fates.h"

#include <algorithm>
#include <limits>

#include "core/packet_threshold.h"

namespace mxp::dump {
namespace {

// If the numbers of a sender had gone further than this since the last one that was captured, its receiver could not
// read them any more: at most four bytes of a number are on the wire (RFC 9000 §17.1). So whoever acknowledges such a
// number was never sent it.
constexpr std::uint64_t kFarthestAhead = std::uint64_t{1} << 31;

// Walks through a set in ascending order, and tells whether a number is in it and up to where that stays so.
class Walk {
 public:
  explicit Walk(const RangeSet& set) : ranges_(set.ranges()) {}

  bool holds(std::uint64_t number) {
    while (at_ < ranges_.size() && ranges_[at_].end <= number) ++at_;
    return at_ < ranges_.size() && ranges_[at_].begin <= number;
  }
  // REQUIRES: holds() was asked about a number just before.
  std::uint64_t same_until(bool held) const {
    if (at_ == ranges_.size()) return std::numeric_limits<std::uint64_t>::max();
    return held ? ranges_[at_].end : ranges_[at_].begin;
  }

 private:
  std::span<const RangeSet::Range> ranges_;
  std::size_t at_ = 0;
};

void keep(PacketFates::LostNumbers& lost, RangeSet& set, std::uint64_t begin, std::uint64_t end) {
  if (begin == end) return;
  set.add(begin, end);
  if (set.range_count() <= PacketFates::kMaxLostRanges) return;
  lost.known_from = std::max(lost.known_from, set.ranges().front().end);
  set.pop_front();
}

}  // namespace

bool PacketFates::sent(std::uint64_t number) {
  if (number < judged_below_) return false;
  const bool fresh = sent_.add(number, number + 1) != 0;
  largest_sent_ = std::max(largest_sent_.value_or(number), number);
  bound();
  return fresh;
}

void PacketFates::acknowledged(const AckFrame& frame) {
  const std::uint64_t largest = frame.largest.value();
  if (largest_sent_ && largest > *largest_sent_ + kFarthestAhead) return;
  const std::uint64_t reportable_end = largest >= kPacketThreshold ? largest - kPacketThreshold + 1 : 0;
  largest_acknowledged_ = std::max(largest_acknowledged_.value_or(largest), largest);
  const auto add = [&](RangeSet& set, std::uint64_t begin, std::uint64_t end) {
    begin = std::max(begin, judged_below_);
    if (begin < end) set.add(begin, end);
  };
  std::optional<std::uint64_t> above;  // where the range before this one, which lies higher, begins
  for (const AckRange& range : frame.ranges) {
    add(acknowledged_, range.first.value(), range.last.value() + 1);
    if (above) add(missing_, range.last.value() + 1, std::min(*above, reportable_end));
    above = range.first.value();
  }
  bound();
}

std::uint64_t PacketFates::first() const {
  if (from_zero_ || judged_below_ > 0) return judged_below_;
  return sent_.empty() ? 0 : sent_.ranges().front().begin;
}

std::uint64_t PacketFates::open_end() const {
  if (!largest_acknowledged_) return 0;
  return *largest_acknowledged_ >= kPacketThreshold ? *largest_acknowledged_ - kPacketThreshold + 1 : 0;
}

PacketFates::Counts PacketFates::counts() const {
  Counts counts = judged_;
  if (!largest_sent_) return counts;
  judge(first(), std::max(*largest_sent_, largest_acknowledged_.value_or(0)) + 1, counts, nullptr);
  return counts;
}

PacketFates::LostNumbers PacketFates::lost_numbers() const {
  LostNumbers lost = *lost_;
  Counts counts;
  if (largest_sent_) judge(first(), std::max(*largest_sent_, largest_acknowledged_.value_or(0)) + 1, counts, &lost);
  return lost;
}

void PacketFates::judge(std::uint64_t begin, std::uint64_t end, Counts& counts, LostNumbers* lost) const {
  Walk sent(sent_), acknowledged(acknowledged_), missing(missing_);
  const std::uint64_t open = open_end();
  while (begin < end) {
    const bool is_sent = sent.holds(begin), is_acknowledged = acknowledged.holds(begin),
               is_missing = missing.holds(begin);
    const std::uint64_t next = std::min(
        {end, sent.same_until(is_sent), acknowledged.same_until(is_acknowledged), missing.same_until(is_missing)});
    const std::uint64_t size = next - begin;
    if (is_sent && !is_acknowledged) {
      const std::uint64_t judged = std::min(next, std::max(open, begin)) - begin;
      (is_missing ? counts.lost : counts.unacknowledged) += judged;
      if (lost != nullptr) keep(*lost, is_missing ? lost->reported : lost->unacknowledged, begin, begin + judged);
    } else if (!is_sent && is_acknowledged) {
      counts.not_captured += size;
    } else if (!is_sent) {
      (is_missing || size == 1 ? counts.unknown : counts.not_captured) += size;
    }
    begin = next;
  }
}

void PacketFates::bound() {
  for (RangeSet* set : {&sent_, &acknowledged_, &missing_}) bound(*set);
}

void PacketFates::bound(RangeSet& set) {
  while (set.range_count() > kMaxRanges) {
    const std::uint64_t below = set.ranges()[kMaxRanges / 2].begin;
    if (!largest_sent_ || below > *largest_sent_) {
      // What is yet to come is not judged. A peer that acknowledges what it was never sent must not make the packets
      // that do come look like second copies.
      set.pop_back();
      continue;
    }
    judge(first(), below, judged_, lost_ ? &*lost_ : nullptr);
    judged_below_ = below;
    for (RangeSet* each : {&sent_, &acknowledged_, &missing_}) each->remove_below(below);
  }
}

}  // namespace mxp::dump
