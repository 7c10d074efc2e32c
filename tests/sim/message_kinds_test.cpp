// Every kind of message there is, over a whole connection: each arrives once, as it was sent.
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>

#include "support/sanitized.h"
#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

namespace message_kinds_test {
namespace {

constexpr auto bit(MessageFlag flag) { return static_cast<std::uint8_t>(flag); }

constexpr MessageType kTypes[] = {
    MessageType::agent_register, MessageType::agent_discover, MessageType::agent_heartbeat,
    MessageType::call,           MessageType::response,       MessageType::event,
    MessageType::stream_open,    MessageType::stream_chunk,   MessageType::stream_close,
    MessageType(0x80),           MessageType(0xEF),           MessageType::ack,
    MessageType::error};
constexpr std::size_t kSizes[] = {0, 1, kMaxShortMessage, kMaxShortMessage + 1, 100'000};

struct Kind {
  MessageType type;
  std::uint8_t flags;
  MessageClass traffic_class;
  PayloadCompression compress;
  PayloadSealing seal;
  std::size_t size;
  std::string text() const {
    return fmt::format("type {:#x}, flags {:#x}, class {}{}{}, {} bytes", static_cast<unsigned>(type), flags,
                       static_cast<int>(traffic_class), compress == PayloadCompression::zstd ? ", compressed" : "",
                       seal == PayloadSealing::to_peer ? ", sealed" : "", size);
  }
};

std::vector<Kind> kinds() {
  std::vector<Kind> all;
  for (const MessageType type : kTypes)
    for (const std::uint8_t flags : {0, 4, 8, 12})
      for (std::size_t i = 0; i != kMessageClasses; ++i)
        for (const auto compress : {PayloadCompression::none, PayloadCompression::zstd})
          for (const auto seal : {PayloadSealing::none, PayloadSealing::to_peer})
            for (const std::size_t size : kSizes)
              // A large one says under a sanitizer what others have said.
              if (!kSanitized || size < 10'000 || (i == 0 && flags == 4))
                all.push_back({type, flags, static_cast<MessageClass>(i), compress, seal, size});
  return all;
}

std::vector<std::uint8_t> payload_of(const Kind& kind, std::uint64_t id) {
  std::vector<std::uint8_t> payload(kind.size);
  for (std::size_t i = 0; i != payload.size(); ++i) payload[i] = static_cast<std::uint8_t>(id + i / 50);
  return payload;
}

// What came for each message, by its id.
struct Came {
  int messages = 0, acks = 0;
};

void expect_same(const Message& message, const Kind& kind, const PublicKey& sender) {
  std::uint8_t undone = 0;
  // What compression makes no smaller goes as it is: the smallest ones.
  if (kind.compress == PayloadCompression::zstd && kind.size > 1) undone |= bit(MessageFlag::compressed);
  if (kind.seal == PayloadSealing::to_peer) undone |= bit(MessageFlag::encrypted);
  BOOST_TEST((message.type == kind.type));
  BOOST_TEST(message.flags == kind.flags);
  BOOST_TEST(message.trace_id == ~message.id);
  BOOST_TEST(std::ranges::equal(message.payload, payload_of(kind, message.id)));
  BOOST_TEST((message.origin == nullptr ? 0 : message.origin->flags) == undone);
  if (kind.seal == PayloadSealing::to_peer) BOOST_TEST((message.origin->sealed_by == sender));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(message_kinds)

BOOST_AUTO_TEST_CASE(every_type_flag_class_and_size_arrives_as_it_was_sent) {
  const std::vector<Kind> all = kinds();
  SimPair sim({.up = "delay 1ms loss 1%", .down = "="});
  Connection* const connection = sim.connect();
  std::vector<Came> came(all.size());
  sim.server.messages_have_pattern = sim.client.messages_have_pattern = false;
  const PublicKey sender = default_client().identity.public_key();
  sim.server.message_hook = [&](const Message& message) {
    BOOST_TEST_REQUIRE(message.id < all.size());
    BOOST_TEST_CONTEXT(all[message.id].text()) expect_same(message, all[message.id], sender);
    ++came[message.id].messages;
    return true;
  };
  sim.client.message_hook = [&](const Message& message) {
    BOOST_TEST_REQUIRE(message.id < all.size());
    BOOST_TEST((message.type == MessageType::ack && message.payload.empty() && message.trace_id == ~message.id));
    ++came[message.id].acks;
    return true;
  };
  BOOST_TEST_REQUIRE(sim.run_until([&] { return !sim.client.connected.empty(); }, 10s));
  for (std::size_t id = 0; id != all.size();) {
    const Kind& kind = all[id];
    const auto payload = payload_of(kind, id);
    const auto ticket = connection->send_message(
        {.type = kind.type, .flags = kind.flags, .id = id, .trace_id = ~std::uint64_t{id}, .payload = payload},
        {.traffic_class = kind.traffic_class, .report_outcome = true, .compress = kind.compress, .seal = kind.seal});
    if (ticket) {
      ++id;
    } else {
      BOOST_TEST_REQUIRE((ticket.error() == SendMessageError::queue_full), kind.text());
      sim.run_for(10ms);
    }
  }
  const auto wants_ack = [](const Kind& kind) {
    return kind.type != MessageType::ack && (kind.flags & bit(MessageFlag::requires_ack)) != 0;
  };
  const auto acks = static_cast<std::size_t>(std::ranges::count_if(all, wants_ack));
  const auto all_came = [&] {
    std::size_t acknowledged = 0;
    for (const Came& each : came) acknowledged += static_cast<std::size_t>(each.acks);
    return sim.client.outcomes.size() == all.size() && acknowledged == acks;
  };
  BOOST_TEST(sim.run_until(all_came, sim.elapsed() + 300s));
  sim.run_for(1s);
  for (std::size_t id = 0; id != all.size(); ++id) BOOST_TEST_CONTEXT(all[id].text()) {
      BOOST_TEST(came[id].messages == 1);
      BOOST_TEST(came[id].acks == (wants_ack(all[id]) ? 1 : 0));
    }
  for (const auto& [ticket, outcome] : sim.client.outcomes) BOOST_TEST((outcome == MessageOutcome::delivered));
  BOOST_TEST(sim.violations().empty());
}

BOOST_AUTO_TEST_CASE(two_hundred_thousand_messages_that_overtake_each_other_come_once_each) {
  constexpr std::uint64_t kCount = kSanitized ? 20'000 : 200'000;
  SimPair sim({.up = "delay 20ms 15ms reorder 30% order time rate 100mbit", .down = "delay 20ms 15ms order time"});
  Connection* const connection = sim.connect();
  std::uint64_t largest = 0, overtaken = 0, packets = 0;
  sim.on_event = [&](Role role, const TraceEvent& event) {
    const auto* received = std::get_if<TracePacketReceived>(&event);
    if (role != Role::server || received == nullptr) return;
    ++packets;
    if (received->number.value() < largest) ++overtaken;
    largest = std::max(largest, received->number.value());
  };
  BOOST_TEST_REQUIRE(sim.run_until([&] { return !sim.client.connected.empty(); }, 10s));
  sim.client.send_messages(*connection, {.count = kCount, .size = 40}, sim.now());
  const auto done = [&] {
    return sim.server.messages_received.size() == kCount && sim.client.outcomes.size() == kCount;
  };
  BOOST_TEST(sim.run_until(done, 300s));
  for (const auto& [ticket, outcome] : sim.client.outcomes) BOOST_REQUIRE(outcome == MessageOutcome::delivered);
  // SimApplication says of each that it came once and whole.
  BOOST_TEST(sim.violations().empty());
  BOOST_TEST(4 * overtaken > packets);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace message_kinds_test
