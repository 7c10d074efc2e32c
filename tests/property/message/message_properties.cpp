// Messages and payloads: encoded and decoded again they are the same, and no changed byte goes unnoticed.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>

#include "core/utf8.h"
#include "message/compact.h"
#include "mxp/message.h"

using namespace mxp;

namespace {

std::vector<std::uint8_t> some_bytes(std::size_t most) {
  return *rc::gen::container<std::vector<std::uint8_t>>(*rc::gen::inRange<std::size_t>(0, most + 1),
                                                        rc::gen::arbitrary<std::uint8_t>());
}

template <std::size_t N>
std::array<std::uint8_t, N> some_array() {
  std::array<std::uint8_t, N> bytes;
  for (std::uint8_t& byte : bytes) byte = *rc::gen::arbitrary<std::uint8_t>();
  return bytes;
}

// UTF-8 from code points, written out the long way.
std::string some_text() {
  std::string text;
  const int count = *rc::gen::inRange(0, 20);
  for (int i = 0; i < count; ++i) {
    std::uint32_t point = *rc::gen::oneOf(
        rc::gen::inRange<std::uint32_t>(0, 0x80), rc::gen::inRange<std::uint32_t>(0x80, 0x800),
        rc::gen::inRange<std::uint32_t>(0x800, 0xd800), rc::gen::inRange<std::uint32_t>(0xe000, 0x10000),
        rc::gen::inRange<std::uint32_t>(0x10000, 0x110000));
    const int following = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    const unsigned lead = following == 0 ? 0x00 : following == 1 ? 0xc0 : following == 2 ? 0xe0 : 0xf0;
    text += static_cast<char>(lead | point >> (6 * following));
    for (int k = following; k-- > 0;) text += static_cast<char>(0x80 | (point >> (6 * k) & 0x3f));
  }
  return text;
}

Message some_message(const std::vector<std::uint8_t>& payload) {
  Message message;
  message.type =
      static_cast<MessageType>(*rc::gen::suchThat(rc::gen::arbitrary<std::uint8_t>(), is_valid_message_type));
  message.flags = *rc::gen::inRange<std::uint8_t>(0, 16);
  message.id = *rc::gen::arbitrary<std::uint64_t>();
  message.trace_id = *rc::gen::arbitrary<std::uint64_t>();
  message.payload = payload;
  return message;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(message_properties)

BOOST_AUTO_TEST_CASE(message_round_trips) {
  BOOST_TEST(rc::check([] {
    const auto payload = some_bytes(600);
    const Message message = some_message(payload);
    std::vector<std::uint8_t> bytes(encoded_size(message));
    RC_ASSERT(encode_message(message, bytes).value() == bytes.size());
    RC_ASSERT(message_size(bytes).value().value() == bytes.size());
    const auto again = decode_message(bytes);
    RC_ASSERT(again.has_value());
    RC_ASSERT(again->type == message.type && again->flags == message.flags && again->id == message.id &&
              again->trace_id == message.trace_id);
    RC_ASSERT(std::ranges::equal(again->payload, payload));
  }));
}

BOOST_AUTO_TEST_CASE(no_changed_bit_goes_unnoticed) {
  BOOST_TEST(rc::check([] {
    const auto payload = some_bytes(300);
    const Message message = some_message(payload);
    std::vector<std::uint8_t> bytes(encoded_size(message));
    RC_ASSERT(encode_message(message, bytes).has_value());
    bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] ^= static_cast<std::uint8_t>(1 << *rc::gen::inRange(0, 8));
    RC_ASSERT(!decode_message(bytes).has_value());
  }));
}

BOOST_AUTO_TEST_CASE(message_cut_off_anywhere_is_truncated) {
  BOOST_TEST(rc::check([] {
    const auto payload = some_bytes(60);
    const Message message = some_message(payload);
    std::vector<std::uint8_t> bytes(encoded_size(message));
    RC_ASSERT(encode_message(message, bytes).has_value());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto cut = decode_message(ByteView(bytes).first(size));
      RC_ASSERT(!cut.has_value());
      RC_ASSERT(cut.error() == MessageError::truncated);
    }
  }));
}

