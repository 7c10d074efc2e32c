// Ordered channels of messages: those of one class and direction are told in the order in which they were sent, and
// what is lost or refused there holds up nobody else.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "core/frame_writer.h"
#include "unit/scheduler/messages_fixture.h"

namespace mxp::test::ordered_messages_test {
namespace {

using namespace std::chrono_literals;
using Ids = std::vector<std::uint64_t>;

constexpr MessageOptions kInOrder{.order = MessageOrder::in_class};

MessageOptions in_order_of(MessageClass traffic_class) {
  return {.traffic_class = traffic_class, .order = MessageOrder::in_class};
}

std::vector<Frame> frames_of(const MessagePacket& packet) {
  std::vector<Frame> frames;
  FrameReader reader(packet.payload);
  while (true) {
    const auto frame = reader.next();
    BOOST_TEST_REQUIRE(frame.has_value());
    if (!frame->has_value()) return frames;
    frames.push_back(**frame);
  }
}

// Of the only frame of a packet.
template <typename F>
F only(const MessagePacket& packet) {
  const auto frames = frames_of(packet);
  BOOST_TEST_REQUIRE(frames.size() == 1u);
  BOOST_TEST_REQUIRE(std::holds_alternative<F>(frames.front()));
  return std::get<F>(frames.front());
}

struct OrderedPair : MessagePair {
  using MessagePair::MessagePair;

