// The receiver's memory of when the newest ack-eliciting packets arrived, for a peer that wants to be told
// (docs/protocol.md §4.2). Each time is told once: what an ACK that is lost had said is not said again, because the
// sender does without (draft-smith-quic-receive-ts, "Best-Effort Behavior"). Memory is taken once, when the peer is
// found to want times, and none before. Noting a packet costs one move of an entry in the mean.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "core/frames.h"
#include "mxp/time.h"

namespace mxp {

class ReceiveTimeLog {
 public:
  // From now on the `most` newest times are kept, 1..kMaxReceiveTimes, counted from `epoch`.
  void begin(std::size_t most, Timestamp epoch) {
    entries_.resize(2 * most);
    epoch_ = epoch;
  }

  void on_packet_received(Timestamp now, PacketNumber number) {
    if (entries_.empty()) return;
    // The frame has room for times that descend only: a clock that runs backwards stands still here.
    latest_ = std::clamp(now - epoch_, latest_, kLatestReceiveTime);
    if (end_ == entries_.size()) {
      std::copy(entries_.begin() + static_cast<std::ptrdiff_t>(most() + 1), entries_.end(), entries_.begin());
      end_ = most() - 1;
    }
    entries_[end_++] = {number, latest_};
  }
  void on_told() { end_ = 0; }

  std::size_t memory() const { return entries_.capacity() * sizeof(ReceiveTime); }  // bytes
  // From the earliest to the latest; valid until the next call that changes something.
  std::span<const ReceiveTime> newest() const {
    const std::size_t count = std::min(end_, most());
    return std::span(entries_).subspan(end_ - count, count);
  }

 private:
  std::size_t most() const { return entries_.size() / 2; }

  // Twice as many as are told, so that the newest always lie side by side: when it is full, they move to its front.
  std::vector<ReceiveTime> entries_;
  std::size_t end_ = 0;
  Timestamp epoch_{};
  Duration latest_{};
};

}  // namespace mxp
