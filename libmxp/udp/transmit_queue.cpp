#include "udp/transmit_queue.h"

#include <algorithm>

#include "endpoint/recent_transmits.h"

namespace mxp {

// Of each run that a queue holds back the endpoint must know who sent it, if it is refused.
static_assert(RecentTransmits<int>::kPlaces > TransmitQueue::kMaxRuns);

TransmitQueue::TransmitQueue() : buffer_(2 * kRunBytes) {}

void TransmitQueue::keep(const Transmit& transmit) {
  runs_[count_++] = {transmit, ByteView(buffer_).subspan(used_, transmit.size)};
  used_ += transmit.size;
}

SendStatus TransmitQueue::send_pending(Carrier& carrier) {
  if (count_ == 0) return SendStatus::all_sent;
  const SendStatus status = carrier.send(std::span(runs_).first(count_));
  if (status == SendStatus::all_sent) {
    count_ = 0;
    used_ = 0;
    return status;
  }
  // Removes what was sent. The rest keeps its place in the buffer, which is free again once everything has been sent.
  const auto last = std::remove_if(runs_.begin(), runs_.begin() + static_cast<std::ptrdiff_t>(count_),
                                   [](const OutgoingRun& run) { return run.bytes.empty(); });
  count_ = static_cast<std::size_t>(last - runs_.begin());
  return status;
}

}  // namespace mxp
