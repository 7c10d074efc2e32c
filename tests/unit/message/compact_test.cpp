#include "message/compact.h"

#include <boost/test/unit_test.hpp>

#include "support/hex.h"

using namespace mxp;
using mxp::test::hex;

namespace compact_test {
namespace {

constexpr std::uint64_t kLargest = ~std::uint64_t{0};

bool same(const Message& a, const Message& b) {
  return a.type == b.type && a.flags == b.flags && a.id == b.id && a.trace_id == b.trace_id &&
         std::ranges::equal(a.payload, b.payload);
}

void decoding_fails(std::string_view bytes, MessageError error) {
  const auto result = decode_compact(hex(bytes));
  BOOST_REQUIRE(!result.has_value());
  BOOST_TEST(to_string(result.error()) == to_string(error));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(message_compact)

BOOST_AUTO_TEST_CASE(compacted_messages_have_the_bytes_of_the_document) {
  const auto hello = hex("68656c6c6f");
  const std::pair<Message, const char*> table[] = {
      {{MessageType::agent_heartbeat, 0, 0, 0, {}}, "03 00 00"},
      {{MessageType::call, 0x0f, 63, 0, hello}, "10 0f 3f 68656c6c6f"},
      {{MessageType::call, 4, 64, 5, hello}, "10 24 4040 05 68656c6c6f"},
      {{MessageType::response, 8, (1u << 30) - 1, 1u << 14, hello}, "11 28 bfffffff 80004000 68656c6c6f"},
      {{MessageType::event, 0, 1u << 30, 0, hello}, "12 10 0000004000000000 68656c6c6f"},
      {{static_cast<MessageType>(0xEF), 3, kLargest, kLargest, {}}, "ef 73 ffffffffffffffff ffffffffffffffff"},
      {{MessageType::error, 0, 1, 0x1122334455667788, {}}, "f1 60 01 8877665544332211"},
  };
  for (const auto& [message, text] : table) {
    const auto golden = hex(text);
    BOOST_TEST(compact_size(message) == golden.size());
    std::vector<std::uint8_t> out(golden.size());
    BOOST_TEST(encode_compact(message, out).value() == golden.size());
    BOOST_TEST(out == golden, boost::test_tools::per_element());
    const auto decoded = decode_compact(golden);
    BOOST_REQUIRE(decoded.has_value());
    BOOST_TEST(same(*decoded, message));
  }
}

BOOST_AUTO_TEST_CASE(the_bounds_of_the_overhead_are_reached) {
  BOOST_TEST(compact_size({MessageType::event, 0, 0, 0, {}}) == kMinCompactOverhead);
  BOOST_TEST(compact_size({MessageType::event, 0, kLargest, kLargest, {}}) == kMaxCompactOverhead);
}

BOOST_AUTO_TEST_CASE(payload_is_a_view_into_the_compacted_message) {
  const auto bytes = hex("12 00 01 abcd");
  BOOST_TEST(decode_compact(bytes).value().payload.data() == bytes.data() + 3);
  BOOST_TEST(decode_compact(bytes).value().payload.size() == 2u);
}

BOOST_AUTO_TEST_CASE(ids_longer_than_they_need_be_are_taken) {
  for (const char* text : {"12 20 01 02", "12 20 4001 4002", "12 20 80000001 c000000000000002",
                           "12 70 0100000000000000 0200000000000000"}) {
    const auto message = decode_compact(hex(text));
    BOOST_REQUIRE(message.has_value());
    BOOST_TEST((message->id == 1 && message->trace_id == 2));
  }
  BOOST_TEST(decode_compact(hex("12 20 01 00")).value().trace_id == 0u);  // there, and zero
}

BOOST_AUTO_TEST_CASE(every_malformed_compacted_message_has_its_error) {
  decoding_fails("00 00 01", MessageError::unknown_type);
  decoding_fails("04 00 01", MessageError::unknown_type);
  decoding_fails("f2 00 01", MessageError::unknown_type);
  decoding_fails("12 80 01", MessageError::reserved_not_zero);
  decoding_fails("12 40 01 0000000000000000", MessageError::reserved_not_zero);  // the form of no trace id
}

BOOST_AUTO_TEST_CASE(a_compacted_header_cut_off_anywhere_is_truncated) {
  for (const char* text : {"12 00 01", "12 30 0100000000000000 80000002", "12 60 4001 0200000000000000",
                           "12 70 0100000000000000 0200000000000000", "12 20 c000000000000001 4002"}) {
    const auto bytes = hex(text);
    BOOST_REQUIRE(decode_compact(bytes).has_value());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto cut = decode_compact(ByteView(bytes).first(size));
      BOOST_REQUIRE(!cut.has_value());
      BOOST_TEST((cut.error() == MessageError::truncated));
    }
  }
}

BOOST_AUTO_TEST_CASE(only_the_types_of_the_document_are_compacted) {
  for (int type = 0; type < 256; ++type) {
    const std::array<std::uint8_t, 3> bytes = {static_cast<std::uint8_t>(type), 0, 1};
    std::array<std::uint8_t, 3> out{};
    const bool valid = is_valid_message_type(bytes[0]);
    BOOST_TEST(decode_compact(bytes).has_value() == valid, type);
    BOOST_TEST(encode_compact({static_cast<MessageType>(type), 0, 1, 0, {}}, out).has_value() == valid, type);
  }
}

BOOST_AUTO_TEST_CASE(compacting_refuses_what_the_full_form_would) {
  std::vector<std::uint8_t> out(100, 0xee);
  const auto error = [&](const Message& message, MutableBytes space) { return encode_compact(message, space).error(); };
  BOOST_TEST((error({static_cast<MessageType>(0x04), 0, 0, 0, {}}, out) == MessageError::unknown_type));
  BOOST_TEST((error({MessageType::event, 0x10, 0, 0, {}}, out) == MessageError::unknown_flag));
  const auto payload = hex("abcd");
  const Message whole{MessageType::event, 0, 300, 9, payload};
  BOOST_TEST((error(whole, MutableBytes(out).first(6)) == MessageError::buffer_too_small));
  BOOST_TEST(std::ranges::count(out, 0xee) == 100);  // nothing is written
  BOOST_TEST(encode_compact(whole, MutableBytes(out).first(7)).value() == 7u);
}

BOOST_AUTO_TEST_CASE(compacted_payloads_are_as_long_as_full_ones_at_most) {
  std::vector<std::uint8_t> payload(kMaxMessagePayload, 0x5a), out(kMaxMessagePayload + 4);
  BOOST_TEST(encode_compact({MessageType::event, 0, 1, 0, payload}, out).value() == payload.size() + 3);
  BOOST_TEST(decode_compact(ByteView(out).first(payload.size() + 3)).value().payload.size() == kMaxMessagePayload);
  payload.push_back(0);
  BOOST_TEST((encode_compact({MessageType::event, 0, 1, 0, payload}, out).error() == MessageError::payload_too_large));
  BOOST_TEST((decode_compact(out).error() == MessageError::payload_too_large));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace compact_test
