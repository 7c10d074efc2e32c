// Whether large datagrams of one direction stopped arriving while small ones did: a path whose MTU has shrunk and that
// says nothing of it. "Large" is more than the 1200 bytes that every path carries.
#pragma once

#include <cstdint>

#include "mxp-dump/analysis/finding.h"

namespace mxp::dump {

class SizeStory {
 public:
  // `late`: it had been reported missing.
  void acknowledged(std::uint32_t size, bool late) {
    if (size > kAlways) {
      ++large_delivered_;
      if (late) found_ = false;
      if (!found_) missing_ = small_ = 0;
      largest_delivered_ = largest_delivered_ > size ? largest_delivered_ : size;
    } else if (missing_ > 0) {
      ++small_;
      judge();
    }
  }
  // Reported missing, or probed for in vain.
  void missing(std::uint32_t size, std::uint64_t frame) {
    if (size <= kAlways) return;
    ++missing_;
    if (!found_) evidence_.add(frame);
    judge();
  }
  // At the receiver's end only what arrives is seen: `absent` numbers are missing before this packet.
  void captured(std::uint32_t size, std::uint64_t absent, std::uint64_t frame) {
    if (size > kAlways) {
      ++large_captured_;
      full_small_ = absent_ = 0;
      return;
    }
    // Single numbers are left out on purpose; what counts is a hole where the sizes change.
    if (absent >= kInARow && absent < 4096 && full_small_ < kEnough) absent_ = absent;
    if (size > kNearlyFull) ++full_small_;
    if (!arrivals_changed_ && large_captured_ >= kEnough && full_small_ >= 4 * kEnough && absent_ >= kInARow) {
      arrivals_changed_ = true;
      changed_.add(frame);
    }
  }

  bool black_hole() const { return found_; }
  bool arrivals_changed() const { return arrivals_changed_; }
  std::uint32_t largest_delivered() const { return largest_delivered_; }
  std::uint64_t missing_count() const { return missing_; }
  std::uint64_t small_count() const { return small_; }
  const Evidence& evidence() const { return evidence_; }
  const Evidence& changed() const { return changed_; }

 private:
  // Our choices. Three large packets in a row are lost by chance once in a million at one per cent of loss; and that
  // not one gets through while five small ones do tells it from an outage.
  static constexpr std::uint32_t kAlways = 1200, kNearlyFull = 1100;
  static constexpr std::uint64_t kInARow = 3, kEnough = 5;
  void judge() {
    if (large_delivered_ >= kEnough && missing_ >= kInARow && small_ >= kEnough) found_ = true;
  }

  std::uint64_t large_delivered_ = 0, missing_ = 0, small_ = 0;
  std::uint32_t largest_delivered_ = 0;
  std::uint64_t large_captured_ = 0, full_small_ = 0, absent_ = 0;
  bool found_ = false, arrivals_changed_ = false;
  Evidence evidence_, changed_;
};

}  // namespace mxp::dump
