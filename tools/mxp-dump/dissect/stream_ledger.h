// Which bytes of which streams one side has sent, so that a repetition shows. It is bounded: the streams that were seen
// longest ago are forgotten first.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>

#include "core/frames.h"
#include "mxp-dump/dissect/number_ledger.h"

namespace mxp::dump {

class StreamLedger {
 public:
  // Our choice: as many as a connection has open at a time, and more; at most 2 MiB for each direction.
  static constexpr std::size_t kMaxStreams = 512;

  // Whether any of the frame's bytes, or its end of the stream, was sent before.
  bool repeats(const StreamFrame& frame);

 private:
  std::unordered_map<StreamId, NumberLedger> streams_;
  std::deque<StreamId> order_;  // as they were first seen
};

}  // namespace mxp::dump