// Every type with every combination of flags, and ids of every size.
BOOST_AUTO_TEST_CASE(compacted_message_gives_back_the_exact_message) {
  const auto some_id = [] {
    return *rc::gen::oneOf(rc::gen::just<std::uint64_t>(0), rc::gen::inRange<std::uint64_t>(0, 1u << 15),
                           rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 31),
                           rc::gen::arbitrary<std::uint64_t>());
  };
  BOOST_TEST(rc::check([&] {
    const auto payload = some_bytes(300);
    Message message = some_message(payload);
    message.id = some_id();
    message.trace_id = some_id();
    for (int type = 0; type < 256; ++type) {
      if (!is_valid_message_type(static_cast<std::uint8_t>(type))) continue;
      message.type = static_cast<MessageType>(type);
      std::vector<std::uint8_t> full(encoded_size(message)), compact(compact_size(message)), again(full.size());
      RC_ASSERT(encode_message(message, full).value() == full.size());
      RC_ASSERT(encode_compact(message, compact).value() == compact.size());
      RC_ASSERT(compact.size() >= payload.size() + kMinCompactOverhead);
      RC_ASSERT(compact.size() <= payload.size() + kMaxCompactOverhead);
      const auto decoded = decode_compact(compact);
      RC_ASSERT(decoded.has_value());
      RC_ASSERT(message_class(decoded->type) == message_class(message.type));
      RC_ASSERT(encode_message(*decoded, again).value() == again.size());
      RC_ASSERT(again == full);
    }
  }));
}

BOOST_AUTO_TEST_CASE(agent_register_round_trips) {
  BOOST_TEST(rc::check([](std::uint16_t port) {
    AgentRegisterPayload payload{some_array<16>(), some_text(), {}, some_array<4>(), port};
    payload.capabilities.resize(*rc::gen::inRange<std::size_t>(0, 6));
    for (std::string& capability : payload.capabilities) capability = some_text();
    const auto bytes = encode_payload(payload);
    RC_ASSERT(!bytes.empty());
    const auto again = decode_agent_register(bytes);
    RC_ASSERT(again.has_value());
    RC_ASSERT(again->agent == payload.agent && again->name == payload.name &&
              again->capabilities == payload.capabilities);
    RC_ASSERT(again->ipv4 == payload.ipv4 && again->port == payload.port);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      RC_ASSERT(!decode_agent_register(ByteView(bytes).first(size)).has_value());
  }));
}

BOOST_AUTO_TEST_CASE(call_and_stream_open_round_trip) {
  BOOST_TEST(rc::check([](std::uint32_t timeout, bool both_ways) {
    const auto data = some_bytes(100);
    const CallPayload call{some_array<16>(), timeout, data};
    const auto call_bytes = encode_payload(call);
    const auto call_again = decode_call(call_bytes);
    RC_ASSERT(call_again.has_value());
    RC_ASSERT(call_again->target == call.target && call_again->timeout_seconds == timeout &&
              std::ranges::equal(call_again->data, data));
    const StreamOpenPayload open{some_array<16>(), some_array<16>(), both_ways};
    const auto open_again = decode_stream_open(encode_payload(open));
    RC_ASSERT(open_again.has_value());
    RC_ASSERT(open_again->stream == open.stream && open_again->target == open.target &&
              open_again->both_ways == both_ways);
  }));
}

BOOST_AUTO_TEST_CASE(text_of_code_points_is_valid_utf8) {
  BOOST_TEST(rc::check([] {
    const std::string text = some_text();
    RC_ASSERT(is_valid_utf8({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
  }));
}

BOOST_AUTO_TEST_SUITE_END()
