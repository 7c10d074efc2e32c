// How messages are told: those that have just come, and those that were kept.
#include <algorithm>
#include <utility>

#include "message/body.h"
#include "scheduler/message_receiver.h"

namespace mxp {
namespace {

unsigned bit_of(MessageClass of) { return 1u << static_cast<unsigned>(of); }

// What is kept in a queue leaves it from the front, and its memory with it.
void drop_front(MessageQueue& kept) {
  MessageQueue::Entry& front = kept.at(kept.next());
  front.state = MessageQueue::State::settled;
  kept.drop_long(front);
  kept.take_next();
  kept.release_settled();
}

// What a peer has once filled does not stay as large until the connection rests.
void give_back(MessageQueue& kept) {
  if (kept.memory() > MessageQueue::kKeptMemory) kept.shrink();
}

// Its credit goes with it.
void move_front(MessageQueue& from, MessageQueue& to) {
  MessageQueue::Entry& front = from.at(from.next());
  const ByteView body = from.body(front);
  const MessageQueue::Added added = front.is_long() ? to.add_long(from.take_long(front)) : to.add(body.size());
  if (!added.entry.is_long()) std::ranges::copy(body, added.body.begin());
  added.entry.charge = front.charge;
  added.entry.form = front.form;
  drop_front(from);
}

}  // namespace

MessageReceiver::Told MessageReceiver::tell(const Message& message) {
  const bool held_up = is_held_up(message_class(message.type));
  return offer(message, held_up ? MessageEvents::Audience::connection : MessageEvents::Audience::everybody);
}

MessageReceiver::Told MessageReceiver::offer(const Message& message, MessageEvents::Audience audience) {
  switch (events_.offer(message, audience)) {
    case MessageEvents::Offered::taken: return Told::taken;
    case MessageEvents::Offered::later: return Told::later;
    case MessageEvents::Offered::refused: break;
  }
  return audience == MessageEvents::Audience::everybody ? Told::refused : Told::held_up;
}

bool MessageReceiver::is_held_up(MessageClass class_of_type) const {
  if (kept_[static_cast<std::size_t>(class_of_type)].has_queued()) return true;
  return channels_ != nullptr && std::ranges::any_of(*channels_, [&](const OrderedChannel& channel) {
           return channel.refused() == class_of_type;
         });
}

bool MessageReceiver::deliver_kept(unsigned classes) {
  bool took = false;
  if ((classes & kUnopened) != 0) {
    took = deliver_unopened(classes);
    classes |= std::exchange(asked_in_vain_, 0u);
  }
  for (std::size_t i = 0; i != kept_.size(); ++i) took |= deliver_class(static_cast<MessageClass>(i), classes);
  return (channels_ != nullptr && deliver_ordered(classes)) || took;
}

bool MessageReceiver::deliver_class(MessageClass of, unsigned& classes) {
  bool took = false;
  if ((classes & bit_of(of)) == 0) return took;
  if (refused_at(of) != kNoChannel && channels_ != nullptr) {
    // The front of an ordered channel was refused, and what is kept here came later.
    took = deliver_ordered((*channels_)[refused_at(of)], classes);
    if ((classes & bit_of(of)) == 0) return took;
  }
  MessageQueue& kept = kept_[static_cast<std::size_t>(of)];
  while (kept.has_queued()) {
    const MessageQueue::Entry entry = kept.at(kept.next());
    const auto message = decode_body(entry.form, kept.body(entry));  // it was one when it came
    const Told told = offer(*message, MessageEvents::Audience::everybody);
    if (told != Told::taken) {
      if (told == Told::later) asked_in_vain_ |= bit_of(of);
      refused_at(of) = kNoChannel;
      classes &= ~bit_of(of);
      break;
    }
    drop_front(kept);
    consume(entry.charge);
    took = true;
  }
  give_back(kept);
  return took;
}

// Offers what could not be opened when it came. Once it is known to be none of the connection's own it is a message of
// its class like others: the application is told of it, unless it has refused one of the class. If it refuses this one,
// the class is asked for no more.
bool MessageReceiver::deliver_unopened(unsigned& classes) {
  bool took = false;
  while (unopened_.has_queued()) {
    const MessageQueue::Entry entry = unopened_.at(unopened_.next());
    const auto message = decode_body(entry.form, unopened_.body(entry));
    const MessageClass of = message_class(message->type);
    const Told told = tell(*message);
    if (told == Told::later) break;
    if (told == Told::taken) {
      drop_front(unopened_);
      consume(entry.charge);
      took = true;
    } else {
      move_front(unopened_, kept_[static_cast<std::size_t>(of)]);
      if (told == Told::refused) {
        refused_at(of) = kNoChannel;
        classes &= ~bit_of(of);
      }
    }
  }
  give_back(unopened_);
  return took;
}

// Tells of what has its turn in the ordered channels. What the application did not take is told again only if it is of
// these classes. Returns whether any was taken.
bool MessageReceiver::deliver_ordered(unsigned classes) {
  bool took = false;
  for (OrderedChannel& channel : *channels_) took |= deliver_ordered(channel, classes);
  return took;
}

// The same for one of them. A class of which the application refuses a message is asked for no more.
bool MessageReceiver::deliver_ordered(OrderedChannel& channel, unsigned& classes) {
  bool took = false;
  while (const MessageQueue::Entry* const next = channel.next(sequences_)) {
    if (next->state != MessageQueue::State::expired) {
      if (channel.next_awaits_opening() && (classes & kUnopened) == 0) break;
      const bool again = channel.next_is_refused();
      if (again && (classes & bit_of(*channel.refused())) == 0) break;
      const auto message = decode_body(next->form, channel.body(*next));
      const MessageClass of = message_class(message->type);  // it was a message when it came
      // What the class waits for goes first.
      if (again && refused_at(of) != index_of(channel) && kept_like(*message).has_queued()) break;
      // Where the class is asked for, what was refused in other channels waits for this call as well, and no longer
      // for the application.
      const bool asked_for = (classes & bit_of(of)) != 0 && !kept_like(*message).has_queued();
      const Told told = again || asked_for ? offer(*message, MessageEvents::Audience::everybody) : tell(*message);
      if (told == Told::later && !again) {
        channel.await_opening();
        break;
      }
      if (told == Told::refused || told == Told::later) {
        if (told == Told::later) asked_in_vain_ |= bit_of(of);
        refused_at(of) = index_of(channel);
        classes &= ~bit_of(of);
      }
      if (told != Told::taken) {
        channel.refuse(of);
        break;
      }
      took = true;
    }
    consume(channel.take_next());
  }
  return took;
}

}  // namespace mxp
