// The connection's own flow control, over all of its streams (RFC 9000 §4.1): what the peer lets us send, what we let
// the peer send, and the two frames that say so, MAX_DATA and DATA_BLOCKED. Streams spend and give back credit here;
// the outbox has the frames written.
#pragma once

#include <cstdint>
#include <expected>

#include "core/cursor.h"
#include "core/frames.h"
#include "core/sent_frame.h"
#include "mxp/config.h"
#include "mxp/error.h"
#include "mxp/time.h"
#include "scheduler/flow_credit.h"
#include "scheduler/sent_frame_sink.h"

namespace mxp {

class ConnectionCredit {
 public:
  explicit ConnectionCredit(const FlowControlConfig& config)
      : window_(config.connection_window, config.max_connection_window) {}

  // The time and the smoothed round-trip time (zero: not known yet), for the growth of the receive window.
  void on_clock(Timestamp now, Duration smoothed_rtt) {
    now_ = now;
    smoothed_rtt_ = smoothed_rtt;
  }

  // What we may send.
  std::uint64_t available() const { return credit_.available(); }
  // REQUIRES: count <= available().
  void use(std::uint64_t count) { credit_.use(count); }
  void raise(std::uint64_t limit);
  // Data wait, and nothing is available: DATA_BLOCKED is due, once for each limit.
  void note_blocked();

  // What the peer sends: `fresh` bytes beyond what it had sent so far, with a frame of this type. Error:
  // FLOW_CONTROL_ERROR.
  std::expected<void, TransportError> on_received(std::uint64_t fresh, std::uint64_t frame_type);
  // The application took bytes, or they were discarded.
  void consume(std::uint64_t count);

  void on_frame(const MaxDataFrame& frame) { raise(frame.limit); }
  void on_frame(const DataBlockedFrame& frame);

  bool has_pending() const { return max_data_pending_ || blocked_pending_; }
  void write_frames(Writer& out, SentFrameSink sent);
  // A limit that was announced again since is not repeated; otherwise the newest is told.
  void on_max_data_lost(std::uint64_t limit);
  // REQUIRES: data still wait for credit, if any is wanted at all.
  void on_data_blocked_lost(std::uint64_t limit);

 private:
  SendCredit credit_;
  ReceiveWindow window_;
  std::uint64_t received_ = 0;  // sum over all streams of the highest offset received
  Timestamp now_{};
  Duration smoothed_rtt_{};
  bool max_data_pending_ = false;
  bool blocked_pending_ = false;
};

}  // namespace mxp
