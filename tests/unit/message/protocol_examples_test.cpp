// The examples of §1 of docs/protocol.md, made by the library and compared with the text.
#include <boost/test/unit_test.hpp>

#include "message/compact.h"
#include "message/compression.h"
#include "mxp/message.h"
#include "support/protocol_document.h"

using namespace mxp;
using namespace mxp::test;

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

BOOST_AUTO_TEST_SUITE_END()
