// The receiving half of a connection's messages (docs/protocol.md §5.2): each is taken exactly once, handed over in the
// packet that it came in, and kept only while the application does not take messages of its class. What is kept, and
// what may come, is bounded by the byte credit that the peer was given.
#pragma once

#include <array>
#include <cstdint>
#include <expected>

#include "core/cursor.h"
#include "core/frames.h"
#include "core/sent_frame.h"
#include "mxp/config.h"
#include "mxp/error.h"
#include "mxp/time.h"
#include "scheduler/flow_credit.h"
#include "scheduler/message_events.h"
#include "scheduler/message_queue.h"
#include "scheduler/sent_frame_sink.h"
#include "scheduler/sequence_window.h"

namespace mxp {

class MessageReceiver {
 public:
  struct Counters {
    std::uint64_t received = 0;    // each once
    std::uint64_t duplicates = 0;  // that came again
    std::uint64_t expired = 0;     // that the peer took back before they came
  };

  // `events` outlives this object.
  MessageReceiver(const MessageConfig& config, MessageEvents& events)
      : events_(events), sequences_(config.window), credit_(config.receive_window, config.max_receive_window) {}

  // For the growth of the byte credit, as for the windows of streams (ReceiveWindow).
  void on_clock(Timestamp now, Duration smoothed_rtt) {
    now_ = now;
    smoothed_rtt_ = smoothed_rtt;
  }

  // The frames of the peer. Errors: MESSAGE_LIMIT_ERROR, MESSAGE_ENCODING_ERROR.
  std::expected<void, TransportError> on_frame(const MessageFrame& frame);
  std::expected<void, TransportError> on_frame(const ExpiredFrame& frame);
  void on_frame(const MessagesBlockedFrame& frame);

  // Tells of the messages that are kept, of these classes (bits by MessageClass), as far as the application takes them.
  // Returns whether it took any.
  bool deliver_kept(unsigned classes);

  bool has_control() const { return raise_pending_; }
  void write_control(Writer& out, SentFrameSink sent);
  void on_max_messages_lost(std::uint64_t limit) { raise_pending_ = raise_pending_ || limit == credit_.limit(); }

  void shrink();
  const Counters& counters() const { return counters_; }
  // How many messages wait for the application to take them.
  std::uint64_t kept() const;
  std::size_t memory() const;

 private:
  std::expected<void, TransportError> spend(std::uint64_t bytes, std::uint64_t frame_type);
  void consume(std::uint64_t bytes);

  MessageEvents& events_;
  SequenceWindow sequences_;
  ReceiveWindow credit_;
  std::uint64_t received_bytes_ = 0;  // counted against the credit
  std::uint64_t idle_work_ = 0;       // of EXPIRED frames that settled nothing
  bool raise_pending_ = false;
  std::array<MessageQueue, kMessageClasses> kept_;  // by the class of the type
  Timestamp now_{};
  Duration smoothed_rtt_{};
  Counters counters_;
};

}  // namespace mxp