  MessageTicket sends(std::uint64_t id, const MessageOptions& options = kInOrder, MessageType type = MessageType::event,
                      std::size_t size = 10) {
    const auto ticket = client.send(id, size, options, type);
    BOOST_TEST_REQUIRE(ticket.has_value());
    return *ticket;
  }
  // A packet of what was sent last, alone.
  MessagePacket sends_alone(std::uint64_t id, const MessageOptions& options = kInOrder,
                            MessageType type = MessageType::event, std::size_t size = 10) {
    sends(id, options, type, size);
    return client.packet();
  }
  void arrives(const MessagePacket& packet) { BOOST_TEST_REQUIRE(server.receive(packet).has_value()); }
  void resume() {
    server.messages.resume();
    server.messages.deliver_resumed();
  }
  void told(const Ids& ids) { BOOST_TEST(server.app.received == ids, boost::test_tools::per_element()); }
};

BOOST_AUTO_TEST_SUITE(ordered_messages)

BOOST_FIXTURE_TEST_CASE(a_message_that_comes_early_waits_for_those_before_it, OrderedPair) {
  const auto first = sends_alone(1), second = sends_alone(2), third = sends_alone(3);
  arrives(third);
  arrives(second);
  told({});
  BOOST_TEST(server.messages.kept() == 2u);
  arrives(first);
  told({1, 2, 3});
  BOOST_TEST(server.messages.kept() == 0u);
}

BOOST_FIXTURE_TEST_CASE(other_messages_of_the_class_and_other_channels_pass, OrderedPair) {
  sends_alone(1);  // is lost
  arrives(sends_alone(2));
  arrives(sends_alone(3, {}));
  arrives(sends_alone(4, kInOrder, MessageType::call));
  arrives(sends_alone(5, in_order_of(MessageClass::control)));
  told({3, 4, 5});
}

BOOST_FIXTURE_TEST_CASE(the_channel_is_the_class_that_a_message_is_sent_in, OrderedPair) {
  sends_alone(1, in_order_of(MessageClass::critical));  // is lost
  arrives(sends_alone(2, kInOrder, MessageType::call));
  told({});
  arrives(sends_alone(3));
  told({3});
}

BOOST_FIXTURE_TEST_CASE(a_link_counts_back_to_the_one_before_and_stays_the_same_in_a_copy, OrderedPair) {
  const auto first = sends_alone(1);
  BOOST_TEST((only<MessageFrame>(first).order == OrderLink{MessageClass::background, 0}));
  BOOST_TEST(!only<MessageFrame>(sends_alone(2, {})).order);
  BOOST_TEST((only<MessageFrame>(sends_alone(3, kInOrder, MessageType::call)).order == OrderLink{}));
  const auto fourth = sends_alone(4);
  BOOST_TEST((only<MessageFrame>(fourth).order == OrderLink{MessageClass::background, 3}));
  BOOST_TEST((only<MessageFrame>(sends_alone(5)).order == OrderLink{MessageClass::background, 1}));
  client.acknowledge(first);
  client.lose(fourth);
  BOOST_TEST((only<MessageFrame>(client.packet()).order == OrderLink{MessageClass::background, 3}));
}

BOOST_FIXTURE_TEST_CASE(nothing_is_pointed_to_once_all_up_to_there_is_settled, OrderedPair) {
  const auto first = sends_alone(1), second = sends_alone(2);
  client.acknowledge(second);
  BOOST_TEST(only<MessageFrame>(sends_alone(3)).order->distance == 1u);
  client.acknowledge(first);
  BOOST_TEST(only<MessageFrame>(sends_alone(4)).order->distance == 1u);
  exchange();
  client.lose(sends_alone(5));
  BOOST_TEST(only<MessageFrame>(client.packet()).sequence == 4u);
  for (std::uint64_t id = 6; id < 8; ++id) client.acknowledge(sends_alone(id));
  BOOST_TEST(only<MessageFrame>(sends_alone(8)).order->distance == 1u);
}

BOOST_FIXTURE_TEST_CASE(the_first_after_everything_was_settled_points_to_nothing, OrderedPair) {
  sends(1), sends(2);
  exchange();
  BOOST_TEST(only<MessageFrame>(sends_alone(3)).order->distance == 0u);
}

BOOST_FIXTURE_TEST_CASE(one_that_expires_gives_way_to_those_behind_it, OrderedPair) {
  sends_alone(1, {.expires_at = Timestamp{} + 5ms, .order = MessageOrder::in_class});  // is lost
  arrives(sends_alone(2));
  told({});
  client.messages.on_clock(Timestamp{} + 5ms, 1ms);
  arrives(client.packet());
  told({2});
  BOOST_TEST(server.app.expired == 1u);
}

// The one in the middle is settled, and the one before it still under way.
BOOST_FIXTURE_TEST_CASE(one_that_expires_does_not_stand_for_those_before_it, OrderedPair) {
  const auto first = sends_alone(1);
  sends(2);
  client.packet();
  const auto ticket = sends(3);
  client.packet();
  const auto fourth = sends_alone(4);
  arrives(fourth);
  client.messages.cancel(ticket);
  const auto expired = client.packet();
  BOOST_TEST((only<ExpiredFrame>(expired).order == OrderLink{MessageClass::background, 1}));
  arrives(expired);
  BOOST_TEST(server.app.expired == 1u);  // this is told at once
  arrives(first);
  told({1});
  client.lose(MessagePacket{{}, {{.kind = SentFrame::Kind::message, .length = 1, .value = 1}}});
  arrives(client.packet());
  told({1, 2, 4});
}

BOOST_FIXTURE_TEST_CASE(one_that_expired_before_it_was_sent_is_not_in_the_channel, OrderedPair) {
  const auto first = sends_alone(1);
  const auto ticket = sends(2);
  client.messages.cancel(ticket);
  const auto expired = client.packet();
  BOOST_TEST(!only<ExpiredFrame>(expired).order);
  const auto third = sends_alone(3);
  BOOST_TEST(only<MessageFrame>(third).order->distance == 2u);
  arrives(third);
  arrives(first);
  told({1, 3});
}

BOOST_FIXTURE_TEST_CASE(numbers_that_follow_each_other_in_a_channel_expire_in_one_frame, OrderedPair) {
  std::vector<MessageTicket> tickets;
  for (std::uint64_t id = 1; id < 7; ++id) {
    if (id == 4) sends(100, {});
    tickets.push_back(sends(id));
  }
  arrives(sends_alone(7));
  for (const MessageTicket ticket : tickets) client.messages.cancel(ticket);
  const auto frames = frames_of(client.packet());
  BOOST_TEST_REQUIRE(frames.size() == 2u);
  BOOST_TEST(std::get<ExpiredFrame>(frames[0]).count == 3u);
  BOOST_TEST(std::get<ExpiredFrame>(frames[1]).count == 3u);
  BOOST_TEST(std::get<ExpiredFrame>(frames[1]).order->distance == 2u);
}

BOOST_FIXTURE_TEST_CASE(long_messages_keep_their_place, OrderedPair) {
  client.send(1, 3000, kInOrder);
  std::vector<MessagePacket> parts;
  while (client.has_pending()) parts.push_back(client.packet());
  BOOST_TEST_REQUIRE(parts.size() > 1u);
  client.send(2, 3000, kInOrder);
  while (client.has_pending()) arrives(client.packet());
  arrives(sends_alone(3));
  told({});
  for (const auto& part : parts) arrives(part);
  told({1, 2, 3});
  BOOST_TEST(server.app.payloads[2] == std::string(3000, '\2'));
}

BOOST_FIXTURE_TEST_CASE(what_the_application_refuses_holds_up_its_channel_and_its_class, OrderedPair) {
  bool open = false;
  server.app.takes = [&](const Message& message) { return open || message.type != MessageType::event; };
  for (std::uint64_t id = 1; id < 4; ++id) arrives(sends_alone(id));
  arrives(sends_alone(4, {}));                                   // the same class
  arrives(sends_alone(5, in_order_of(MessageClass::critical)));  // the same class of its type
  arrives(sends_alone(6, kInOrder, MessageType::call));          // behind it
  arrives(sends_alone(7, in_order_of(MessageClass::control), MessageType::call));
  told({7});
  BOOST_TEST(server.messages.kept() == 6u);
  resume();
  told({7});
  open = true;
  resume();
  BOOST_TEST(server.messages.kept() == 0u);
  told({7, 1, 4, 5, 6, 2, 3});  // the one that was refused is told before others of its class
}

BOOST_FIXTURE_TEST_CASE(classes_that_are_not_resumed_are_not_asked, OrderedPair) {
  int asked = 0;
  server.app.takes = [&](const Message&) { return ++asked, false; };
  arrives(sends_alone(1));
  arrives(sends_alone(2));
  arrives(sends_alone(3, {}));                                   // of the class that was refused
  arrives(sends_alone(4, in_order_of(MessageClass::critical)));  // the same in another channel
  BOOST_TEST(asked == 1);
  server.messages.resume(1u << static_cast<unsigned>(MessageClass::critical));
  server.messages.deliver_resumed();
  BOOST_TEST(asked == 1);
  server.messages.resume(1u << static_cast<unsigned>(MessageClass::background));
  server.messages.deliver_resumed();
  BOOST_TEST(asked == 2);
}

// Two channels in front of which the same class was refused: when it is asked for again, one of them answers for both.
BOOST_FIXTURE_TEST_CASE(a_class_that_is_refused_again_is_not_asked_in_another_channel, OrderedPair) {
  int asked = 0;
  server.app.takes = [&](const Message&) { return ++asked, false; };
  arrives(sends_alone(1));
  arrives(sends_alone(2, in_order_of(MessageClass::critical)));
  BOOST_TEST(asked == 1);
  server.messages.resume(1u << static_cast<unsigned>(MessageClass::background));
  server.messages.deliver_resumed();
  BOOST_TEST(asked == 2);
  told({});
}

// A channel holds messages of several classes: while one class is asked for, another one may be refused in it.
BOOST_FIXTURE_TEST_CASE(a_class_that_is_refused_behind_another_one_is_not_asked_in_another_channel, OrderedPair) {
  std::vector<std::uint64_t> asked;
  bool takes_events = false;
  server.app.takes = [&](const Message& message) {
    asked.push_back(message.id);
    return takes_events && message.type == MessageType::event;
  };
  arrives(sends_alone(1));
  arrives(sends_alone(2, in_order_of(MessageClass::background), MessageType::call));
  arrives(sends_alone(3, in_order_of(MessageClass::critical)));
  arrives(sends_alone(4, in_order_of(MessageClass::critical), MessageType::call));
  takes_events = true;
  resume();
  told({1, 3});
  BOOST_TEST((asked == std::vector<std::uint64_t>{1, 1, 2, 3}));
}

// The connection may have to open it first, to know whether it is its own.
BOOST_FIXTURE_TEST_CASE(an_ordered_message_whose_turn_to_be_opened_has_not_come_is_not_offered_with_each_other_one,
                        OrderedPair) {
  using Offered = MessageEvents::Offered;
  bool may_tell = false;
  std::vector<std::uint64_t> offered;
  server.app.offers = [&](const Message& message, MessageEvents::Audience) {
    offered.push_back(message.id);
    return message.id == 1 && !may_tell ? Offered::later : Offered::taken;
  };
  arrives(sends_alone(1));
  arrives(sends_alone(2));
  arrives(sends_alone(3, {}));
  resume();
  BOOST_TEST((offered == std::vector<std::uint64_t>{1, 3}));
  for (const bool may : {false, true}) {
    may_tell = may;
    server.messages.resume(Messages::kUnopened);
    server.messages.deliver_resumed();
  }
  BOOST_TEST((offered == std::vector<std::uint64_t>{1, 3, 1, 1, 2}));
}

// What was refused has to be opened again when it is told again, and may have to wait for that.
BOOST_FIXTURE_TEST_CASE(a_refused_message_that_waits_to_be_opened_again_keeps_its_place, OrderedPair) {
  using Offered = MessageEvents::Offered;
  for (const MessageOptions& options : {MessageOptions{}, kInOrder}) {
    server.app.received.clear();
    Offered answer = Offered::refused;
    server.app.offers = [&](const Message& message, MessageEvents::Audience audience) {
      if (message.id == 1 && answer != Offered::taken) return answer;
      if (audience == MessageEvents::Audience::connection) return Offered::refused;
      server.app.received.push_back(message.id);
      return Offered::taken;
    };
    arrives(sends_alone(1, options));
    arrives(sends_alone(2, {}));
    answer = Offered::later;
    resume();
    arrives(sends_alone(3, {}));
    told({});
    answer = Offered::taken;
    server.messages.resume(Messages::kUnopened);
    server.messages.deliver_resumed();
    told({1, 2, 3});
  }
}

// It was not kept with its class before, and another one was refused last.
BOOST_FIXTURE_TEST_CASE(a_message_that_is_refused_once_it_was_opened_is_told_before_an_ordered_one, OrderedPair) {
  using Offered = MessageEvents::Offered;
  Offered answer = Offered::refused;
  server.app.offers = [&](const Message& message, MessageEvents::Audience audience) {
    if (answer != Offered::taken) return answer;
    if (audience == MessageEvents::Audience::connection) return Offered::refused;
    server.app.received.push_back(message.id);
    return Offered::taken;
  };
  arrives(sends_alone(1));
  answer = Offered::taken;
  resume();
  answer = Offered::later;
  arrives(sends_alone(2, {}));
  answer = Offered::refused;
  server.messages.resume(Messages::kUnopened);
  server.messages.deliver_resumed();
  arrives(sends_alone(3));
  answer = Offered::taken;
  resume();
  told({1, 2, 3});
}

BOOST_FIXTURE_TEST_CASE(an_ordered_message_that_was_refused_is_told_before_others_that_came_after_it, OrderedPair) {
  bool open = false;
  server.app.takes = [&](const Message&) { return open; };
  arrives(sends_alone(1));
  arrives(sends_alone(2, {}));
  arrives(sends_alone(3));
  arrives(sends_alone(4, in_order_of(MessageClass::critical)));
  resume();
  told({});
  open = true;
  resume();
  told({1, 2, 4, 3});
  // And the other way round.
  open = false;
  arrives(sends_alone(5, {}));
  arrives(sends_alone(6));
  open = true;
  resume();
  told({1, 2, 4, 3, 5, 6});
}

// Nobody asks a second time, so each channel must be told as far as it goes in one resume, whatever waits in others.
BOOST_FIXTURE_TEST_CASE(one_resume_tells_all_channels_as_far_as_they_go, OrderedPair) {
  bool open = false;
  server.app.takes = [&](const Message&) { return open; };
  arrives(sends_alone(1, {}));
  for (std::uint64_t id = 2; id < 10; ++id)
    arrives(sends_alone(id, in_order_of(id % 2 == 0 ? MessageClass::control : MessageClass::streaming)));
  open = true;
  resume();
  BOOST_TEST(server.messages.kept() == 0u);
  told({1, 2, 4, 6, 8, 3, 5, 7, 9});
}

// Of what a channel, or a class, has once kept it holds on to little, also if it is never empty again.
struct Filled : OrderedPair {
  static constexpr MessageConfig kLarge{.window = 8192, .receive_window = 16 << 20, .send_buffer = 16 << 20};
  static constexpr std::uint64_t kMessages = 4000;
  Filled() : OrderedPair(kLarge, kLarge) {}
  // All of them but the first, which is still under way.
  MessagePacket fills(const MessageOptions& options) {
    const MessagePacket first = sends_alone(1, options);
    for (std::uint64_t id = 2; id <= kMessages; ++id) arrives(sends_alone(id, options, MessageType::event, 1000));
    return first;
  }
};

BOOST_FIXTURE_TEST_CASE(a_channel_that_is_never_empty_gives_back_the_memory_of_its_peak, Filled) {
  const MessagePacket first = fills(kInOrder);
  const MessagePacket next = sends_alone(kMessages + 1);
  arrives(sends_alone(kMessages + 2));
  BOOST_TEST(server.messages.memory() > kMessages * 1000);
  arrives(first);
  BOOST_TEST(server.messages.kept() == 1u);
  BOOST_TEST(server.messages.memory() < 100'000u);
  arrives(next);
  BOOST_TEST(server.messages.kept() == 0u);
  BOOST_TEST(server.app.received.size() == kMessages + 2);
  BOOST_TEST(std::ranges::is_sorted(server.app.received));
  for (std::uint64_t id = 2; id <= kMessages; ++id)
    BOOST_TEST_REQUIRE(server.app.payloads[id] == std::string(1000, static_cast<char>(id)));
}

BOOST_FIXTURE_TEST_CASE(a_class_that_is_never_taken_whole_gives_back_the_memory_of_its_peak, Filled) {
  std::uint64_t takes_below = 0;
  server.app.takes = [&](const Message& message) { return message.id < takes_below; };
  arrives(fills({}));
  BOOST_TEST(server.messages.memory() > kMessages * 1000);
  takes_below = kMessages;
  resume();
  resume();
  BOOST_TEST(server.messages.kept() >= 1u);
  BOOST_TEST(server.messages.memory() < 100'000u);
  takes_below = kMessages + 1;
  resume();
  BOOST_TEST(server.app.received.size() == kMessages);
  BOOST_TEST(server.app.payloads[kMessages] == std::string(1000, static_cast<char>(kMessages)));
}

// The body of a long message is free when it was taken, whatever came before it and waits: others may use its credit.
BOOST_AUTO_TEST_CASE(a_long_message_gives_its_credit_back_when_it_is_taken) {
  MessageConfig config;
  config.receive_window = config.max_receive_window = 40'000;
  OrderedPair pair(config, config);
  pair.server.app.takes = [](const Message& message) { return message.id != 3; };
  const auto first = pair.sends_alone(1);
  pair.sends(2, kInOrder, MessageType::event, 20'000);
  std::vector<MessagePacket> parts;
  while (pair.client.has_pending()) parts.push_back(pair.client.packet());
  pair.arrives(pair.sends_alone(3));
  for (const MessagePacket& part : parts) pair.arrives(part);
  pair.arrives(first);
  pair.told({1, 2});
  pair.sends(4, {}, MessageType::call, 25'000);
  pair.exchange();
  pair.told({1, 2, 4});
}

// Its body will never come, so only its place uses credit until its turn.
BOOST_AUTO_TEST_CASE(an_expired_message_gives_the_credit_of_its_body_back_at_once) {
  MessageConfig config;
  config.receive_window = config.max_receive_window = 40'000;
  OrderedPair pair(config, config);
  pair.sends_alone(1);  // is lost
  const auto ticket = pair.sends(2, kInOrder, MessageType::event, 20'000);
  while (pair.client.has_pending()) pair.client.packet();  // is lost as well
  pair.client.messages.cancel(ticket);
  pair.exchange();
  pair.sends(3, {}, MessageType::call, 25'000);
  pair.exchange();
  pair.told({3});
  BOOST_TEST(!pair.client.messages.blocked_by_peer());
}

// What waits in a channel uses credit, what was taken gives it back, and a hole is filled without any more.
BOOST_AUTO_TEST_CASE(what_waits_uses_credit_until_it_is_taken) {
  MessageConfig config;
  config.receive_window = config.max_receive_window = 4096;
  config.max_message = kMaxShortMessage;
  OrderedPair pair(config, config);
  const auto first = pair.sends_alone(1, kInOrder, MessageType::call, 100);
  std::uint64_t id = 2;
  // As much as may be sent: the rest waits for credit.
  for (; id < 40; ++id) pair.sends(id, kInOrder, MessageType::call, 100);
  while (pair.client.has_pending()) pair.arrives(pair.client.packet());
  BOOST_TEST(pair.server.messages.kept() == 4096u / 140 - 1);
  BOOST_TEST(pair.server.messages.memory() > (4096u / 140 - 1) * 100);
  BOOST_TEST(pair.client.messages.blocked_by_peer());
  pair.arrives(first);
  pair.client.acknowledge(first);
  for (std::uint64_t sequence = 1; sequence < 4096u / 140; ++sequence)
    pair.client.acknowledge({{}, {{.kind = SentFrame::Kind::message, .length = 1, .value = sequence}}});
  pair.exchange();
  BOOST_TEST(pair.server.app.received.size() == 39u);
  BOOST_TEST(std::ranges::is_sorted(pair.server.app.received));
}

// Who waits to fill a packet asks for this, so it is never too small.
BOOST_AUTO_TEST_CASE(what_was_not_sent_counts_with_its_heads) {
  MessageConfig config;
  config.window = 32'768;
  OrderedPair pair(config, config);
  const auto unsent = [&] { return pair.client.messages.new_bytes(MessageClass::background); };
  pair.sends_alone(1);  // is lost
  for (std::uint64_t id = 2; id < 20'000; ++id) pair.client.acknowledge(pair.sends_alone(id, {}));
  // Far from the one before it, with a large number, the link and the head are long.
  pair.sends(20'000, kInOrder, MessageType::event, 100);
  std::uint64_t before = unsent();
  BOOST_TEST(before >= pair.client.packet().payload.size());
  // What is left of a long one goes with a head of its own.
  pair.sends(20'001, kInOrder, MessageType::event, 1300);
  pair.client.packet();
  before = unsent();
  BOOST_TEST_REQUIRE(before != 0u);
  BOOST_TEST(before >= pair.client.packet().payload.size());
  BOOST_TEST(unsent() == 0u);
  // What was cancelled before it was sent has no link.
  const auto ticket = pair.sends(20'002);
  pair.client.messages.cancel(ticket);
  pair.exchange();
  BOOST_TEST(unsent() == 0u);
}

BOOST_FIXTURE_TEST_CASE(memory_of_channels_goes_back_when_nothing_waits, OrderedPair) {
  const std::size_t before = server.messages.memory();
  const auto first = sends_alone(1);
  for (std::uint64_t id = 2; id < 100; ++id) arrives(sends_alone(id));
  BOOST_TEST(server.messages.memory() > before + 98 * 50);
  server.messages.shrink();
  told({});
  arrives(first);
  BOOST_TEST(server.app.received.size() == 99u);
  server.messages.shrink();
  BOOST_TEST(server.messages.memory() <= before + sizeof(MessageReceiver));
}

// A channel in which one waits for ever does not keep the memory of the others.
BOOST_FIXTURE_TEST_CASE(memory_of_an_empty_channel_goes_back_while_another_one_waits, OrderedPair) {
  const MessageOptions other = in_order_of(MessageClass::control);
  sends_alone(1, other);  // is lost
  arrives(sends_alone(2, other));
  const std::size_t with_one = server.messages.memory();
  const auto first = sends_alone(3);
  for (std::uint64_t id = 4; id < 100; ++id) arrives(sends_alone(id));
  arrives(first);
  BOOST_TEST(server.app.received.size() == 97u);
  BOOST_TEST(server.messages.memory() > with_one + 1000);  // for the next time
  server.messages.shrink();
  BOOST_TEST(server.messages.memory() < with_one + 100);
  BOOST_TEST(server.messages.kept() == 1u);
}

BOOST_FIXTURE_TEST_CASE(memory_of_lost_messages_goes_back_when_all_are_settled, OrderedPair) {
  std::vector<MessagePacket> packets;
  for (std::uint64_t id = 1; id < 1000; ++id) packets.push_back(sends_alone(id));
  for (const MessagePacket& packet : packets) client.lose(packet);
  for (const MessagePacket& packet : packets) client.acknowledge(packet);
  client.messages.shrink();
  BOOST_TEST(client.messages.memory() < sizeof(MessageSender) + 1000);
}

BOOST_FIXTURE_TEST_CASE(a_peer_that_takes_no_order_is_sent_none, OrderedPair) {
  TransportParameters parameters;
  Messages::announce(server.config, parameters);
  BOOST_TEST(parameters.takes_ordered_messages == 1u);
  parameters.takes_ordered_messages = 0;
  client.messages.on_peer_parameters(parameters);
  BOOST_TEST((client.send(1, 10, kInOrder).error() == SendMessageError::order_not_taken));
  BOOST_TEST(to_string(SendMessageError::order_not_taken) == "the peer takes messages in any order only");
  sends(2, {});
  exchange();
  told({2});
}

BOOST_AUTO_TEST_CASE(who_takes_no_messages_announces_no_order) {
  MessageConfig config;
  config.window = 0;
  TransportParameters parameters;
  Messages::announce(config, parameters);
  BOOST_TEST(parameters.takes_ordered_messages == 0u);
}

BOOST_FIXTURE_TEST_CASE(parts_of_a_message_have_one_place, OrderedPair) {
  std::vector<std::uint8_t> body(3040);
  const std::vector<std::uint8_t> payload(3000);
  BOOST_TEST_REQUIRE(encode_message({.id = 1, .payload = payload}, body).has_value());
  MessagePartFrame part{MessageFrame::Form::full,           5, body.size(), 0, ByteView(body).first(1000),
                        OrderLink{MessageClass::control, 2}};
  BOOST_TEST(server.messages.on_frame(part).has_value());
  for (const auto& order : {std::optional<OrderLink>(), std::optional(OrderLink{MessageClass::control, 3}),
                            std::optional(OrderLink{MessageClass::critical, 2})}) {
    part.order = order;
    const auto result = server.messages.on_frame(part);
    BOOST_TEST_REQUIRE(!result.has_value());
    BOOST_TEST((result.error().code == TransportErrorCode::message_encoding_error));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::test::ordered_messages_test
