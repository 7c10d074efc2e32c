// What became of the packet numbers of one direction, as far as a capture can tell:
//
//                        acknowledged     reported missing       neither
//   captured             delivered        lost                   lost if every ACK was captured, else unknown
//   not captured         not captured     unknown                not captured if two or more in a row, else unknown
//
// "Reported missing" means that an ACK frame left the number out between its ranges, three or more below its largest,
// and that no later one named it. Senders leave single numbers out on purpose (docs/protocol.md §6): such a number is
// reported missing and never captured, just like one that was lost before the place of the capture. The two cannot be
// told apart, so both are called unknown. Numbers that are less than three below the largest acknowledged one, or above
// it, are not judged: their acknowledgement may still have been on its way.
#pragma once

#include <cstdint>
#include <optional>

#include "core/frames.h"
#include "core/range_set.h"

namespace mxp::dump {

// Lost packets by their numbers, where they are remembered.
struct LostPacketNumbers {
  RangeSet reported;             // PacketFates::Counts::lost
  RangeSet unacknowledged;       // PacketFates::Counts::unacknowledged
  std::uint64_t known_from = 0;  // below it lost numbers were forgotten
};

class PacketFates {
 public:
  // Our choice: at most 16 KiB for each of three sets. Past it the lower half is judged and only the counts are kept.
  // If that half lies beyond the largest number that was captured, the highest ranges are forgotten in its place.
  static constexpr std::size_t kMaxRanges = 1024;
  // Our choice: 64 KiB for each of two sets. Past it the lowest numbers are forgotten.
  static constexpr std::size_t kMaxLostRanges = 4096;

  // A packet of this direction was captured. False if it was seen before.
  bool sent(std::uint64_t number);
  // An ACK frame of the other direction was captured.
  void acknowledged(const AckFrame& frame);

  // The capture holds this direction from its first packet on, so what is missing before the first one that was seen
  // counts too.
  void begins_at_zero() { from_zero_ = true; }

  bool any_sent() const { return largest_sent_.has_value(); }
  bool any_acknowledged() const { return largest_acknowledged_.has_value(); }
  std::optional<std::uint64_t> largest_sent() const { return largest_sent_; }

  struct Counts {
    std::uint64_t lost = 0;  // captured, reported missing, never acknowledged
    std::uint64_t unacknowledged =
        0;                           // captured, never acknowledged, and no word of it: lost if all words were captured
    std::uint64_t not_captured = 0;  // in the sender's numbers and not in the capture
    std::uint64_t unknown = 0;       // left out on purpose, or lost before the place of the capture
  };
  Counts counts() const;

  // To be called before the first packet: keeps the numbers of lost packets, not their count alone.
  void remember_lost() {
    if (!lost_) lost_.emplace();
  }
  // REQUIRES: remember_lost() was called.
  using LostNumbers = LostPacketNumbers;
  LostNumbers lost_numbers() const;

 private:
  std::uint64_t first() const;
  // The number from which on nothing is judged, since acknowledgements may still come.
  std::uint64_t open_end() const;
  void judge(std::uint64_t begin, std::uint64_t end, Counts& counts, LostNumbers* lost) const;
  void bound();
  void bound(RangeSet& set);

  RangeSet sent_, acknowledged_, missing_;
  std::optional<std::uint64_t> largest_sent_, largest_acknowledged_;
  bool from_zero_ = false;
  std::uint64_t judged_below_ = 0;  // the sets hold nothing below
  Counts judged_;
  std::optional<LostNumbers> lost_;  // of what is judged
};

}  // namespace mxp::dump
