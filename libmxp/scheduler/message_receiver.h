// The receiving half of a connection's messages (docs/protocol.md §5.2): each is taken exactly once, handed over in the
// packet that it came in, and kept only while the application does not take messages of its class. A long message is
// kept while parts of it are missing, too, one of an ordered channel while its turn has not come, and one that may be
// the connection's own while its payload may not be opened (MessageEvents::Offered::later). What is kept, and
// what may come, is bounded by the byte credit that the peer was given; a message in parts uses all of its credit with
// the first of them.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>

#include "core/cursor.h"
#include "core/frames.h"
#include "core/sent_frame.h"
#include "mxp/config.h"
#include "mxp/error.h"
#include "mxp/time.h"
#include "scheduler/flow_credit.h"
#include "scheduler/incoming_message.h"
#include "scheduler/message_events.h"
#include "scheduler/message_queue.h"
#include "scheduler/ordered_channel.h"
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
      : events_(events),
        max_payload_(largest_payload(config)),
        sequences_(config.window),
        credit_(config.receive_window, config.max_receive_window) {}

  // The largest payload that may come, as it is announced: a message must fit into the largest window, also if the peer
  // keeps an eighth of the first one for the critical class.
  static std::uint64_t largest_payload(const MessageConfig& config);

  // For the growth of the byte credit, as for the windows of streams (ReceiveWindow).
  void on_clock(Timestamp now, Duration smoothed_rtt) {
    now_ = now;
    smoothed_rtt_ = smoothed_rtt;
    make_room();
  }

  // The frames of the peer. Errors: MESSAGE_LIMIT_ERROR, MESSAGE_ENCODING_ERROR.
  std::expected<void, TransportError> on_frame(const MessageFrame& frame);
  std::expected<void, TransportError> on_frame(const MessagePartFrame& frame);
  std::expected<void, TransportError> on_frame(const ExpiredFrame& frame);
  void on_frame(const MessagesBlockedFrame& frame);

  // Whether the window may grow for a message that does not fit into it. At first it may.
  enum class Growth : std::uint8_t { allowed, withheld };
  void set_growth(Growth growth);
  // For as long as a long message waits for room that is withheld: when to look again.
  Timestamp deadline() const { return growth_ == Growth::withheld && needed_ > credit_.window() ? look_at_ : kNever; }

  // The bit behind those of the classes, for what is kept until it can be opened, whatever its class.
  static constexpr unsigned kUnopened = 1u << kMessageClasses;
  // Tells of the messages that are kept, of these classes (bits by MessageClass), as far as the application takes them,
  // and of what has its turn then behind them in an ordered channel. Returns whether any was taken.
  bool deliver_kept(unsigned classes);

  bool has_control() const { return raise_pending_; }
  void write_control(Writer& out, SentFrameSink sent);
  void on_max_messages_lost(std::uint64_t limit) { raise_pending_ = raise_pending_ || limit == credit_.limit(); }

  void shrink();
  const Counters& counters() const { return counters_; }
  // How many messages wait for the application to take them, or for those before them.
  std::uint64_t kept() const;
  std::size_t memory() const;

 private:
  std::expected<void, TransportError> spend(std::uint64_t bytes, std::uint64_t frame_type);
  void consume(std::uint64_t bytes);
  void make_room();
  MessageQueue& kept_like(const Message& message) {
    return kept_[static_cast<std::size_t>(message_class(message.type))];
  }
  // A message that is complete.
  struct Arrived {
    std::uint64_t sequence;
    MessageFrame::Form form;
    std::uint64_t charge;
    std::optional<OrderLink> order;
  };
  // Tells of it, or keeps it: `put(MessageQueue&)` puts its body there and returns the entry.
  template <typename Put>
  void take(const Message& message, const Arrived& arrived, Put put);
  // The connection or the application has taken it, the application has refused it, it was not asked, because it has
  // refused another message of the class, or nobody can tell yet who is to be asked.
  enum class Told : std::uint8_t { taken, refused, held_up, later };
  Told tell(const Message& message);
  Told offer(const Message& message, MessageEvents::Audience audience);
  bool deliver_class(MessageClass of, unsigned& classes);
  bool deliver_unopened(unsigned& classes);
  bool deliver_ordered(unsigned classes);
  bool deliver_ordered(OrderedChannel& channel, unsigned& classes);
  OrderedChannel& channel_of(const OrderLink& link);
  // Whether a message of this class was not taken, so that others have to wait.
  bool is_held_up(MessageClass class_of_type) const;
  using Incomplete = std::map<std::uint64_t, IncomingMessage>;  // by sequence
  std::expected<Incomplete::iterator, TransportError> begin(const MessagePartFrame& frame);
  std::expected<void, TransportError> complete(Incomplete::iterator at, std::uint64_t frame_type);
  Incomplete::iterator forget(Incomplete::iterator at);

  MessageEvents& events_;
  std::uint64_t max_payload_;
  SequenceWindow sequences_;
  ReceiveWindow credit_;
  std::uint64_t received_bytes_ = 0;  // counted against the credit
  std::uint64_t idle_work_ = 0;       // of EXPIRED frames that settled nothing
  std::uint64_t needed_ = 0;          // the window that the peer has asked for
  Growth growth_ = Growth::allowed;
  bool raise_pending_ = false;
  // Not more than the byte credit has room for, because each has used more than kMaxShortMessage of it.
  Incomplete incomplete_;
  std::size_t incomplete_memory_ = 0;
  std::array<MessageQueue, kMessageClasses> kept_;  // by the class of the type
  MessageQueue unopened_;                           // of any class, but of no ordered channel
  // Classes that were asked for when the message that is told next could not be opened. It keeps its place, as the
  // application may have refused it before.
  unsigned asked_in_vain_ = 0;
  using Channels = std::array<OrderedChannel, kMessageClasses>;
  std::unique_ptr<Channels> channels_;  // from the first message of one on
  // Where the message is that the application refused last, for each class of its type: no other one of the class is
  // told before it.
  static constexpr std::uint8_t kNoChannel = 255;  // in kept_
  std::uint8_t& refused_at(MessageClass of) { return refused_at_[static_cast<std::size_t>(of)]; }
  std::uint8_t index_of(const OrderedChannel& channel) const {
    return static_cast<std::uint8_t>(&channel - channels_->data());
  }
  std::array<std::uint8_t, kMessageClasses> refused_at_{kNoChannel, kNoChannel, kNoChannel, kNoChannel};
  Timestamp look_at_{};  // for room, if it is withheld
  Timestamp now_{};
  Duration smoothed_rtt_{};
  Counters counters_;
};

}  // namespace mxp
