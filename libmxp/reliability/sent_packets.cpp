#include "reliability/sent_packets.h"

#include <algorithm>
#include <bit>

#include "mxp/require.h"

namespace mxp {

bool SentPackets::were_sent(std::uint64_t first, std::uint64_t last) const {
  if (last >= next_ || first > last) return false;
  const auto gaps = skipped_.ranges();
  const auto gap =
      std::lower_bound(gaps.begin(), gaps.end(), first,
                       [](const RangeSet::Range& range, std::uint64_t number) { return range.end <= number; });
  return gap == gaps.end() || gap->begin > last;
}

void SentPackets::reserve_one() {
  if (next_ - base_ < ring_.size()) return;
  // A peer that never acknowledges settles nothing. So what was forgotten makes room first, before anything grows
  // (threat t03).
  trim(Timestamp::min());
  if (next_ - base_ < ring_.size()) return;
  resize_ring(ring_.empty() ? kFirstRecords : ring_.size() * 2);
}

void SentPackets::shrink() {
  const std::uint64_t records = next_ - base_;
  if (records > ring_.size() / 2) return;
  if (records == 0) {
    ring_ = std::vector<Record>();
  } else {
    resize_ring(std::max<std::size_t>(std::bit_ceil(records), kFirstRecords));
  }
  skipped_.shrink();
}

// REQUIRES: `size` is a power of two and has room for every record.
void SentPackets::resize_ring(std::size_t size) {
  std::vector<Record> resized(size);
  const std::uint64_t mask = size - 1;
  for (std::uint64_t number = base_; number < next_; ++number) resized[number & mask] = record(number);
  ring_ = std::move(resized);
  mask_ = mask;
}

void SentPackets::add(const SentPacket& packet) {
  const std::uint64_t number = packet.number.value();
  MXP_REQUIRE(number >= next_);
  if (number > next_) {
    skipped_.add(next_, number);
    if (base_ == next_) {
      base_ = next_ = first_outstanding_ = number;
    } else {
      for (; next_ < number; ++next_) {
        reserve_one();
        record(next_).state = State::skipped;
      }
    }
  }
  reserve_one();
  Record& it = record(number);
  it.packet = packet;
  it.link = 0;
  it.state = State::outstanding;
  ++next_;

  while (next_ - first_outstanding() > kKeptNotInFlight && !record(first_outstanding_).packet.in_flight) {
    record(first_outstanding_).state = State::forgotten;
  }
  if (next_ - base_ > kMaxSpan) trim(Timestamp::max());
}

std::uint64_t SentPackets::skip_acknowledged(std::uint64_t number) {
  while (number < next_ && record(number).state == State::acknowledged) {
    MXP_WORK(1);
    Record& it = record(number);
    const std::uint64_t following = number + it.link;
    if (following < next_ && record(following).state == State::acknowledged) it.link += record(following).link;
    number += it.link;
  }
  return number;
}

std::uint64_t SentPackets::first_outstanding(std::uint64_t from) {
  std::uint64_t number = std::max(from, base_);
  while (number < next_) {
    MXP_WORK(1);
    const State state = record(number).state;
    if (state == State::outstanding) return number;
    number = state == State::acknowledged ? skip_acknowledged(number) : number + 1;
  }
  return next_;
}

bool SentPackets::any_acknowledged(std::uint64_t from, std::uint64_t to) const {
  for (std::uint64_t number = from; number <= to; ++number) {
    MXP_WORK(1);
    if (record(number).state == State::acknowledged) return true;
  }
  return false;
}

void SentPackets::mark_lost(std::uint64_t number, LossReason reason, std::uint32_t episode) {
  Record& it = record(number);
  it.state = reason == LossReason::time ? State::lost_time : State::lost_reordering;
  it.link = episode;
}

void SentPackets::mark_unsent(std::uint64_t number) {
  MXP_REQUIRE(is_outstanding(number));
  record(number).state = State::forgotten;
}

void SentPackets::trim(Timestamp lost_before) {
  first_outstanding();
  for (; base_ < first_outstanding_; ++base_) {
    const Record& it = record(base_);
    const bool lost = it.state == State::lost_reordering || it.state == State::lost_time;
    if (lost && it.packet.sent_at >= lost_before) break;
  }
  const auto gaps = skipped_.ranges();
  if (gaps.size() > kKeptSkips && gaps.front().end <= base_) skipped_.pop_front();
}

}  // namespace mxp
