// Ordered channels over a path that loses, repeats and reorders packets, with deadlines, cancels, applications that
// refuse, and connections that cannot tell at once which messages are their own: after each packet the messages that
// were told are those that a naive model tells. And the same for a peer that says of its channels what it likes.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <deque>
#include <map>
#include <random>
#include <set>

#include "message/body.h"
#include "unit/scheduler/messages_fixture.h"

namespace mxp::test::ordered_messages_property {
namespace {

using namespace std::chrono_literals;

struct InTransit {
  MessageSide* from;
  MessageSide* to;
  MessagePacket packet;
};

// What the receiver may tell of each channel: all of its messages up to the first number that is not settled. It is
// given each packet that was written and each that came.
class PrefixModel {
 public:
  void on_written(const MessagePacket& packet) {
    each(packet, [&](std::uint64_t first, std::uint64_t count, const auto& frame) {
      if (frame.order)
        for (std::uint64_t i = 0; i != count; ++i) channels_[frame.order->channel].insert(first + i);
    });
  }
  void on_come(const MessagePacket& packet) {
    each(packet, [&](std::uint64_t first, std::uint64_t count, const auto& frame) {
      for (std::uint64_t i = 0; i != count; ++i) settle(first + i, frame);
    });
  }
  std::size_t tellable(MessageClass channel) const {
    std::size_t messages = 0;
    const auto at = channels_.find(channel);
    if (at == channels_.end()) return 0;
    for (const std::uint64_t sequence : at->second) {
      const auto settled = settled_.find(sequence);
      if (settled == settled_.end()) break;
      if (settled->second) ++messages;
    }
    return messages;
  }

 private:
  void settle(std::uint64_t sequence, const MessageFrame&) { settled_.emplace(sequence, true); }
  void settle(std::uint64_t sequence, const ExpiredFrame&) { settled_.emplace(sequence, false); }
  void settle(std::uint64_t sequence, const MessagePartFrame& part) {
    std::set<std::uint64_t>& there = parts_[sequence];
    for (std::uint64_t i = 0; i != part.data.size(); ++i) there.insert(part.offset + i);
    if (there.size() == part.body_size) settled_.emplace(sequence, true);
  }
  template <typename Do>
  static void each(const MessagePacket& packet, Do with) {
    FrameReader reader(packet.payload);
    while (const auto frame = *reader.next()) {
      if (const auto* message = std::get_if<MessageFrame>(&*frame)) with(message->sequence, 1, *message);
      if (const auto* part = std::get_if<MessagePartFrame>(&*frame)) with(part->sequence, 1, *part);
      if (const auto* expired = std::get_if<ExpiredFrame>(&*frame)) with(expired->first, expired->count, *expired);
    }
  }

