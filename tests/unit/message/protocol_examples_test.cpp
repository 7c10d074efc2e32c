// The examples of §1 of docs/protocol.md, made by the library and compared with the text.
#include <boost/test/unit_test.hpp>

#include "message/compact.h"
#include "message/header.h"
#include "mxp/agent_registry.h"
#include "mxp/message.h"
#include "mxp/message_compression.h"
#include "mxp/message_sealing.h"
#include "support/protocol_document.h"

using namespace mxp;
using namespace mxp::test;

namespace protocol_examples_test {
namespace {

using Bytes = std::vector<std::uint8_t>;

ByteView view(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

Uuid counting_uuid() {
  Uuid uuid;
  for (std::size_t i = 0; i < uuid.size(); ++i) uuid[i] = static_cast<std::uint8_t>(i);
  return uuid;
}

// The Call of the document; `payload` is what call_payload() gave.
Bytes call_payload() { return encode_payload(CallPayload{counting_uuid(), 30, view("ping")}); }
Message call_of(const Bytes& payload) {
  return {MessageType::call, static_cast<std::uint8_t>(MessageFlag::requires_ack), 1, 0x1122334455667788, payload};
}

// 32 bytes, counted from `first`.
PrivateKey counting_key(std::uint8_t first) {
  std::array<std::uint8_t, PrivateKey::kSize> scalar;
  for (std::size_t i = 0; i < scalar.size(); ++i) scalar[i] = static_cast<std::uint8_t>(first + i);
  return PrivateKey::from_bytes(scalar);
}

// Gives the ephemeral key of the document.
class EphemeralOfTheDocument final : public Random {
 public:
  void fill(MutableBytes out) override { std::ranges::copy(counting_key(0x41).secret(), out.begin()); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(protocol_document)

BOOST_AUTO_TEST_CASE(message_of_the_document) {
  const Bytes payload = call_payload();
  const Message message = call_of(payload);
  std::vector<std::uint8_t> bytes(encoded_size(message));
  BOOST_REQUIRE(encode_message(message, bytes).has_value());
  BOOST_REQUIRE(decode_message(bytes).has_value());

  const ByteView all(bytes);
  ExampleText text;
  text.field("magic", all.first(4));
  text.field("type", all.subspan(4, 1), "Call");
  text.field("flags", all.subspan(5, 1), "REQUIRES_ACK");
  text.field("reserved", all.subspan(6, 2));
  text.field("message id", all.subspan(8, 8), "1");
  text.field("trace id", all.subspan(16, 8), "0x1122334455667788");
  text.field("payload length", all.subspan(24, 8), "24");
  text.field("target UUID", all.subspan(32, 16));
  text.field("timeout", all.subspan(48, 4), "30 seconds");
  text.field("data", all.subspan(52, 4), "\"ping\"");
  text.field("checksum", all.subspan(56, 8), "XXH3-64");
  expect_example("message", text.text());
}

BOOST_AUTO_TEST_CASE(compacted_message_of_the_document) {
  const Bytes payload = call_payload();
  const Message message = call_of(payload);
  Bytes compact(compact_size(message)), full(encoded_size(message)), again(full.size());
  BOOST_REQUIRE(encode_compact(message, compact).has_value());
  const auto decoded = decode_compact(compact);
  BOOST_REQUIRE(decoded.has_value());
  BOOST_REQUIRE(encode_message(message, full).has_value());
  BOOST_REQUIRE(encode_message(*decoded, again).has_value());
  BOOST_TEST(again == full);

  const ByteView all(compact);
  ExampleText text;
  text.field("type", all.first(1), "Call");
  text.field("what", all.subspan(1, 1), "REQUIRES_ACK; a trace id is there, of 8 bytes");
  text.field("message id", all.subspan(2, 1), "1");
  text.field("trace id", all.subspan(3, 8), "0x1122334455667788");
  text.field("payload", all.subspan(11));
  expect_example("compact", text.text());
}

// Encoders differ in what they make of a payload, so the frame of the document was made by hand.
BOOST_AUTO_TEST_CASE(compressed_payload_of_the_document) {
  const Bytes frame = {0x28, 0xb5, 0x2f, 0xfd, 0x60, 0xe8, 0x02, 0x43, 0x1f, 0x00, 0x61};
  Bytes content(decompressed_size(frame, 1000).value());
  BOOST_REQUIRE(MessageDecompressor().decompress(frame, 1000, content).has_value());
  BOOST_TEST((content == Bytes(1000, 'a')));

  const ByteView all(frame);
  ExampleText text;
  text.field("magic", all.first(4));
  text.field("frame header descriptor", all.subspan(4, 1), "the content is one segment; its size has 2 bytes");
  text.field("content size", all.subspan(5, 2), "744 + 256 = 1000");
  text.field("block header", all.subspan(7, 3), "the last block, one byte 1000 times");
  text.field("block", all.subspan(10), "\"a\"");
  expect_example("compressed", text.text());
}

BOOST_AUTO_TEST_CASE(sealed_payload_of_the_document) {
  const Bytes payload = call_payload();
  const Message plain = call_of(payload);
  const PrivateKey sender = counting_key(0x01), receiver = counting_key(0x21);
  EphemeralOfTheDocument ephemeral;
  Bytes sealed_bytes(payload.size() + kSealingOverhead), opened_bytes(payload.size());
  const auto sealed = seal_payload(sender, receiver.public_key(), plain, ephemeral, sealed_bytes);
  BOOST_REQUIRE(sealed.has_value());
  const auto opened = open_payload(receiver, *sealed, opened_bytes);
  BOOST_REQUIRE(opened.has_value());
  BOOST_TEST((opened_bytes == payload));

  std::array<std::uint8_t, kMessageHeaderSize> header;
  Writer out(header);
  write_message_header(out, *sealed);
  const ByteView all(sealed_bytes);
  ExampleText text;
  text.field("sender private", sender.secret());
  text.field("receiver private", receiver.secret());
  text.field("receiver public", receiver.public_key().bytes());
  text.field("ephemeral private", counting_key(0x41).secret());
  text.field("header", header, "of the Call above, ENCRYPTED, 120 bytes of payload");
  text.field("e", all.first(32));
  text.field("encrypted s", all.subspan(32, 48));
  text.field("encrypted payload", all.subspan(80));
  expect_example("sealed", text.text());
}

BOOST_AUTO_TEST_CASE(agents_of_the_document) {
  AgentRegistry registry;
  const PublicKey owner = counting_key(0x01).public_key();
  const auto asked = [&](MessageType type, const Bytes& payload) {
    const auto answer = registry.on_message(Timestamp{}, owner, {type, 0, 1, 0, payload});
    BOOST_REQUIRE(answer.has_value());
    return Bytes(answer->payload.begin(), answer->payload.end());
  };
  const Bytes description = encode_payload(AgentRegisterPayload{counting_uuid(), "sum", {"add"}, {192, 0, 2, 1}, 9000});
  const Bytes heartbeat = encode_payload(AgentHeartbeatPayload{counting_uuid(), AgentState::alive});
  const Bytes stranger = encode_payload(AgentHeartbeatPayload{Uuid{}, AgentState::leaving});
  const Bytes query = encode_payload(AgentDiscoverPayload{AgentDiscoverPayload::By::capability, {}, "add", {}});

  ExampleText text;
  text.field("owner public", owner.bytes());
  text.field("AgentRegister", description, "\"sum\", which can \"add\", 192.0.2.1:9000");
  text.field("Response", asked(MessageType::agent_register, description), "90 seconds");
  text.field("AgentHeartbeat", heartbeat, "alive");
  text.field("Response", asked(MessageType::agent_heartbeat, heartbeat), "90 seconds");
  text.field("AgentHeartbeat", stranger, "leaving, and unknown");
  text.field("Error", asked(MessageType::agent_heartbeat, stranger), "4, \"the agent is not registered\"");
  text.field("AgentDiscover", query, "by capability, \"add\"");
  text.field("Response", asked(MessageType::agent_discover, query), "one, and no more");
  expect_example("agents", text.text());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace protocol_examples_test
