#include "connection/message_opener.h"

#include <boost/test/unit_test.hpp>

#include "calls_fixture.h"
#include "mxp/message_sealing.h"

using namespace mxp;
using namespace mxp::test;

namespace message_opener_test {
namespace {

constexpr auto kCompressed = static_cast<std::uint8_t>(MessageFlag::compressed);
constexpr auto kEncrypted = static_cast<std::uint8_t>(MessageFlag::encrypted);
constexpr auto kWantsAck = static_cast<std::uint8_t>(MessageFlag::requires_ack);
constexpr auto kZstd = PayloadCompression::zstd;
constexpr auto kToPeer = PayloadSealing::to_peer;

using Bytes = std::vector<std::uint8_t>;

// A payload of this many zeros, as its sender compressed it.
Bytes compressed_zeros(std::size_t size) {
  const Bytes zeros(size);
  Bytes out(size);
  out.resize(*MessageCompressor().compress(zeros, out));
  return out;
}

// Sealed by `sender` to `receiver`, in memory of its own.
struct Sealed {
  Bytes bytes;
  Message message;
  Sealed(const PrivateKey& sender, const PublicKey& receiver, const Message& plain)
      : bytes(plain.payload.size() + kSealingOverhead) {
    SeededRandom random(5);
    message = *seal_payload(sender, receiver, plain, random, bytes);
  }
};

std::string words(std::size_t size) {
  std::string text;
  for (int i = 0; text.size() < size; ++i) text += "word " + std::to_string(i % 10) + ", ";
  return text.substr(0, size);
}

// Messages that the server opens. They are small enough to be under way together.
struct Flood {
  CallPair pair;
  explicit Flood(std::size_t count, std::size_t per_second) {
    pair.pass(1s);
    pair.server.tools.budget = OpeningBudget(per_second);
    for (std::uint64_t id = 0; id != count; ++id)
      pair.client.send({.type = MessageType::event, .id = id, .payload = bytes_of("x")}, {.seal = kToPeer});
    pair.exchange();
  }
};

constexpr std::uint64_t kOfApplication = std::uint64_t{1} << 63;  // no id of a call

// The client has made calls, and its application has refused an unsealed message of this type: a Response is of the
// class of answers, an Event of the class of Errors.
struct HeldUp {
  CallPair pair;
  MessageType type;
  std::vector<std::uint64_t> ids;  // of the calls
  std::size_t answered = 0;

