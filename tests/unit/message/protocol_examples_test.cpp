// The example of §1 of docs/protocol.md, made by the library and compared with the text.
#include <boost/test/unit_test.hpp>

#include "mxp/message.h"
#include "support/protocol_document.h"

using namespace mxp;
using namespace mxp::test;

BOOST_AUTO_TEST_SUITE(protocol_document)

BOOST_AUTO_TEST_CASE(message_of_the_document) {
  Uuid target;
  for (std::size_t i = 0; i < target.size(); ++i) target[i] = static_cast<std::uint8_t>(i);
  const std::string_view data = "ping";
  const auto payload = encode_payload(
      CallPayload{target, 30, ByteView(reinterpret_cast<const std::uint8_t*>(data.data()), data.size())});
  const Message message{MessageType::call, static_cast<std::uint8_t>(MessageFlag::requires_ack), 1, 0x1122334455667788,
                        payload};
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

BOOST_AUTO_TEST_SUITE_END()
