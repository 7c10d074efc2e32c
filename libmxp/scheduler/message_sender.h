// The sending half of a connection's messages (docs/protocol.md §5.2): each class has a queue, and what goes out gets
// the next sequence number. A message that was lost is written again with its own number; one that expired is replaced
// by an EXPIRED frame, which settles its number at the peer. Nothing is sent beyond the lowest unsettled number plus
// the peer's window, nor beyond its byte credit, of which an eighth is kept for the critical class.
//
// Acknowledging a packet settles each message in it; a packet names its messages as runs of consecutive numbers. In
// steady state nothing is allocated and nothing is looked up but one slot for each number.
//
// A message beyond kMaxShortMessage travels in parts, which are acknowledged and lost one by one (long_message.h). A
// class sends its messages one after the other, long ones as well, so at most one in each class is partly sent. Its
// parts give way to other classes like any frames.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "core/cursor.h"
#include "core/frames.h"
#include "core/sent_frame.h"
#include "core/transport_parameters.h"
#include "mxp/config.h"
#include "mxp/message.h"
#include "mxp/message_options.h"
#include "scheduler/deadline_queue.h"
#include "scheduler/expired_list.h"
#include "scheduler/message_events.h"
#include "scheduler/message_queue.h"
#include "scheduler/order_links.h"
#include "scheduler/sent_frame_sink.h"

namespace mxp {

class MessageSender {
 public:
  // What the peer takes, from its parameters.
  struct PeerLimits {
    std::uint64_t window = 0;
    std::uint64_t bytes = 0;
    std::uint64_t payload = kMaxShortMessage;  // of the largest message
    MessageFrame::Form form = MessageFrame::Form::full;
    bool ordered = false;  // whether it takes ordered channels
  };
  struct Counters {
    std::uint64_t sent = 0;  // first transmissions
    std::uint64_t repeated = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t expired = 0;  // or cancelled, whether they were sent or not
  };

  // `events` outlives this object.
  MessageSender(const MessageConfig& config, MessageEvents& events, const PeerLimits& limits)
      : config_(config), events_(events), limits_(limits), byte_window_(limits.bytes), reserved_(limits.bytes / 8) {}

  // The verbs of the application. Errors of the first: all but not_taken and connection_closed.
  std::expected<MessageTicket, SendMessageError> send(const Message& message, const MessageOptions& options);
  // As if the message expired now; the outcome is not told. Nothing: there is no such message any more.
  std::optional<MessageOutcome> cancel(MessageTicket ticket);

  void on_frame(const MaxMessagesFrame& frame);

  // The verbs of a source (outbox.h).
  bool has_control() const { return blocked_pending_ || !expired_.empty(); }
  void write_control(Writer& out, SentFrameSink sent);
  bool has_lost(MessageClass traffic_class) const { return class_of(traffic_class).lost_count != 0; }
  bool has_new(MessageClass traffic_class) const {
    const Class& of = class_of(traffic_class);
    return of.partly_sent != kNone || may_send_next(of);
  }
  bool has_pending(MessageClass traffic_class) const { return has_lost(traffic_class) || has_new(traffic_class); }
  std::uint64_t new_bytes(MessageClass traffic_class) const;
  // Lost messages first, then new ones, until the packet is full or has taken `max_bytes` or little more.
  void write(MessageClass traffic_class, Writer& out, SentFrameSink sent, std::size_t max_bytes);
  void on_frame_acknowledged(const SentFrame& frame);
  void on_frame_lost(const SentFrame& frame);

  // When the next message expires, at the earliest; one that was settled meanwhile may count.
  Timestamp deadline() const { return deadlines_.next(); }
  // Expires what is due, which may tell events.
  void on_clock(Timestamp now);

  // Whether messages wait that only the peer can free, with MAX_MESSAGES or by acknowledging.
  bool blocked_by_peer() const;
  bool blocked_by_peer(MessageClass traffic_class) const {
    const Class& of = class_of(traffic_class);
    return of.queue.has_queued() && !may_send_next(of);
  }
  bool all_are_settled() const {
    return std::ranges::all_of(classes_, [](const Class& of) { return of.queue.oldest() == of.queue.end(); });
  }
  // The connection has ended: tells the outcome of each message that reports one.
  void end();
  // Gives back memory that only a busy time needed.
  void shrink();
  const Counters& counters() const { return counters_; }
  std::size_t memory() const;

 private:
  // Names an entry: its class and its index there.
  using Name = std::uint64_t;
  static constexpr unsigned kClassShift = 62;
  static constexpr Name kSettled = ~Name{0};
  static constexpr std::uint64_t kNone = 0;  // no index

