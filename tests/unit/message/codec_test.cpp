#include <xxhash.h>

#include <boost/test/unit_test.hpp>

#include "core/cursor.h"
#include "mxp/message.h"
#include "support/hex.h"

using namespace mxp;
using mxp::test::hex;

namespace {

// A message of the given header bytes with a right checksum, so that only the field in question is wrong.
std::vector<std::uint8_t> sealed(std::string_view header_and_payload) {
  auto bytes = hex(header_and_payload);
  const std::uint64_t checksum = XXH3_64bits(bytes.data(), bytes.size());
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<std::uint8_t>(checksum >> (8 * i)));
  return bytes;
}

constexpr const char* kIdAndTrace = "0100000000000000 0000000000000000 ";
constexpr const char* kNoPayload = "0000000000000000";

void refused(const std::vector<std::uint8_t>& bytes, MessageError error) {
  const auto result = decode_message(bytes);
  BOOST_REQUIRE(!result.has_value());
  BOOST_TEST(to_string(result.error()) == to_string(error));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(message_codec)

// The checksums were computed by an implementation of XXH3 written from its specification, not by the library linked
// here.
BOOST_AUTO_TEST_CASE(messages_have_the_bytes_of_the_document) {
  const auto hello = hex("68656c6c6f");
  std::vector<std::uint8_t> counting(64);
  for (std::size_t i = 0; i < counting.size(); ++i) counting[i] = static_cast<std::uint8_t>(i);
  const std::pair<Message, const char*> table[] = {
      {{MessageType::agent_heartbeat, 0, 1, 0, {}},
       "3150584d 03 00 0000 0100000000000000 0000000000000000 0000000000000000 624e67546de110f2"},
      {{MessageType::call, 0x0c, 0x0102030405060708, 0x1112131415161718, hello},
       "3150584d 10 0c 0000 0807060504030201 1817161514131211 0500000000000000 68656c6c6f 464fd2bfdb7d639f"},
      {{static_cast<MessageType>(0x80), 3, ~std::uint64_t{0}, ~std::uint64_t{0}, counting},
       "3150584d 80 03 0000 ffffffffffffffff ffffffffffffffff 4000000000000000"
       "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363"
       "738393a3b3c3d3e3f"
       "c7fe17b6c0cc333b"},
  };
  for (const auto& [message, text] : table) {
    const auto golden = hex(text);
    std::vector<std::uint8_t> out(golden.size());
    BOOST_TEST(encode_message(message, out).value() == golden.size());
    BOOST_TEST(out == golden, boost::test_tools::per_element());
    const auto decoded = decode_message(golden);
    BOOST_REQUIRE(decoded.has_value());
    BOOST_TEST((decoded->type == message.type && decoded->flags == message.flags && decoded->id == message.id &&
                decoded->trace_id == message.trace_id));
    BOOST_TEST((std::ranges::equal(decoded->payload, message.payload)));
    BOOST_TEST(message_size(golden).value().value() == golden.size());
  }
}

BOOST_AUTO_TEST_CASE(payload_is_a_view_into_the_message) {
  const auto bytes = sealed(std::string("3150584d 12 00 0000 ") + kIdAndTrace + "0200000000000000 abcd");
  const auto message = decode_message(bytes);
  BOOST_REQUIRE(message.has_value());
  BOOST_TEST(message->payload.data() == bytes.data() + kMessageHeaderSize);
}

BOOST_AUTO_TEST_CASE(every_malformed_field_has_its_error) {
  const std::string tail = std::string(kIdAndTrace) + kNoPayload;
  refused(sealed("4d585031 12 00 0000 " + tail), MessageError::bad_magic);  // the other byte order
  refused(sealed("3150584e 12 00 0000 " + tail), MessageError::bad_magic);
  refused(sealed("3150584d 00 00 0000 " + tail), MessageError::unknown_type);
  refused(sealed("3150584d 12 10 0000 " + tail), MessageError::unknown_flag);
  refused(sealed("3150584d 12 80 0000 " + tail), MessageError::unknown_flag);
  refused(sealed("3150584d 12 00 0100 " + tail), MessageError::reserved_not_zero);
  refused(sealed("3150584d 12 00 0001 " + tail), MessageError::reserved_not_zero);
  refused(sealed(std::string("3150584d 12 00 0000 ") + kIdAndTrace + "0100000100000000"),
          MessageError::payload_too_large);
  refused(sealed(std::string("3150584d 12 00 0000 ") + kIdAndTrace + "ffffffffffffffff"),
          MessageError::payload_too_large);
  refused(sealed(std::string("3150584d 12 00 0000 ") + kIdAndTrace + "0100000000000000"), MessageError::truncated);
  auto bytes = sealed("3150584d 12 00 0000 " + tail);
  BOOST_TEST(decode_message(bytes).has_value());
  bytes.back() ^= 1;
  refused(bytes, MessageError::checksum_mismatch);
  bytes.back() ^= 1;
  bytes.push_back(0);
  refused(bytes, MessageError::trailing_bytes);
  bytes.resize(39);
  refused(bytes, MessageError::truncated);
  bytes.resize(31);
  refused(bytes, MessageError::truncated);
  refused({}, MessageError::truncated);
}

BOOST_AUTO_TEST_CASE(only_the_types_of_the_document_are_taken) {
  const std::set<int> named = {0x01, 0x02, 0x03, 0x10, 0x11, 0x12, 0x20, 0x21, 0x22, 0xF0, 0xF1};
  for (int type = 0; type < 256; ++type) {
    const bool application = type >= 0x80 && type <= 0xEF;
    BOOST_TEST(is_valid_message_type(static_cast<std::uint8_t>(type)) == (named.contains(type) || application), type);
    BOOST_TEST(to_string(static_cast<MessageType>(type)).empty() == !named.contains(type), type);
  }
  BOOST_TEST(to_string(MessageType::call) == "Call");
  BOOST_TEST(to_string(MessageType::agent_register) == "AgentRegister");
}

BOOST_AUTO_TEST_CASE(encoder_refuses_what_the_decoder_would) {
  std::vector<std::uint8_t> out(100);
  const auto error = [&](const Message& message, MutableBytes space) { return encode_message(message, space).error(); };
  BOOST_TEST((error({static_cast<MessageType>(0x04), 0, 0, 0, {}}, out) == MessageError::unknown_type));
  BOOST_TEST((error({static_cast<MessageType>(0xF2), 0, 0, 0, {}}, out) == MessageError::unknown_type));
  BOOST_TEST((error({MessageType::event, 0x10, 0, 0, {}}, out) == MessageError::unknown_flag));
  const std::vector<std::uint8_t> too_large(kMaxMessagePayload + 1);
  BOOST_TEST((error({MessageType::event, 0, 0, 0, too_large}, out) == MessageError::payload_too_large));
  BOOST_TEST((error({MessageType::event, 0, 0, 0, {}}, MutableBytes(out).first(39)) == MessageError::buffer_too_small));
  BOOST_TEST(encode_message({MessageType::event, 0, 0, 0, {}}, MutableBytes(out).first(40)).has_value());
}

BOOST_AUTO_TEST_CASE(largest_payload_round_trips) {
  const std::vector<std::uint8_t> payload(kMaxMessagePayload, 0x5a);
  const Message message{MessageType::stream_chunk, 0, 7, 8, payload};
  std::vector<std::uint8_t> bytes(encoded_size(message));
  BOOST_REQUIRE(encode_message(message, bytes).has_value());
  BOOST_TEST(message_size(ByteView(bytes).first(32)).value().value() == bytes.size());
  const auto decoded = decode_message(bytes);
  BOOST_REQUIRE(decoded.has_value());
  BOOST_TEST(decoded->payload.size() == kMaxMessagePayload);
}

BOOST_AUTO_TEST_CASE(size_is_told_as_soon_as_the_header_is_there) {
  const auto bytes = sealed(std::string("3150584d 12 00 0000 ") + kIdAndTrace + "0200000000000000 abcd");
  for (std::size_t size = 0; size < kMessageHeaderSize; ++size) {
    const auto result = message_size(ByteView(bytes).first(size));
    BOOST_REQUIRE(result.has_value());
    BOOST_TEST(!result->has_value());
  }
  BOOST_TEST(message_size(ByteView(bytes).first(kMessageHeaderSize)).value().value() == 42u);
  auto garbage = bytes;
  garbage[0] ^= 1;
  BOOST_TEST((message_size(garbage).error() == MessageError::bad_magic));
  garbage = bytes;
  garbage[27] = 1;  // 16 MiB and more
  BOOST_TEST((message_size(garbage).error() == MessageError::payload_too_large));
}

BOOST_AUTO_TEST_CASE(every_type_has_its_class) {
  const std::pair<MessageType, MessageClass> table[] = {{MessageType::call, MessageClass::critical},
                                                        {MessageType::response, MessageClass::critical},
                                                        {MessageType::agent_register, MessageClass::control},
                                                        {MessageType::agent_discover, MessageClass::control},
                                                        {MessageType::agent_heartbeat, MessageClass::control},
                                                        {MessageType::stream_open, MessageClass::streaming},
                                                        {MessageType::stream_chunk, MessageClass::streaming},
                                                        {MessageType::stream_close, MessageClass::streaming},
                                                        {MessageType::event, MessageClass::background},
                                                        {MessageType::ack, MessageClass::background},
                                                        {MessageType::error, MessageClass::background},
                                                        {static_cast<MessageType>(0xEF), MessageClass::background}};
  for (const auto& [type, expected] : table) BOOST_TEST((message_class(type) == expected), to_string(type));
}

BOOST_AUTO_TEST_CASE(every_error_has_words_of_its_own) {
  std::set<std::string_view> words;
  for (int i = 0; i <= static_cast<int>(MessageError::bad_payload); ++i)
    words.insert(to_string(static_cast<MessageError>(i)));
  BOOST_TEST(words.size() == static_cast<std::size_t>(MessageError::bad_payload) + 1);
  BOOST_TEST(!words.contains("unknown error"));
}

BOOST_AUTO_TEST_SUITE_END()
