// Tail-loss repair for the critical class. When the last packets of a burst are lost, nothing that follows shows it,
// and only a probe timeout repairs them: a round trip and the peer's delay of acknowledgements later, at the least. And
// where others do follow, a loss still shows only after a whole round trip. What is critical does not wait for either.
// A little after a critical frame was sent, if it is not acknowledged by then, the same frame goes once more in a new
// packet, before anybody knows whether it was needed.
//
// "A little" is a quarter of the round trip, but at least half a millisecond, within which a peer that is near has
// answered, and at most two: on a long path the copy is what keeps a lossy call from costing much more than others,
// and it hardly matters to the path whether it comes early. Frames that have waited for half of that go along in the
// same packet. Bulk data that wait do not hold it back: their packets would show a loss after a whole round trip only.
//
// Its cost is bounded: copies are at most 3 per cent of all bytes, and besides 12,000 bytes in each round trip, which
// any sender may send before it knows anything of the path (RFC 9002 §7.2). They count in flight, and none is made
// while the window is full or other critical data wait to be sent: a class that sends as much as it can would pay for
// its copies with its own rate.
//
// It remembers the last 32 critical frames, so that a stream of them that is faster than the delay is not repeated; how
// they are written again is their owners' business, as after a loss.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "core/sent_frame.h"
#include "mxp/time.h"

namespace mxp {

class TailRepair {
 public:
  static constexpr std::size_t kRememberedFrames = 32;
  static constexpr Duration kShortestDelay = std::chrono::microseconds(500);
  static constexpr Duration kLongestDelay = std::chrono::milliseconds(2);
  static constexpr std::uint64_t kCopyPercent = 3;
  // For each round trip, or for so long where that is shorter.
  static constexpr std::uint64_t kFreeBytes = 12'000;
  static constexpr Duration kShortestFreeTime = std::chrono::milliseconds(10);

  static Duration delay(Duration smoothed_rtt) { return std::clamp(smoothed_rtt / 4, kShortestDelay, kLongestDelay); }

  // A frame of the critical class was written and takes `bytes` in its packet; copies of what was repaired too, which
  // are not repaired again.
  void on_critical_sent(Timestamp now, const SentFrame& frame, std::size_t bytes, Duration smoothed_rtt) {
    if (is_copy(frame)) return;
    Entry& entry = entries_[next_++ % kRememberedFrames];
    if (entry.state == Entry::State::settled) ++open_;
    entry = {.frame = frame, .sent_at = now, .bytes = bytes, .state = Entry::State::sent};
    due_ = std::min(due_, now + delay(smoothed_rtt));
  }
  // Bytes of any packet.
  void on_packet_sent(std::size_t bytes) { allowance_ = std::min(allowance_ + kCopyPercent * bytes, kMostAllowance); }

  void on_acknowledged(const SentFrame& frame) { forget(frame); }
  // Its owner sends it again, so nothing is left to do here.
  void on_lost(const SentFrame& frame) { forget(frame); }

  // When repair() wants to be called, kNever if nothing is left to repair. It may be early, but is never late.
  Timestamp deadline() const { return due_; }
  // Calls again(frame) for each frame that is to go once more, in the order in which they were sent.
  template <typename Again>
  void repair(Timestamp now, Duration smoothed_rtt, Again&& again) {
    if (now < due_) return;
    const Duration full = delay(smoothed_rtt);
    const Timestamp oldest = oldest_sent();
    due_ = oldest == kNever ? kNever : oldest + full;
    if (now < due_) return;
    due_ = kNever;
    for_each_in_order([&](Entry& entry) {
      if (entry.state != Entry::State::sent) return;
      if (now < entry.sent_at + full / 2) {
        due_ = std::min(due_, entry.sent_at + full);
      } else if (may_spend(now, smoothed_rtt, entry.bytes)) {
        entry.state = Entry::State::repaired;
        again(entry.frame);
      } else {
        settle(entry);
      }
    });
  }
  // Nothing is to be repeated now. What is due may go along when a later frame is.
  void give_up() { due_ = kNever; }

 private:
  struct Entry {
    enum class State : std::uint8_t { settled, sent, repaired };
    SentFrame frame;
    Timestamp sent_at{};
    std::size_t bytes = 0;
    State state = State::settled;
  };
  // In hundredths of a byte; a long time without critical data saves up 64 KiB.
  static constexpr std::uint64_t kMostAllowance = 100 * 64 * 1024;

  static bool is_same(const SentFrame& a, const SentFrame& b) {
    return a.kind == b.kind && a.stream == b.stream && a.value == b.value && a.length == b.length;
  }
  // Frames may be cut anew when they are written again, so that a copy need only begin within the original.
  bool is_copy(const SentFrame& frame) const {
    return std::ranges::any_of(entries_, [&](const Entry& entry) {
      return entry.state == Entry::State::repaired && entry.frame.kind == frame.kind &&
             entry.frame.stream == frame.stream &&
             (frame.value == entry.frame.value || frame.value - entry.frame.value < entry.frame.length);
    });
  }
  template <typename Visit>
  void for_each_in_order(Visit&& visit) {
    for (std::uint64_t i = next_ - std::min<std::uint64_t>(next_, kRememberedFrames); i != next_; ++i)
      visit(entries_[i % kRememberedFrames]);
  }
  // Of those that were not repaired; kNever if there is none.
  Timestamp oldest_sent() const {
    Timestamp oldest = kNever;
    for (const Entry& entry : entries_)
      if (entry.state == Entry::State::sent) oldest = std::min(oldest, entry.sent_at);
    return oldest;
  }
  void settle(Entry& entry) {
    entry.state = Entry::State::settled;
    --open_;
  }
  void forget(const SentFrame& frame) {
    if (open_ == 0) return;
    bool waits = false;
    for (Entry& entry : entries_) {
      if (entry.state != Entry::State::settled && is_same(entry.frame, frame)) settle(entry);
      waits |= entry.state == Entry::State::sent;
    }
    if (!waits) due_ = kNever;
  }
  bool may_spend(Timestamp now, Duration smoothed_rtt, std::size_t bytes) {
    if (allowance_ >= 100 * bytes) {
      allowance_ -= 100 * bytes;
      return true;
    }
    if (now - free_since_ >= std::max(smoothed_rtt, kShortestFreeTime)) {
      free_since_ = now;
      free_bytes_ = kFreeBytes;
    }
    if (bytes > free_bytes_) return false;
    free_bytes_ -= bytes;
    return true;
  }

  std::array<Entry, kRememberedFrames> entries_{};
  std::uint64_t next_ = 0;
  std::size_t open_ = 0;  // entries that are not settled
  Timestamp due_ = kNever;
  std::uint64_t allowance_ = 0;
  Timestamp free_since_{};
  std::uint64_t free_bytes_ = kFreeBytes;
};

}  // namespace mxp
