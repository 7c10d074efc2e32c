// What has come of one ordered channel of the peer's messages before its turn (docs/protocol.md §5.2).
//
// Each message of a channel says how far back the one before it lies, and so does EXPIRED of a message of a channel. A
// receiver that waited only until the one before is settled would be wrong, as that one may wait itself, or may have
// expired while one before it is still under way. So what has come too early waits here, expired ones as well, sorted
// by their numbers; the lowest has its turn once the message before it is settled.
//
// That is enough. In a channel numbers rise, so whatever is before the lowest is not here; and if the message directly
// before it is settled, it has come and is not here, so it has had its turn. By the same argument everything before
// that one has. Nothing is remembered of what had its turn: a bit for each number is kept anyway (sequence_window.h).
// Nor is a place kept of an expired one if the message before it is settled: that one has had its turn, or is here and
// lower than whatever follows.
//
// One message that settles may give many their turn, and each of them is looked at once, at the price of a heap:
// O(log n). What a hostile peer says in its links costs nobody but itself: a link to a number of another channel, or of
// none, is waited for like any other, and numbers sorted by size have no cycles.
//
// Bodies lie in one ring, in the order in which they came (message_queue.h), and credit is given back in that order
// too. So everything that is kept has credit of the peer's: what waits at the front keeps the credit of what lies
// behind it, but for the bodies of long messages, which have memory of their own. In a channel whose sender keeps the
// rules, what is let go before the front is before it in the channel as well, and what the front waits for has its
// credit already.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/frames.h"
#include "mxp/message.h"
#include "scheduler/message_queue.h"
#include "scheduler/sequence_window.h"

namespace mxp {

class OrderedChannel {
 public:
  using Entry = MessageQueue::Entry;

  // Nothing is kept.
  bool empty() const { return waiting_.empty(); }
  // Messages that are kept; expired ones do not count.
  std::uint64_t messages() const { return messages_; }
  std::size_t memory() const { return queue_.memory() + waiting_.capacity() * sizeof(Waiting); }

  // Gives back the memory that what is kept does not need, if that is most of it.
  void shrink();

  // Whether a message that comes now has its turn. REQUIRES: its number is settled.
  bool has_turn(std::uint64_t sequence, const OrderLink& link, const SequenceWindow& settled) const {
    return settled.is_settled(sequence - link.distance) && (empty() || sequence < waiting_.front().sequence);
  }
  // Keeps a message whose body is put where `put(MessageQueue&)` says, which returns the new entry
  // (MessageQueue::Added) with its charge and its form.
  template <typename Put>
  void keep(std::uint64_t sequence, const OrderLink& link, Put put) {
    add(put(queue_), sequence, link);
    ++messages_;
  }
  // Keeps the place of messages that will not come. Returns the credit that it keeps for that, of the `charge` of one of
  // them: no body has to be paid for.
  std::uint64_t keep_expired(std::uint64_t first, const OrderLink& link, std::uint64_t charge);

  // What has its turn now, if anything has: a message, or an entry in state expired. Valid until the next change.
  const Entry* next(const SequenceWindow& settled) const;
  ByteView body(const Entry& entry) const { return queue_.body(entry); }
  // What has its turn leaves. Returns the credit that is free now. REQUIRES: next() is something.
  std::uint64_t take_next();

  // The application did not take the message that has its turn, or may not be asked yet, because it did not take
  // another one of this class. It is asked again only when it wants to be. REQUIRES: next() is something.
  void refuse(MessageClass class_of_type) { held_ = {waiting_.front().sequence, class_of_type}; }
  // The class of the type of the message that was refused, if there is one.
  std::optional<MessageClass> refused() const { return held_ ? held_->refused : std::nullopt; }
  // Whether the one that has its turn was refused. REQUIRES: next() is something.
  bool next_is_refused() const { return next_is_held() && held_->refused; }
  // Whose the message is that has its turn can be told only when it may be opened. It holds up its channel alone.
  // REQUIRES: next() is something.
  void await_opening() { held_ = {waiting_.front().sequence, std::nullopt}; }
  bool next_awaits_opening() const { return next_is_held() && !held_->refused; }

 private:
  struct Waiting {
    std::uint64_t sequence;
    std::uint64_t index;  // in queue_
  };
  struct Held {
    std::uint64_t sequence;
    std::optional<MessageClass> refused;  // the class of its type; nothing: it waits to be opened
  };

  bool next_is_held() const { return held_ && held_->sequence == waiting_.front().sequence; }
  static bool later(const Waiting& a, const Waiting& b);
  void add(const MessageQueue::Added& added, std::uint64_t sequence, const OrderLink& link);

  MessageQueue queue_;            // of which all were taken out of the queue, and wait in state sent or expired
  std::vector<Waiting> waiting_;  // a heap, the lowest sequence first
  std::optional<Held> held_;      // had its turn and was not taken
  std::uint64_t messages_ = 0;
};

}  // namespace mxp
