// Which bytes of which streams one side has sent, so that a repetition shows. Bounded: the streams seen longest ago are
// forgotten first.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>

#include "core/frames.h"
#include "mxp-dump/number_ledger.h"

namespace mxp::dump {

class StreamLedger {
 public:
  // Our choice: what a capture's connection has open at a time, with room; at most 2 MiB for each direction.
  static constexpr std::size_t kMaxStreams = 512;

  // Whether any of the frame's bytes, or its end of stream, was sent before.
  bool repeats(const StreamFrame& frame);

 private:
  std::unordered_map<StreamId, NumberLedger> streams_;
  std::deque<StreamId> order_;  // as they were first seen
};

}  // namespace mxp::dump