  explicit HeldUp(int calls = 1, const MessageConfig& of_client = {}, MessageType type_ = MessageType::response)
      : pair(calls_on(), calls_on(), of_client), type(type_) {
    pair.pass(1s);
    for (int i = 0; i != calls; ++i) ids.push_back(pair.client.calls.call({}, {}, {.timeout = 1h})->value());
    pair.exchange();
    pair.client.app.takes_messages = false;
    send_other(kOfApplication);
    BOOST_TEST(pair.client.app.asked == 1);
    spend();
  }
  explicit HeldUp(MessageType type_) : HeldUp(1, {}, type_) {
    // With a call of its own the server may take calls back, so that its Errors may be of calls.
    pair.server.send({.type = MessageType::call, .id = 7, .payload = encode_payload(CallPayload{})});
    pair.exchange();
  }
  // Another message of that type, that is the application's.
  void send_other(std::uint64_t id, const MessageOptions& options = {}) {
    pair.server.send({.type = type, .id = id}, options);
    pair.exchange();
  }
  // From now on a payload may be opened in two seconds at the earliest, and then one in each second.
  void spend() {
    pair.client.tools.budget = OpeningBudget(1);
    pair.client.tools.budget.reserve(pair.now, 2s);
  }
  // The server answers the next call under seal.
  void answer(std::string_view data) {
    const auto id = pair.server.app.calls[answered++].id;
    BOOST_TEST_REQUIRE(pair.server.calls.answer(id, bytes_of(data), {.seal = kToPeer}).has_value());
    pair.exchange();
  }
  void resume() {
    pair.client.app.takes_messages = true;
    pair.client.messages.resume();
    for (int i = 0; i != 5; ++i) pair.pass(0ms);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(message_opener)

BOOST_AUTO_TEST_CASE(payload_is_told_plain_and_its_origin_says_how_it_came) {
  const std::string text = words(1000);
  for (const auto compress : {PayloadCompression::none, kZstd}) {
    for (const auto seal : {PayloadSealing::none, kToPeer}) {
      CallPair pair;
      const MessageOptions options{.compress = compress, .seal = seal};
      pair.client.send({.type = MessageType::event, .flags = kWantsAck, .id = 7, .payload = bytes_of(text)}, options);
      pair.exchange();
      BOOST_TEST_REQUIRE(pair.server.app.told.size() == 1u);
      const auto& told = pair.server.app.told.front();
      BOOST_TEST(told.payload == text);
      BOOST_TEST(told.flags == kWantsAck);
      const auto undone =
          static_cast<std::uint8_t>((compress == kZstd ? kCompressed : 0) | (seal == kToPeer ? kEncrypted : 0));
      BOOST_TEST(told.origin.has_value() == (undone != 0));
      if (told.origin) BOOST_TEST(told.origin->flags == undone);
      if (seal == kToPeer) BOOST_TEST((told.origin->sealed_by == pair.client.identity.public_key()));
      BOOST_TEST(pair.server.opener.counters().opened == (undone == 0 ? 0u : 1u));
      BOOST_TEST(pair.server.opener.counters().not_opened == 0u);
      BOOST_TEST((pair.client.app.messages == std::vector{MessageType::ack}));
    }
  }
}

// The size of what travels counts, not that of what it holds.
BOOST_AUTO_TEST_CASE(compressed_payload_may_be_larger_than_a_message) {
  const std::string text = words(10'000);
  CallPair pair({}, {}, {}, {.max_message = 2000});
  const Message message{.type = MessageType::event, .payload = bytes_of(text)};
  BOOST_TEST((pair.client.wrapper.send(message, {.seal = kToPeer}).error() == SendMessageError::too_large));
  pair.client.send(message, {.compress = kZstd, .seal = kToPeer});
  pair.exchange();
  BOOST_TEST_REQUIRE(pair.server.app.told.size() == 1u);
  BOOST_TEST(pair.server.app.told.front().payload == text);
}

BOOST_AUTO_TEST_CASE(payload_that_does_not_shrink_goes_without_the_flag) {
  for (const std::size_t size : {0, 10, 500}) {
    CallPair pair({}, {}, {}, {.payloads = MessagePayloads::as_they_are});
    Bytes noise(size);
    SeededRandom(3).fill(noise);
    pair.client.send({.type = MessageType::event, .payload = noise}, {.compress = kZstd});
    pair.exchange();
    BOOST_TEST_REQUIRE(pair.server.app.told.size() == 1u);
    BOOST_TEST(pair.server.app.told.front().flags == 0);
    BOOST_TEST(pair.server.app.told.front().payload == text_of(noise));
  }
}

BOOST_AUTO_TEST_CASE(message_that_has_the_flags_already_goes_as_it_is) {
  CallPair pair;
  const Bytes packed = compressed_zeros(1000);
  const Sealed sealed(key_of(1), pair.server.identity.public_key(),
                      {.type = MessageType::event, .flags = kCompressed, .id = 7, .payload = packed});
  pair.client.send(sealed.message);
  // Compressed by the application, sealed by the connection.
  pair.client.send({.type = MessageType::event, .flags = kCompressed, .id = 8, .payload = packed}, {.seal = kToPeer});
  pair.exchange();
  BOOST_TEST_REQUIRE(pair.server.app.told.size() == 2u);
  for (const auto& told : pair.server.app.told) {
    BOOST_TEST(told.flags == 0);
    BOOST_TEST(told.payload == std::string(1000, '\0'));
    BOOST_TEST(told.origin->flags == (kCompressed | kEncrypted));
  }
  // The seal says who made it; the peer only carried it.
  BOOST_TEST((pair.server.app.told[0].origin->sealed_by == key_of(1).public_key()));
  BOOST_TEST((pair.server.app.told[1].origin->sealed_by == pair.client.identity.public_key()));
}

BOOST_AUTO_TEST_CASE(wishes_that_the_flags_exclude_are_refused) {
  CallPair pair;
  const auto error = [&](std::uint8_t flags, const MessageOptions& options) {
    const auto sent = pair.client.wrapper.send({.type = MessageType::event, .flags = flags}, options);
    return sent ? "" : to_string(sent.error());
  };
  const auto invalid = to_string(SendMessageError::invalid);
  BOOST_TEST(error(kCompressed, {.compress = kZstd}) == invalid);
  BOOST_TEST(error(kEncrypted, {.compress = kZstd}) == invalid);
  BOOST_TEST(error(kEncrypted, {.seal = kToPeer}) == invalid);
  const Bytes large(kMaxMessagePayload + 1);
  const Message too_large{.type = MessageType::event, .payload = large};
  BOOST_TEST((pair.client.wrapper.send(too_large, {.compress = kZstd}).error() == SendMessageError::too_large));
  const Message largest{.type = MessageType::event, .payload = ByteView(large).first(kMaxMessagePayload)};
  BOOST_TEST((pair.client.wrapper.send(largest, {.seal = kToPeer}).error() == SendMessageError::too_large));
  MessageConfig none;
  none.window = 0;
  CallPair deaf({}, {}, {}, none);
  BOOST_TEST((deaf.client.wrapper.send({.type = MessageType::event}, {.seal = kToPeer}).error() ==
              SendMessageError::not_taken));
}

BOOST_AUTO_TEST_CASE(t81_what_cannot_be_opened_is_told_as_it_is) {
  CallPair pair;
  const Message plain{.type = MessageType::event, .id = 7, .payload = bytes_of("for somebody")};
  const Sealed elsewhere(pair.client.identity, key_of(9).public_key(), plain);
  Sealed damaged(pair.client.identity, pair.server.identity.public_key(), plain);
  damaged.bytes.back() ^= 1;
  Bytes corrupt = compressed_zeros(1000);
  corrupt.back() ^= 0xff, corrupt.push_back(0);
  const Message cases[] = {
      elsewhere.message,
      damaged.message,
      {.type = MessageType::event, .flags = kEncrypted, .payload = bytes_of("too short to be sealed")},
      {.type = MessageType::event, .flags = kCompressed, .payload = corrupt},
      {.type = MessageType::event, .flags = kCompressed, .payload = bytes_of("no frame of zstd")},
      {.type = MessageType::event, .flags = kCompressed},
  };
  for (const Message& message : cases) {
    pair.client.send(message);
    pair.exchange();
    const auto& told = pair.server.app.told.back();
    BOOST_TEST(told.flags == message.flags);
    BOOST_TEST(told.payload == text_of(message.payload));
    BOOST_TEST(!told.origin.has_value());
  }
  BOOST_TEST(pair.server.app.told.size() == std::size(cases));
  BOOST_TEST(pair.server.opener.counters().not_opened == std::size(cases));
  BOOST_TEST(pair.server.opener.counters().opened == 0u);
}

// The seal is undone, what is in it cannot be: the flag that is left says so.
BOOST_AUTO_TEST_CASE(t81_what_is_damaged_inside_a_seal_is_told_unsealed_and_still_compressed) {
  CallPair pair;
  pair.client.send({.type = MessageType::event, .flags = kCompressed, .payload = bytes_of("no frame of zstd")},
                   {.seal = kToPeer});
  pair.exchange();
  const auto& told = pair.server.app.told.front();
  BOOST_TEST(told.flags == kCompressed);
  BOOST_TEST(told.payload == "no frame of zstd");
  BOOST_TEST(told.origin->flags == kEncrypted);
  BOOST_TEST(pair.server.opener.counters().not_opened == 1u);
}

BOOST_AUTO_TEST_CASE(t81_bomb_takes_no_memory_beyond_the_limit) {
  MessageConfig config;
  config.max_decompressed = 4096;
  for (const auto seal : {PayloadSealing::none, kToPeer}) {
    CallPair pair({}, {}, {}, config);
    for (const std::size_t size : {4096, 4097, 2 << 20}) {
      const Bytes bomb = compressed_zeros(size);
      pair.client.send({.type = MessageType::event, .flags = kCompressed, .payload = bomb}, {.seal = seal});
      pair.exchange();
      const auto& told = pair.server.app.told.back();
      BOOST_TEST(told.flags == (size <= 4096 ? 0 : kCompressed));
      BOOST_TEST(told.payload == (size <= 4096 ? std::string(size, '\0') : text_of(bomb)));
      BOOST_TEST(pair.server.tools.memory() <= 4096u + 2048u);
    }
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_opened_where_payloads_stay_as_they_are) {
  CallPair pair({}, calls_on(), {}, {.payloads = MessagePayloads::as_they_are});
  pair.client.send({.type = MessageType::call, .id = 7, .payload = encode_payload(CallPayload{})}, {.seal = kToPeer});
  pair.client.send({.type = MessageType::event, .id = 8, .payload = bytes_of(words(500))}, {.compress = kZstd});
  pair.exchange();
  BOOST_TEST_REQUIRE(pair.server.app.told.size() == 2u);
  BOOST_TEST(pair.server.app.told[0].flags == kEncrypted);
  BOOST_TEST(pair.server.app.told[1].flags == kCompressed);
  BOOST_TEST(pair.server.app.calls.empty());
  BOOST_TEST(pair.server.tools.memory() == 0u);
}

// Credit counts what travels, and that is what is kept.
BOOST_AUTO_TEST_CASE(message_that_is_not_taken_is_kept_as_it_came) {
  CallPair pair;
  pair.server.app.takes_messages = false;
  const std::string text = words(10'000);
  for (std::uint64_t id = 0; id != 20; ++id)
    pair.client.send({.type = MessageType::event, .id = id, .payload = bytes_of(text)},
                     {.compress = kZstd, .seal = kToPeer});
  pair.exchange();
  BOOST_TEST(pair.server.messages.kept() == 20u);
  BOOST_TEST(pair.server.messages.memory() < 50'000u);
  BOOST_TEST(pair.server.app.asked == 1);  // and no other was opened in vain
  pair.server.app.takes_messages = true;
  pair.server.messages.resume();
  pair.exchange();
  BOOST_TEST_REQUIRE(pair.server.app.told.size() == 20u);
  for (const auto& told : pair.server.app.told) BOOST_TEST(told.payload == text);
}

BOOST_AUTO_TEST_CASE(room_for_large_payloads_is_given_back) {
  CallPair pair;
  const Bytes zeros(8 << 20);
  pair.client.send({.type = MessageType::event, .payload = zeros}, {.compress = kZstd});
  pair.exchange();
  BOOST_TEST(pair.server.app.told.front().payload.size() == zeros.size());
  BOOST_TEST(pair.server.tools.memory() >= zeros.size());
  pair.client.tools.shrink();
  pair.server.tools.shrink();
  BOOST_TEST(pair.client.tools.memory() <= 3u * 65536u);
  BOOST_TEST(pair.server.tools.memory() <= 3u * 65536u);
}

BOOST_AUTO_TEST_CASE(t80_sealed_payloads_beyond_the_rate_wait_for_their_turn) {
  Flood flood(100, 100);  // ten of them at once, then one each 10 ms
  CallSide& server = flood.pair.server;
  const std::size_t at_once = server.app.told.size();
  BOOST_TEST(at_once >= 10u);
  BOOST_TEST(at_once <= 12u);
  BOOST_TEST((server.opener.deadline() > flood.pair.now));
  BOOST_TEST((server.opener.deadline() <= flood.pair.now + 20ms));
  BOOST_TEST(server.messages.kept() == 100 - at_once);
  // Those of other classes, and those that are not sealed, do not wait.
  flood.pair.client.send({.type = MessageType::agent_heartbeat, .id = 1000, .payload = bytes_of("plain")});
  flood.pair.exchange();
  BOOST_TEST(server.app.told.back().id == 1000u);
  // Each deadline tells one.
  const std::size_t before = server.app.told.size();
  for (int i = 1; i <= 50; ++i) {
    const Timestamp next = server.opener.deadline();
    BOOST_TEST_REQUIRE((next > flood.pair.now && next != kNever));
    flood.pair.pass(next - flood.pair.now);
    BOOST_TEST(server.app.told.size() == before + static_cast<std::size_t>(i));
  }
  flood.pair.pass(0ms);
  for (int i = 0; i != 100; ++i) flood.pair.pass(10ms);
  BOOST_TEST(server.app.told.size() == 101u);
  BOOST_TEST((server.opener.deadline() == kNever));
  BOOST_TEST(std::set(server.app.ids.begin(), server.app.ids.end()).size() == 101u);
}

// The application said no to one class, and has not asked again: the turn of another one does not ask for it.
BOOST_AUTO_TEST_CASE(t80_turn_of_one_class_does_not_ask_for_another) {
  Flood flood(0, 100);
  CallSide& server = flood.pair.server;
  server.app.takes_messages = false;
  flood.pair.client.send({.type = MessageType::stream_chunk, .id = 1}, {.seal = kToPeer});
  flood.pair.exchange();
  BOOST_TEST(server.app.asked == 1);
  server.app.takes_messages = true;
  for (std::uint64_t id = 10; id != 40; ++id)
    flood.pair.client.send({.type = MessageType::event, .id = id}, {.seal = kToPeer});
  flood.pair.exchange();
  for (int i = 0; i != 100; ++i) flood.pair.pass(10ms);
  BOOST_TEST(server.app.told.size() == 30u);
  BOOST_TEST(server.app.asked == 31);
  server.messages.resume();
  flood.pair.pass(0ms);
  BOOST_TEST(server.app.ids.back() == 1u);
}

BOOST_AUTO_TEST_CASE(t80_work_counts_by_what_payloads_hold) {
  CallPair pair;
  pair.server.tools.budget = OpeningBudget(100);
  const Bytes bomb = compressed_zeros(2 << 20);  // eight times 256 KiB
  for (const auto seal : {PayloadSealing::none, kToPeer}) {
    pair.pass(10s);
    const std::size_t before = pair.server.app.told.size();
    for (int i = 0; i != 100; ++i)
      pair.client.send({.type = MessageType::event, .flags = kCompressed, .payload = bomb}, {.seal = seal});
    pair.exchange();
    BOOST_TEST(pair.server.app.told.size() - before <= 3u);
    for (int i = 0; i != 100; ++i) pair.pass(10ms);
    BOOST_TEST(pair.server.app.told.size() - before >= 11u);
    BOOST_TEST(pair.server.app.told.size() - before <= 15u);  // in a second and a burst of a tenth
    while (pair.server.messages.kept() != 0) pair.pass(10ms);
  }
}

// A cheap place in the queue is no ticket for dear work.
BOOST_AUTO_TEST_CASE(t80_place_that_a_cheap_payload_took_is_charged_for_a_dear_one) {
  OpeningBudget budget(100);
  const Timestamp now{1h};
  BOOST_TEST((budget.content(0) == budget.content(4096)));
  BOOST_TEST((budget.content(256 * 1024) == budget.seal()));
  BOOST_TEST((budget.content(kMaxMessagePayload) == 64 * budget.seal()));
  Timestamp last = now;
  for (int i = 0; i != 20; ++i) last = budget.reserve(now, budget.seal());
  BOOST_TEST((last == now + 90ms));  // a tenth of a second was saved up
  // Nothing is saved up beyond that.
  const Timestamp later = now + 1h;
  for (int i = 0; i != 20; ++i) last = budget.reserve(later, budget.seal());
  BOOST_TEST((last == later + 90ms));

  CallPair pair;
  pair.server.tools.budget = OpeningBudget(100);
  for (int i = 0; i != 12; ++i) pair.client.send({.type = MessageType::event}, {.seal = kToPeer});
  pair.exchange();
  const Bytes bomb = compressed_zeros(8 << 20);
  pair.client.send({.type = MessageType::agent_heartbeat, .flags = kCompressed, .payload = bomb});
  pair.exchange();
  const Timestamp turn = pair.server.opener.deadline();
  pair.pass(turn - pair.now);  // the more important class goes first: 32 times the work
  pair.exchange();
  BOOST_TEST((pair.server.app.messages.back() == MessageType::agent_heartbeat));
  BOOST_TEST((pair.server.opener.deadline() >= turn + 300ms));
}

// Connections of one endpoint share its rate, and each gets as much as any other, however much it wants.
BOOST_AUTO_TEST_CASE(t80_connections_wait_in_turn) {
  CallPair busy, modest;
  PayloadTools& tools = busy.server.tools;
  tools.budget = OpeningBudget(100);
  struct Inbox {
    MessageOpener opener;
    Messages messages;
    Inbox(CallSide& side, PayloadTools& tools)
        : opener(side.message_config, tools, side.identity, messages, side.calls),
          messages(side.message_config, opener) {}
    void at(Timestamp now) {
      messages.on_clock(now, 10ms);
      opener.on_clock(now);
      messages.deliver_resumed();
    }
  } second(modest.server, tools);
  second.at(busy.now);
  for (int i = 0; i != 200; ++i) busy.client.send({.type = MessageType::event}, {.seal = kToPeer});
  busy.exchange();
  modest.client.send({.type = MessageType::event, .id = 7}, {.seal = kToPeer});
  CallPacket packet = modest.client.packet();
  FrameReader reader(packet.payload);
  BOOST_TEST_REQUIRE(second.messages.on_frame(std::get<MessageFrame>(**reader.next())).has_value());
  BOOST_TEST(modest.server.app.told.empty());
  const Timestamp turn = second.opener.deadline();
  BOOST_TEST_REQUIRE((turn <= busy.now + 30ms));  // behind one of the other's, not behind all
  busy.pass(turn - busy.now);
  second.at(busy.now);
  BOOST_TEST_REQUIRE(modest.server.app.told.size() == 1u);
  BOOST_TEST(modest.server.app.told.front().id == 7u);
}

// Forty bytes may claim to be 16 MiB: whoever sends nothing else leaves half of the rate to others.
BOOST_AUTO_TEST_CASE(t80_who_had_a_dear_turn_rests_while_others_want_one) {
  OpeningBudget budget(1000);
  const Duration dear = budget.content(kMaxMessagePayload), cheap = budget.seal();
  struct Connection {
    OpeningTurn turn;
    Duration spent{};
    bool try_once(OpeningBudget& budget, Timestamp now, Duration cost) {
      if (!turn.may_begin(budget, now, cost)) return false;
      spent += cost;
      return true;
    }
  };
  // Alone it has all of the rate.
  Connection attacker;
  Timestamp now{1h};
  for (const Timestamp end = now + 10s; now < end; now += 500us) attacker.try_once(budget, now, dear);
  BOOST_TEST(attacker.spent / 1ms >= 9900);
  BOOST_TEST(attacker.spent / 1ms <= 10'200);
  // Beside eight that ask for one seal after the other it has half of it, and each of them their part of the rest.
  attacker.spent = {};
  std::array<Connection, 8> others;
  for (const Timestamp end = now + 10s; now < end; now += 500us) {
    attacker.try_once(budget, now, dear);
    for (Connection& other : others) other.try_once(budget, now, cheap);
  }
  BOOST_TEST(attacker.spent / 1ms <= 5200);
  for (const Connection& other : others) BOOST_TEST(other.spent / 1ms >= 500);
  // One that asks now and then waits for the turn under way, and one that was taken before it.
  for (int i = 0; i != 20; ++i) {
    Timestamp asked = now;
    while (!others[0].try_once(budget, now, cheap)) {
      now += 500us;
      attacker.try_once(budget, now, dear);
    }
    BOOST_TEST((now - asked <= 2 * dear));
    for (const Timestamp end = now + 300ms; now < end; now += 500us) attacker.try_once(budget, now, dear);
  }
}

// The peer's transport was told that they came, and they do, though nobody has opened them.
BOOST_AUTO_TEST_CASE(t80_what_waits_when_the_connection_ends_is_told_as_it_is) {
  Flood flood(100, 100);
  CallPair& pair = flood.pair;
  const auto asked = pair.server.calls.call({}, {}, {});
  pair.exchange();
  pair.client.send({.type = MessageType::response, .id = asked->value(), .payload = bytes_of("x")}, {.seal = kToPeer});
  pair.exchange();
  BOOST_TEST(pair.server.app.answers.empty());
  const std::size_t opened = pair.server.opener.counters().opened;
  pair.server.opener.on_clock(pair.now + 10ms);  // with the packet that ends it, the next turn has come
  pair.server.opener.end();
  pair.server.calls.end();
  pair.server.messages.end();
  BOOST_TEST_REQUIRE(pair.server.app.told.size() == 100u);
  BOOST_TEST(pair.server.app.told.front().flags == 0);
  BOOST_TEST(pair.server.app.told.back().flags == kEncrypted);
  BOOST_TEST(pair.server.opener.counters().opened == opened);  // no work at the end either
  BOOST_TEST_REQUIRE(pair.server.app.answers.size() == 1u);
  BOOST_TEST((pair.server.app.answers.front().outcome == CallOutcome::answered));
  BOOST_TEST(pair.server.app.answers.front().flags == kEncrypted);
}

BOOST_AUTO_TEST_CASE(calls_and_answers_are_opened) {
  CallPair pair;
  const std::string question = words(900), answer = words(5000);
  const auto id = pair.client.calls.call({1}, bytes_of(question), {.compress = kZstd, .seal = kToPeer});
  BOOST_TEST_REQUIRE(id.has_value());
  pair.exchange();
  BOOST_TEST_REQUIRE(pair.server.app.calls.size() == 1u);
  const auto call = pair.server.app.calls.front();
  BOOST_TEST(call.data == question);
  BOOST_TEST((call.target == Uuid{1}));
  BOOST_TEST(call.origin->flags == (kCompressed | kEncrypted));
  BOOST_TEST((call.origin->sealed_by == pair.client.identity.public_key()));
  BOOST_TEST(pair.server.calls.answer(call.id, bytes_of(answer), {.compress = kZstd, .seal = kToPeer}).has_value());
  pair.exchange();
  BOOST_TEST_REQUIRE(pair.client.app.answers.size() == 1u);
  const auto& told = pair.client.app.answers.front();
  BOOST_TEST((told.call == *id && told.outcome == CallOutcome::answered));
  BOOST_TEST(told.data == answer);
  BOOST_TEST(told.flags == 0);
  BOOST_TEST(told.origin->flags == (kCompressed | kEncrypted));
  BOOST_TEST((told.origin->sealed_by == pair.server.identity.public_key()));
  BOOST_TEST(pair.server.app.messages.empty());
  BOOST_TEST(pair.client.app.messages.empty());
}

BOOST_AUTO_TEST_CASE(call_that_has_to_wait_is_a_call_when_its_turn_comes) {
  Flood flood(20, 100);
  CallPair& pair = flood.pair;
  BOOST_TEST_REQUIRE(pair.client.calls.call({}, bytes_of("ping"), {.seal = kToPeer}).has_value());
  pair.exchange();
  BOOST_TEST(pair.server.app.calls.empty());
  for (int i = 0; i != 30; ++i) pair.pass(10ms);
  BOOST_TEST_REQUIRE(pair.server.app.calls.size() == 1u);
  BOOST_TEST(pair.server.app.calls.front().data == "ping");
  BOOST_TEST(pair.server.app.told.size() == 20u);
}

BOOST_AUTO_TEST_CASE(calls_that_cannot_be_opened_are_the_applications) {
  CallPair pair;
  const auto payload = encode_payload(CallPayload{});
  const Sealed call(pair.client.identity, key_of(9).public_key(),
                    {.type = MessageType::call, .id = 7, .payload = payload});
  pair.client.send(call.message);
  pair.exchange();
  BOOST_TEST(pair.server.app.calls.empty());
  BOOST_TEST_REQUIRE(pair.server.app.told.size() == 1u);
  BOOST_TEST(pair.server.app.told.front().flags == kEncrypted);

  // An answer is known by its id: it ends the call, and its flags say that the data are not plain.
  const auto asked = pair.client.calls.call({}, {}, {});
  const Sealed answer(pair.server.identity, key_of(9).public_key(),
                      {.type = MessageType::response, .id = asked->value(), .payload = bytes_of("secret")});
  pair.server.send(answer.message);
  pair.exchange();
  BOOST_TEST_REQUIRE(pair.client.app.answers.size() == 1u);
  BOOST_TEST(pair.client.app.answers.front().flags == kEncrypted);
  BOOST_TEST(pair.client.app.answers.front().data == text_of(answer.bytes));
  BOOST_TEST(!pair.client.app.answers.front().origin.has_value());
}

// What an Error says is in its payload. One that cannot be read ends nothing.
BOOST_AUTO_TEST_CASE(errors_are_read_only_when_opened) {
  CallPair pair;
  const auto id = pair.client.calls.call({}, {}, {});
  pair.exchange();
  // As it stands, sealed to somebody else or damaged, its first bytes may look like any reason.
  const auto busy = encode_payload(ErrorPayload{static_cast<ErrorReason>(0x8004), "busy"});
  pair.server.send({.type = MessageType::error, .flags = kCompressed, .id = id->value(), .payload = busy});
  pair.exchange();
  BOOST_TEST(pair.client.app.answers.empty());
  BOOST_TEST(pair.client.calls.malformed_errors() == 1u);
  pair.server.send({.type = MessageType::error, .id = id->value(), .payload = busy}, {.seal = kToPeer});
  pair.exchange();
  BOOST_TEST_REQUIRE(pair.client.app.answers.size() == 1u);
  BOOST_TEST((pair.client.app.answers.front().outcome == CallOutcome::failed));
  BOOST_TEST(pair.client.app.answers.front().text == "busy");
  BOOST_TEST(pair.client.app.answers.front().origin->flags == kEncrypted);
  // Taken back, under seal.
  const auto cancel = encode_payload(ErrorPayload{ErrorReason::cancelled, {}});
  pair.client.send({.type = MessageType::call, .id = 1u << 20, .payload = encode_payload(CallPayload{})});
  pair.client.send({.type = MessageType::error, .id = 1u << 20, .payload = cancel}, {.seal = kToPeer});
  pair.exchange();
  BOOST_TEST(pair.server.app.over.size() == 1u);
}

// An Error may take a call back, and this one does not: what is known of its payload then is told.
BOOST_AUTO_TEST_CASE(what_turns_out_not_to_be_of_calls_is_opened_once) {
  CallPair pair;
  pair.client.send({.type = MessageType::call, .id = 7, .payload = encode_payload(CallPayload{})});
  pair.exchange();
  BOOST_TEST_REQUIRE(pair.server.app.calls.size() == 1u);
  const auto payload = encode_payload(ErrorPayload{ErrorReason::too_many, {}});
  pair.client.send({.type = MessageType::error, .id = 7, .payload = payload}, {.seal = kToPeer});
  pair.exchange();
  BOOST_TEST_REQUIRE(pair.server.app.told.size() == 1u);
  BOOST_TEST(pair.server.app.told.front().payload == text_of(payload));
  BOOST_TEST(pair.server.opener.counters().opened == 1u);
  BOOST_TEST((pair.server.tools.budget.spent() == pair.server.tools.budget.seal()));
}

BOOST_AUTO_TEST_CASE(a_sealed_answer_does_not_wait_for_what_the_application_refuses) {
  CallPair pair;
  BOOST_TEST_REQUIRE(pair.client.calls.call({}, {}, {}).has_value());
  pair.exchange();
  pair.client.app.takes_messages = false;
  constexpr std::uint64_t kOfApplication = std::uint64_t{1} << 63;  // no id of a call
  pair.server.send({.type = MessageType::response, .id = kOfApplication});
  pair.server.send({.type = MessageType::response, .id = kOfApplication + 1}, {.seal = kToPeer});
  pair.exchange();
  BOOST_TEST(pair.client.opener.counters().opened == 0u);  // not in vain
  BOOST_TEST_REQUIRE(pair.server.app.calls.size() == 1u);
  BOOST_TEST(pair.server.calls.answer(pair.server.app.calls.front().id, bytes_of("x"), {.seal = kToPeer}).has_value());
  pair.exchange();
  BOOST_TEST_REQUIRE(pair.client.app.answers.size() == 1u);
  BOOST_TEST(pair.client.app.answers.front().data == "x");
  BOOST_TEST(pair.client.messages.kept() == 2u);
  BOOST_TEST(pair.client.app.asked == 1);
}

// Where it cannot be opened at once it waits for that, and for nothing else: not for the application, which is not asked
// before it wants to be.
BOOST_AUTO_TEST_CASE(a_sealed_answer_that_waits_to_be_opened_does_not_wait_for_what_the_application_refuses) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{50'000}}) {
    HeldUp held;
    CallPair& pair = held.pair;
    const std::string answer = words(size);
    held.answer(answer);
    const std::size_t waiting = pair.client.messages.memory();
    BOOST_TEST(pair.client.app.answers.empty());
    BOOST_TEST(pair.client.messages.kept() == 2u);
    BOOST_TEST((pair.client.opener.deadline() > pair.now && pair.client.opener.deadline() < pair.now + 3s));
    pair.pass(10s);
    BOOST_TEST_REQUIRE(pair.client.app.answers.size() == 1u);
    BOOST_TEST(pair.client.app.answers.front().data == answer);
    BOOST_TEST(pair.client.app.answers.front().origin->flags == kEncrypted);
    BOOST_TEST(pair.client.app.asked == 1);
    BOOST_TEST(pair.client.messages.kept() == 1u);
    BOOST_TEST((pair.client.opener.deadline() == kNever));
    if (size > kMaxShortMessage) BOOST_TEST(pair.client.messages.memory() + size <= waiting);
    held.resume();
    BOOST_TEST(pair.client.app.told.size() == 1u);
    BOOST_TEST(pair.client.app.answers.size() == 1u);
  }
}

// Each is opened in its turn, and none in vain while the application refuses.
BOOST_AUTO_TEST_CASE(t80_sealed_answers_that_wait_are_told_one_in_each_turn) {
  HeldUp held(20);
  CallPair& pair = held.pair;
  for (int i = 0; i != 20; ++i) held.answer("x");
  BOOST_TEST(pair.client.messages.kept() == 21u);
  for (std::size_t told = 1; told <= 20; ++told) {
    const Timestamp turn = pair.client.opener.deadline();
    BOOST_TEST_REQUIRE((turn > pair.now && turn != kNever));
    pair.pass(turn - pair.now);
    BOOST_TEST(pair.client.app.answers.size() == told);
  }
  BOOST_TEST(pair.client.opener.counters().opened == 20u);
  BOOST_TEST(pair.client.app.asked == 1);
  BOOST_TEST(pair.client.messages.kept() == 1u);
}

// An answer that waits so long for its turn that its call is over takes no turn from one that is waited for.
BOOST_AUTO_TEST_CASE(t80_answers_that_come_too_late_are_not_opened) {
  HeldUp held(3);
  CallPair& pair = held.pair;
  for (int i = 0; i != 3; ++i) held.answer("x");
  BOOST_TEST(pair.client.calls.cancel(CallId(held.ids[0])));
  BOOST_TEST(pair.client.calls.cancel(CallId(held.ids[1])));
  pair.pass(pair.client.opener.deadline() - pair.now);
  BOOST_TEST(pair.client.app.answers.size() == 1u);
  BOOST_TEST(pair.client.calls.made().answers_unmatched == 2u);
  BOOST_TEST(pair.client.opener.counters().opened == 1u);
  BOOST_TEST(pair.client.messages.kept() == 1u);
}

// The application has taken up a class again, and refuses what turns out to be of it: it is asked once.
BOOST_AUTO_TEST_CASE(what_turns_out_not_to_be_of_calls_and_is_refused_is_asked_for_once) {
  HeldUp held(MessageType::error);
  CallPair& pair = held.pair;
  const auto payload = encode_payload(ErrorPayload{ErrorReason::too_many, {}});
  pair.client.app.takes_messages = true;
  pair.client.messages.resume();
  for (int i = 0; i != 5; ++i) pair.pass(0ms);
  pair.client.app.takes_messages = false;
  pair.server.send({.type = MessageType::error, .id = kOfApplication + 1, .payload = payload}, {.seal = kToPeer});
  pair.exchange();
  const int asked = pair.client.app.asked;
  pair.client.messages.resume();  // in the same turn
  pair.pass(10s);
  BOOST_TEST(pair.client.app.asked == asked + 1);
  pair.pass(10s);
  BOOST_TEST(pair.client.app.asked == asked + 1);
  held.resume();
  BOOST_TEST(pair.client.messages.kept() == 0u);
}

// What waits apart uses up the peer's credit, and gives it back when it is told.
BOOST_AUTO_TEST_CASE(a_sealed_answer_that_waits_keeps_its_credit) {
  MessageConfig config;
  config.receive_window = config.max_receive_window = 16 * 1024;
  HeldUp held(20, config);
  CallPair& pair = held.pair;
  for (int i = 0; i != 20; ++i) held.answer(words(1000));
  BOOST_TEST(pair.server.messages.blocked_by_peer());
  BOOST_TEST(pair.client.messages.kept() <= 16u);
  BOOST_TEST(pair.client.messages.memory() <= 80'000u);
  for (int i = 0; i != 200; ++i) pair.pass(1s), pair.exchange();
  BOOST_TEST(pair.client.app.answers.size() == 20u);
  BOOST_TEST(!pair.server.messages.blocked_by_peer());
  BOOST_TEST(pair.client.messages.kept() == 1u);
}

// An Error may belong to a call; this one does not. Then it is a message of its class like others.
BOOST_AUTO_TEST_CASE(what_turns_out_not_to_be_of_calls_waits_for_the_application_from_then_on) {
  for (const std::size_t size : {std::size_t{10}, std::size_t{20'000}}) {
    HeldUp held(MessageType::event);
    CallPair& pair = held.pair;
    const std::string text = words(size);
    const auto payload = encode_payload(ErrorPayload{ErrorReason::too_many, text});
    held.spend();
    pair.server.send({.type = MessageType::error, .id = 7, .payload = payload}, {.seal = kToPeer});
    pair.exchange();
    BOOST_TEST(pair.client.messages.kept() == 2u);
    pair.pass(10s);
    BOOST_TEST(pair.client.opener.counters().opened == 1u);
    BOOST_TEST(pair.client.app.asked == 1);
    BOOST_TEST(pair.client.messages.kept() == 2u);
    pair.pass(10s);
    BOOST_TEST(pair.client.opener.counters().opened == 1u);  // and not again before somebody asks
    held.resume();
    BOOST_TEST_REQUIRE(pair.client.app.told.size() == 2u);
    BOOST_TEST(pair.client.app.told.back().id == 7u);
    BOOST_TEST(pair.client.app.told.back().payload == text_of(payload));
    BOOST_TEST(pair.client.messages.kept() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(what_turns_out_not_to_be_of_calls_keeps_its_credit_and_gives_it_back) {
  MessageConfig config;
  config.receive_window = config.max_receive_window = 16 * 1024;
  HeldUp held(1, config, MessageType::event);
  CallPair& pair = held.pair;
  pair.server.send({.type = MessageType::call, .id = 7, .payload = encode_payload(CallPayload{})});
  pair.exchange();
  const std::string text = words(1000);
  for (std::uint64_t id = 0; id != 40; ++id)
    pair.server.send({.type = MessageType::error, .id = id, .payload = bytes_of(text)}, {.seal = kToPeer});
  pair.exchange();
  for (int i = 0; i != 30; ++i) pair.pass(1s), pair.exchange();
  BOOST_TEST(pair.server.messages.blocked_by_peer());
  BOOST_TEST(pair.client.messages.memory() <= 80'000u);
  for (int i = 0; i != 120; ++i) pair.pass(1s), held.resume(), pair.exchange();
  BOOST_TEST(pair.client.app.told.size() == 41u);
  BOOST_TEST(!pair.server.messages.blocked_by_peer());
}

// If the application has asked for its class meanwhile, it is told at once; and if it refuses, it asks again.
BOOST_AUTO_TEST_CASE(what_turns_out_not_to_be_of_calls_is_told_at_its_turn_where_nothing_holds_it_up) {
  for (const bool takes : {true, false}) {
    HeldUp held(MessageType::event);
    CallPair& pair = held.pair;
    held.spend();
    pair.server.send({.type = MessageType::error, .id = 7, .payload = bytes_of("none")}, {.seal = kToPeer});
    pair.exchange();
    held.resume();
    BOOST_TEST(pair.client.app.told.size() == 1u);
    BOOST_TEST(pair.client.messages.kept() == 1u);
    pair.client.app.takes_messages = takes;
    pair.pass(10s);
    BOOST_TEST(pair.client.app.asked == 3);
    BOOST_TEST(pair.client.app.told.size() == (takes ? 2u : 1u));
    // What comes behind a refused one is not told before it.
    held.send_other(kOfApplication + 1);
    BOOST_TEST(pair.client.app.asked == (takes ? 4 : 3));
    held.resume();
    pair.pass(10s);  // it is opened once more to be told once more, and keeps its place meanwhile
    BOOST_TEST((pair.client.app.ids == std::vector{kOfApplication, std::uint64_t{7}, kOfApplication + 1}));
  }
}

// A call of the peer that has to wait for its turn holds up nobody, neither of its class nor of another.
BOOST_AUTO_TEST_CASE(a_sealed_call_that_waits_to_be_opened_does_not_hold_up_its_class) {
  HeldUp held;
  CallPair& pair = held.pair;
  held.resume();
  held.spend();
  BOOST_TEST(pair.server.calls.call({}, bytes_of("ping"), {.seal = kToPeer}).has_value());
  pair.server.send({.type = MessageType::response, .id = kOfApplication + 1});
  pair.exchange();
  BOOST_TEST(pair.client.app.calls.empty());
  BOOST_TEST((pair.client.app.ids == std::vector{kOfApplication, kOfApplication + 1}));
  pair.pass(10s);
  BOOST_TEST(pair.client.app.calls.size() == 1u);
}

// In an ordered channel nothing passes it, and it passes nothing, whether or not it belongs to a call.
BOOST_AUTO_TEST_CASE(what_waits_to_be_opened_in_an_ordered_channel_keeps_its_place) {
  constexpr MessageOptions kInOrder{.order = MessageOrder::in_class};
  constexpr MessageOptions kSealedInOrder{.order = MessageOrder::in_class, .seal = kToPeer};
  for (const bool is_answer : {true, false}) {
    HeldUp held(is_answer ? MessageType::response : MessageType::event);
    CallPair& pair = held.pair;
    held.spend();
    if (is_answer) pair.server.send({.type = MessageType::response, .id = held.ids.front()}, kSealedInOrder);
    else pair.server.send({.type = MessageType::error, .id = 7}, kSealedInOrder);
    held.send_other(kOfApplication + 1, kInOrder);
    BOOST_TEST(pair.client.messages.kept() == 3u);
    pair.pass(10s);
    BOOST_TEST(pair.client.app.answers.size() == (is_answer ? 1u : 0u));
    BOOST_TEST(pair.client.opener.counters().opened == 1u);
    BOOST_TEST(pair.client.app.asked == 1);
    pair.pass(10s);
    BOOST_TEST(pair.client.opener.counters().opened == 1u);
    held.resume();
    pair.pass(10s);
    auto ids = std::vector{kOfApplication, std::uint64_t{7}, kOfApplication + 1};
    if (is_answer) ids.erase(ids.begin() + 1);
    BOOST_TEST(pair.client.app.ids == ids);
    BOOST_TEST(pair.client.messages.kept() == 0u);
  }
}

// It holds up its channel, and no message beside that.
BOOST_AUTO_TEST_CASE(what_waits_to_be_opened_in_an_ordered_channel_does_not_hold_up_its_class) {
  HeldUp held;
  CallPair& pair = held.pair;
  held.resume();
  held.spend();
  pair.server.send({.type = MessageType::response, .id = held.ids.front()},
                   {.order = MessageOrder::in_class, .seal = kToPeer});
  pair.server.send({.type = MessageType::response, .id = kOfApplication + 1}, {.order = MessageOrder::in_class});
  pair.server.send({.type = MessageType::response, .id = kOfApplication + 2});
  pair.exchange();
  BOOST_TEST((pair.client.app.ids == std::vector{kOfApplication, kOfApplication + 2}));
  pair.pass(10s);
  BOOST_TEST(pair.client.app.answers.size() == 1u);
  BOOST_TEST((pair.client.app.ids == std::vector{kOfApplication, kOfApplication + 2, kOfApplication + 1}));
}

BOOST_AUTO_TEST_CASE(t80_answers_that_wait_behind_a_refusal_when_the_connection_ends_are_told_as_they_are) {
  HeldUp held;
  CallPair& pair = held.pair;
  held.answer("x");
  BOOST_TEST(pair.client.app.answers.empty());
  pair.client.opener.end();
  pair.client.calls.end();
  pair.client.messages.end();
  BOOST_TEST_REQUIRE(pair.client.app.answers.size() == 1u);
  BOOST_TEST((pair.client.app.answers.front().outcome == CallOutcome::answered));
  BOOST_TEST(pair.client.app.answers.front().flags == kEncrypted);
  BOOST_TEST(pair.client.app.told.empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace message_opener_test
