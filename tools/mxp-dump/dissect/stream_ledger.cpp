#include "mxp-dump/dissect/stream_ledger.h"

namespace mxp::dump {

bool StreamLedger::repeats(const StreamFrame& frame) {
  // The end of a stream counts as one byte after its last, where no data can be.
  const std::uint64_t size = frame.data.size() + (frame.fin ? 1u : 0u);
  if (size == 0) return false;
  auto found = streams_.find(frame.stream);
  if (found == streams_.end()) {
    if (streams_.size() == kMaxStreams) {
      streams_.erase(order_.front());
      order_.pop_front();
    }
    found = streams_.try_emplace(frame.stream).first;
    order_.push_back(frame.stream);
  }
  return found->second.add(frame.offset, frame.offset + size) < size;
}

}  // namespace mxp::dump
