#include <boost/test/unit_test.hpp>

#include "mxp/message.h"
#include "support/hex.h"

using namespace mxp;
using mxp::test::hex;

namespace {

const char* const kAgent = "000102030405060708090a0b0c0d0e0f ";

Uuid counting_uuid() {
  Uuid uuid;
  for (std::size_t i = 0; i < uuid.size(); ++i) uuid[i] = static_cast<std::uint8_t>(i);
  return uuid;
}

template <typename Result>
void refused(const Result& result) {
  BOOST_REQUIRE(!result.has_value());
  BOOST_TEST((result.error() == MessageError::bad_payload));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(message_payloads)

BOOST_AUTO_TEST_CASE(agent_register_has_the_bytes_of_the_document) {
  const AgentRegisterPayload payload{counting_uuid(), "ab", {"x", "", "\xc3\xa9"}, {192, 0, 2, 1}, 9000};
  const auto bytes = hex(std::string(kAgent) + "0200 6162 0300 0100 78 0000 0200 c3a9 c0000201 2823");
  BOOST_TEST(encode_payload(payload) == bytes, boost::test_tools::per_element());
  const auto decoded = decode_agent_register(bytes);
  BOOST_REQUIRE(decoded.has_value());
  BOOST_TEST((decoded->agent == payload.agent && decoded->ipv4 == payload.ipv4));
  BOOST_TEST(decoded->name == "ab");
  BOOST_TEST(decoded->capabilities == payload.capabilities, boost::test_tools::per_element());
  BOOST_TEST(decoded->port == 9000);
}

BOOST_AUTO_TEST_CASE(agent_register_must_fill_its_payload_exactly) {
  const auto bytes = hex(std::string(kAgent) + "0200 6162 0100 0100 78 c0000201 2823");
  BOOST_REQUIRE(decode_agent_register(bytes).has_value());
  for (std::size_t size = 0; size < bytes.size(); ++size) refused(decode_agent_register(ByteView(bytes).first(size)));
  auto longer = bytes;
  longer.push_back(0);
  refused(decode_agent_register(longer));
}

BOOST_AUTO_TEST_CASE(agent_register_texts_are_utf8) {
  refused(decode_agent_register(hex(std::string(kAgent) + "0200 c328 0000 c0000201 2823")));
  refused(decode_agent_register(hex(std::string(kAgent) + "0000 0100 0100 ff c0000201 2823")));
  BOOST_TEST(encode_payload(AgentRegisterPayload{{}, "\xff", {}, {}, 0}).empty());
  BOOST_TEST(encode_payload(AgentRegisterPayload{{}, "", {"\xc0\xaf"}, {}, 0}).empty());
}

BOOST_AUTO_TEST_CASE(agent_register_that_cannot_be_encoded_is_empty) {
  BOOST_TEST(encode_payload(AgentRegisterPayload{{}, std::string(65536, 'a'), {}, {}, 0}).empty());
  BOOST_TEST(encode_payload(AgentRegisterPayload{{}, "", {std::string(65536, 'a')}, {}, 0}).empty());
  BOOST_TEST(encode_payload(AgentRegisterPayload{{}, "", std::vector<std::string>(65536), {}, 0}).empty());
  const AgentRegisterPayload most{{}, std::string(65535, 'a'), std::vector<std::string>(65535), {}, 0};
  const auto decoded = decode_agent_register(encode_payload(most));
  BOOST_REQUIRE(decoded.has_value());
  BOOST_TEST(decoded->name.size() == 65535u);
  BOOST_TEST(decoded->capabilities.size() == 65535u);
}

BOOST_AUTO_TEST_CASE(call_has_the_bytes_of_the_document) {
  const auto data = hex("aabb");
  const auto bytes = hex(std::string(kAgent) + "1e000000 aabb");
  BOOST_TEST(encode_payload(CallPayload{counting_uuid(), 30, data}) == bytes, boost::test_tools::per_element());
  const auto decoded = decode_call(bytes);
  BOOST_REQUIRE(decoded.has_value());
  BOOST_TEST((decoded->target == counting_uuid()));
  BOOST_TEST(decoded->timeout_seconds == 30u);
  BOOST_TEST((std::ranges::equal(decoded->data, data)));
  BOOST_TEST(decode_call(ByteView(bytes).first(20)).has_value());  // no data
  for (std::size_t size = 0; size < 20; ++size) refused(decode_call(ByteView(bytes).first(size)));
}

BOOST_AUTO_TEST_CASE(stream_open_has_the_bytes_of_the_document) {
  const std::string ids = std::string(kAgent) + "101112131415161718191a1b1c1d1e1f ";
  Uuid target;
  for (std::size_t i = 0; i < target.size(); ++i) target[i] = static_cast<std::uint8_t>(0x10 + i);
  BOOST_TEST(encode_payload(StreamOpenPayload{counting_uuid(), target, false}) == hex(ids + "01"),
             boost::test_tools::per_element());
  BOOST_TEST(encode_payload(StreamOpenPayload{counting_uuid(), target, true}) == hex(ids + "02"),
             boost::test_tools::per_element());
  const auto decoded = decode_stream_open(hex(ids + "02"));
  BOOST_REQUIRE(decoded.has_value());
  BOOST_TEST((decoded->stream == counting_uuid() && decoded->target == target && decoded->both_ways));
  BOOST_TEST(!decode_stream_open(hex(ids + "01")).value().both_ways);
}

BOOST_AUTO_TEST_CASE(stream_open_must_fill_its_payload_with_a_known_direction) {
  const std::string ids = std::string(kAgent) + "101112131415161718191a1b1c1d1e1f ";
  refused(decode_stream_open(hex(ids + "00")));
  refused(decode_stream_open(hex(ids + "03")));
  refused(decode_stream_open(hex(ids + "0100")));
  const auto bytes = hex(ids + "01");
  for (std::size_t size = 0; size < bytes.size(); ++size) refused(decode_stream_open(ByteView(bytes).first(size)));
}

BOOST_AUTO_TEST_SUITE_END()
