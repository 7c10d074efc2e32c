// The frames of one packet in brief, as trace events tell them: up to what may be told of it.
#pragma once

#include <array>

#include "core/frames.h"
#include "mxp/trace.h"

namespace mxp {

class TraceFrameList {
 public:
  void add(const TraceFrame& frame) {
    if (count_ == frames_.size()) cut_ = true;
    else frames_[count_++] = frame;
  }
  void add_range(PacketNumber first, PacketNumber last) {
    if (ranges_ == acknowledged_.size()) cut_ = true;
    else acknowledged_[ranges_++] = {first, last};
  }
  // A frame as it is on the wire; with the ranges of an ACK.
  void add(const Frame& frame);
  bool is_full() const { return cut_; }
  // Valid as long as this is, and until the next add().
  TraceFrames view() const { return {std::span(frames_).first(count_), std::span(acknowledged_).first(ranges_), cut_}; }

 private:
  std::array<TraceFrame, kMaxTraceFrames> frames_;
  std::array<TraceAckRange, kMaxTraceAckRanges> acknowledged_;
  std::size_t count_ = 0;
  std::size_t ranges_ = 0;
  bool cut_ = false;
};

}  // namespace mxp