  std::map<MessageClass, std::set<std::uint64_t>> channels_;  // their numbers
  std::map<std::uint64_t, bool> settled_;                     // whether by a message
  std::map<std::uint64_t, std::set<std::uint64_t>> parts_;
};

void run_honest(std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto below = [&](std::uint64_t bound) {
    return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(random);
  };
  MessageConfig config;
  config.window = 1 + below(60);
  config.receive_window = 2048 + below(6000);
  config.max_receive_window = config.receive_window + below(20'000);
  config.max_message = kMaxShortMessage + below(4000);
  config.compaction = below(2) == 0;
  const bool picky_run = below(2) == 0;
  const std::uint64_t ordered_of_4 = 1 + below(4);
  MessagePair pair(config, config);
  MessageSide& client = pair.client;
  MessageSide& server = pair.server;
  bool picky = picky_run;
  // The message of each class that the application has refused: until it takes that one, or asks, it is told of no other
  // one of the class.
  std::map<MessageClass, std::uint64_t> refused;
  struct Sent {
    std::optional<MessageClass> channel;
    MessageTicket ticket;
  };
  std::map<std::uint64_t, Sent> sent;  // by id
  const auto take = [&](const Message& message) {
    const MessageClass of = message_class(message.type);
    if (refused.contains(of)) RC_ASSERT(refused[of] == message.id);
    if (picky && below(4) == 0) {
      refused[of] = message.id;
      return false;
    }
    refused.erase(of);
    return true;
  };
  server.app.takes = take;
  // Of these the connection says that they may be its own, and of some of them that it cannot tell yet.
  bool may_tell = true, asks_later = false;
  const auto may_be_own = [](const Message& message) { return message.id % 3 == 0; };
  const auto is_own = [](const Message& message) { return message.id % 6 == 0; };
  using Offered = MessageEvents::Offered;
  if (picky_run && below(2) == 0) {
    server.app.offers = [&](const Message& message, MessageEvents::Audience audience) {
      if (may_be_own(message) && !may_tell && below(3) != 0) {
        asks_later = true;
        return Offered::later;
      }
      const bool own = is_own(message);
      if (!own && (audience == MessageEvents::Audience::connection || !take(message))) return Offered::refused;
      server.app.received.push_back(message.id);
      return Offered::taken;
    };
  }

  PrefixModel model;
  std::deque<InTransit> under_way;
  Timestamp now{};
  std::uint64_t id = 0;
  const auto told_of = [&](MessageClass channel) {
    std::vector<std::uint64_t> ids;
    for (const std::uint64_t received : server.app.received)
      if (sent.at(received).channel == channel) ids.push_back(received);
    return ids;
  };
  const auto check = [&] {
    for (std::size_t i = 0; i != kMessageClasses; ++i) {
      const auto told = told_of(static_cast<MessageClass>(i));
      RC_ASSERT(std::ranges::is_sorted(told));
      const std::size_t tellable = model.tellable(static_cast<MessageClass>(i));
      RC_ASSERT(told.size() <= tellable);
      if (!picky_run) RC_ASSERT(told.size() == tellable);
    }
  };
  for (int round = 0;; ++round) {
    RC_ASSERT(round < 20'000);
    now += 1ms;
    const bool ending = round > 100;
    picky = picky_run && !ending;
    may_tell = ending;
    client.messages.on_clock(now, 5ms);
    server.messages.on_clock(now, 5ms);
    for (std::uint64_t i = ending ? 0 : below(5); i > 0; --i) {
      MessageOptions options;
      if (below(3) == 0) options.expires_at = now + std::chrono::milliseconds(1 + below(40));
      if (below(3) == 0) options.traffic_class = static_cast<MessageClass>(below(kMessageClasses));
      if (below(4) < ordered_of_4) options.order = MessageOrder::in_class;
      const auto type = below(2) == 0 ? MessageType::call : MessageType::event;
      const std::size_t size = below(12) == 0 ? below(config.max_message) : below(60);
      const auto ticket =
          client.send(id, std::min<std::size_t>(size, MessageReceiver::largest_payload(config)), options, type);
      if (!ticket) continue;
      std::optional<MessageClass> channel;
      if (options.order == MessageOrder::in_class) channel = options.traffic_class.value_or(message_class(type));
      sent.emplace(id++, Sent{channel, *ticket});
    }
    if (!sent.empty() && below(4) == 0)
      client.messages.cancel(std::next(sent.begin(), static_cast<std::ptrdiff_t>(below(sent.size())))->second.ticket);
    if (!refused.empty() && (below(3) == 0 || ending)) {
      refused.clear();
      server.messages.resume();
      server.messages.deliver_resumed();
    }
    if (asks_later && (below(3) == 0 || ending)) {
      asks_later = false;
      server.messages.resume(Messages::kUnopened);
      server.messages.deliver_resumed();
    }
    for (auto [from, to] : {std::pair{&client, &server}, std::pair{&server, &client}}) {
      MessagePacket packet = from->packet(100 + below(1100));
      if (packet.frames.empty()) continue;
      if (from == &client) model.on_written(packet);
      under_way.push_back({from, to, std::move(packet)});
    }
    for (std::uint64_t i = ending ? 4 : below(3); i > 0 && !under_way.empty(); --i) {
      const auto at =
          under_way.begin() + static_cast<std::ptrdiff_t>(below(std::min<std::size_t>(under_way.size(), 8)));
      const InTransit transit = std::move(*at);
      under_way.erase(at);
      const bool dropped = below(4) == 0;
      for (int times = dropped ? 0 : below(10) == 0 ? 2 : 1; times > 0; --times) {
        if (transit.to == &server) model.on_come(transit.packet);
        RC_ASSERT(transit.to->receive(transit.packet).has_value());
        check();
      }
      if (dropped || below(8) == 0) {
        transit.from->lose(transit.packet);
        if (!dropped && below(3) == 0) transit.from->acknowledge(transit.packet);
      } else {
        transit.from->acknowledge(transit.packet);
      }
    }
    RC_ASSERT(server.messages.memory() < 150'000u);
    if (ending && under_way.empty() && !client.has_pending() && !server.has_pending() &&
        (client.messages.deadline() == kNever || client.messages.deadline() <= now))
      break;
  }
  check();
  RC_ASSERT(server.messages.kept() == 0u);
  // Each has come or has expired, whatever was in front of it.
  RC_ASSERT(server.app.received.size() + server.app.expired == sent.size());
  for (std::size_t i = 0; i != kMessageClasses; ++i)
    RC_ASSERT(told_of(static_cast<MessageClass>(i)).size() == model.tellable(static_cast<MessageClass>(i)));
  RC_ASSERT(client.messages.all_sent_are_settled());
  RC_ASSERT(!client.messages.blocked_by_peer());
}

// The rule of docs/protocol.md §5.2 as it stands there: of what waits in a channel the lowest is told once the number
// that it points to is settled.
class NaiveChannels {
 public:
  using Told = std::map<std::optional<MessageClass>, std::vector<std::uint64_t>>;  // of each channel, and without one
  Told told;
  std::map<std::uint64_t, std::optional<MessageClass>> channels;  // of those that were told
  std::set<std::uint64_t> settled;

  void on_message(std::uint64_t sequence, const std::optional<OrderLink>& order) {
    if (!settled.insert(sequence).second) return;
    if (order) waiting_[order->channel].emplace(sequence, Item{sequence - order->distance, true});
    else tell({}, sequence);
    deliver();
  }
  void on_expired(std::uint64_t first, std::uint64_t count, const std::optional<OrderLink>& order) {
    bool fresh = false;
    for (std::uint64_t i = 0; i != count; ++i) fresh = settled.insert(first + i).second || fresh;
    if (order && fresh) waiting_[order->channel].emplace(first, Item{first - order->distance, false});
    deliver();
  }
  bool empty() const {
    return std::ranges::all_of(waiting_, [](const auto& channel) { return channel.second.empty(); });
  }

 private:
  struct Item {
    std::uint64_t before;
    bool is_message;
  };
  void tell(std::optional<MessageClass> channel, std::uint64_t sequence) {
    told[channel].push_back(sequence);
    channels[sequence] = channel;
  }
  void deliver() {
    for (auto& [channel, items] : waiting_) {
      while (!items.empty() && settled.contains(items.begin()->second.before)) {
        if (items.begin()->second.is_message) tell(channel, items.begin()->first);
        items.erase(items.begin());
      }
    }
  }
  std::map<MessageClass, std::multimap<std::uint64_t, Item>> waiting_;
};

void run_hostile(std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto below = [&](std::uint64_t bound) {
    return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(random);
  };
  MessageConfig config;
  config.window = 1 + below(100);
  config.receive_window = config.max_receive_window = 8192;
  config.max_message = kMaxShortMessage;
  MessageSide server(config);
  NaiveChannels naive;
  std::uint64_t used = 0;
  const auto give = [&](std::uint64_t first, bool has_link, bool expires) {
    std::optional<OrderLink> order;
    if (has_link)
      order = OrderLink{static_cast<MessageClass>(below(kMessageClasses)),
                        static_cast<std::uint32_t>(below(std::min<std::uint64_t>(first, 30) + 1))};
    if (expires) {
      const std::uint64_t count = 1 + below(3);
      std::uint64_t fresh = 0;
      for (std::uint64_t i = 0; i != count; ++i) fresh += naive.settled.contains(first + i) ? 0u : 1u;
      const std::uint64_t length = 40 + below(10);
      if (!server.messages.on_frame(ExpiredFrame{first, count, length, order})) return false;
      used += fresh * length;
      naive.on_expired(first, count, order);
    } else {
      std::vector<std::uint8_t> body(64);
      const auto size = encode_body(MessageFrame::Form::full, {.id = first}, body);
      const bool fresh = !naive.settled.contains(first);
      if (!server.messages.on_frame(MessageFrame{MessageFrame::Form::full, first, ByteView(body).first(*size), order}))
        return false;
      if (fresh) used += *size;
      naive.on_message(first, order);
    }
    NaiveChannels::Told told;
    for (const std::uint64_t received : server.app.received) told[naive.channels.at(received)].push_back(received);
    RC_ASSERT(told == naive.told);
    RC_ASSERT(server.messages.memory() < 100'000u);
    return true;
  };
  std::uint64_t base = 0;
  for (std::uint64_t frames = 1 + below(300); frames > 0; --frames) {
    while (naive.settled.contains(base)) ++base;
    const std::uint64_t first = base - below(std::min<std::uint64_t>(base, 20) + 1) + below(config.window);
    if (!give(first, below(4) != 0, below(3) == 0)) return;
  }
  // Once every number is settled everything was told, and all credit is free.
  while (naive.settled.contains(base)) ++base;
  for (const std::uint64_t last = *naive.settled.rbegin(); base < last; ++base)
    if (!naive.settled.contains(base) && !give(base, false, false)) return;
  RC_ASSERT(naive.empty());
  RC_ASSERT(server.messages.kept() == 0u);
  server.messages.on_frame(MessagesBlockedFrame{8192, 1});
  const MessagePacket packet = server.packet();
  FrameReader reader(packet.payload);
  const auto frame = reader.next();
  if (used != 0) RC_ASSERT(std::get<MaxMessagesFrame>(**frame).bytes == 8192 + used);
}

BOOST_AUTO_TEST_SUITE(ordered_messages_property)

BOOST_AUTO_TEST_CASE(channels_tell_what_a_naive_model_tells_after_each_packet) {
  BOOST_TEST(rc::check("ordered channels", run_honest));
}

BOOST_AUTO_TEST_CASE(links_of_a_hostile_peer_match_a_naive_model_and_keep_no_credit) {
  BOOST_TEST(rc::check("hostile links", run_hostile));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::test::ordered_messages_property