  struct Class {
    MessageClass traffic_class;
    MessageQueue queue;
    std::vector<std::uint64_t> lost;  // indices, oldest first from lost_head on; those not in state lost any more count
    std::size_t lost_head = 0;        // for nothing
    std::size_t lost_count = 0;       // entries in state lost
    std::uint64_t partly_sent = kNone;  // index of the long message that is being sent
    std::uint64_t long_unsent = 0;      // bytes of long messages that were never sent
    std::uint64_t ordered_unsent = 0;   // messages of the channel that were never sent
    // A send failed for want of room: this is told once no more is held than that.
    std::optional<std::uint64_t> tells_room_at;
  };
  // Messages with consecutive numbers in one packet.
  struct Run {
    std::uint64_t first = 0;
    std::uint32_t count = 0;
    bool of_copies = false;
  };

  Class& class_of(MessageClass traffic_class) { return classes_[static_cast<std::size_t>(traffic_class)]; }
  const Class& class_of(MessageClass traffic_class) const { return classes_[static_cast<std::size_t>(traffic_class)]; }
  static Name name_of(const Class& of, std::uint64_t index) {
    return static_cast<Name>(of.traffic_class) << kClassShift | index;
  }
  Class& class_of_name(Name name) { return classes_[name >> kClassShift]; }
  static std::uint64_t index_of(Name name) { return name & ((Name{1} << kClassShift) - 1); }
  bool is_alive(Name name) const;

  std::uint64_t next_sequence() const { return lowest_unsettled_ + unsettled_; }
  bool window_is_open() const { return unsettled_ < limits_.window; }
  std::uint64_t credit_for(MessageClass traffic_class) const;
  bool may_send_next(const Class& of) const;
  std::uint64_t kept_from(MessageClass traffic_class) const {
    return traffic_class == MessageClass::critical ? 0 : reserved_;
  }
  Name& slot(std::uint64_t sequence) { return slots_[sequence & (slots_.size() - 1)]; }
  static std::optional<OrderLink> order_of(const Class& of, const MessageQueue::Entry& entry);
  // Gives the entry the next sequence number.
  void number(Class& of, std::uint64_t index);
  // Each writes one frame at most, of `turn` bytes or little more where it can be cut, and returns whether to go on.
  bool write_lost(Class& of, Writer& out, SentFrameSink sent, Run& run, std::size_t turn);
  bool write_next(Class& of, Writer& out, SentFrameSink sent, Run& run, std::size_t turn);
  bool write_part(Class& of, std::uint64_t index, Writer& out, SentFrameSink sent, std::size_t turn);
  bool write_one(Class& of, std::uint64_t index, Writer& out, SentFrameSink sent, Run& run);
  static void note(Run& run, SentFrameSink sent, SentFrame::Kind kind);
  MessageOutcome expire(Class& of, std::uint64_t index);
  // Messages that expired before they were sent, and are next, get their numbers.
  void number_expired();
  void settle(std::uint64_t sequence);
  // The index of a message of which parts are under way; nothing if it is settled or has expired.
  struct Long {
    Class& of;
    std::uint64_t index;
  };
  std::optional<Long> find_long(std::uint64_t sequence);
  // After a change of what is lost of it.
  void note_long(Long message);
  void note_lost(Class& of, std::uint64_t index);
  void note_blocked();
  std::uint64_t held_by(const Class& of) const;

  MessageConfig config_;
  MessageEvents& events_;
  PeerLimits limits_;
  std::uint64_t byte_window_;     // the byte credit that the peer gave at first: it never gives less at a time
  std::uint64_t reserved_;        // of it, for the critical class
  std::uint64_t used_bytes_ = 0;  // of the byte credit, from the start
  // What the last MESSAGES_BLOCKED says: at most one is sent for each limit, and another one if more is needed.
  std::uint64_t blocked_at_ = ~std::uint64_t{0};
  std::uint64_t blocked_needs_ = 0;
  bool blocked_pending_ = false;

  std::array<Class, kMessageClasses> classes_{
      Class{.traffic_class = MessageClass::critical, .queue = {}, .lost = {}, .tells_room_at = {}},
      Class{.traffic_class = MessageClass::control, .queue = {}, .lost = {}, .tells_room_at = {}},
      Class{.traffic_class = MessageClass::streaming, .queue = {}, .lost = {}, .tells_room_at = {}},
      Class{.traffic_class = MessageClass::background, .queue = {}, .lost = {}, .tells_room_at = {}}};
  std::vector<Name> slots_;  // by sequence, from lowest_unsettled_ on; empty, or its size is a power of two
  std::uint64_t lowest_unsettled_ = 0;
  std::uint64_t unsettled_ = 0;  // numbers given out from there on
  ExpiredList expired_;
  OrderLinks links_;
  DeadlineQueue deadlines_;
  Counters counters_;
};

}  // namespace mxp
