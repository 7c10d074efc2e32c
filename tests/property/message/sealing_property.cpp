// What a sender does to a message and what its receiver undoes: compressed, sealed, compacted, and back.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>

#include "message/compact.h"
#include "mxp/message_compression.h"
#include "mxp/message_sealing.h"
#include "support/pattern.h"

using namespace mxp;
using mxp::test::SeededRandom;

namespace sealing_property {
namespace {

using Bytes = std::vector<std::uint8_t>;
constexpr auto kCompressed = static_cast<std::uint8_t>(MessageFlag::compressed);

constexpr std::size_t kRoom = 4096;  // more than any payload here, sealed

struct Keys {
  SeededRandom random{7};
  PrivateKey sender = PrivateKey::generate(random), receiver = PrivateKey::generate(random);
};

// Without the flags that say how the payload is packed.
Message some_message(const Bytes& payload) {
  Message message;
  message.type =
      static_cast<MessageType>(*rc::gen::suchThat(rc::gen::arbitrary<std::uint8_t>(), is_valid_message_type));
  message.flags = static_cast<std::uint8_t>(*rc::gen::inRange(0, 4) << 2);
  message.id = *rc::gen::arbitrary<std::uint64_t>();
  message.trace_id = *rc::gen::arbitrary<std::uint64_t>();
  message.payload = payload;
  return message;
}

Bytes some_payload() {
  Bytes payload = *rc::gen::container<Bytes>(rc::gen::arbitrary<std::uint8_t>());
  payload.resize(payload.size() + *rc::gen::inRange<std::size_t>(0, 500));
  return payload;
}

bool same(const Message& a, const Message& b) {
  return a.type == b.type && a.flags == b.flags && a.id == b.id && a.trace_id == b.trace_id &&
         std::ranges::equal(a.payload, b.payload);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sealing_properties)

BOOST_AUTO_TEST_CASE(message_that_was_compressed_sealed_and_compacted_comes_back) {
  Keys keys;
  MessageCompressor compressor;
  MessageDecompressor decompressor;
  BOOST_TEST(rc::check([&] {
    const Bytes payload = some_payload();
    const Message message = some_message(payload);
    Message sent = message;
    Bytes packed(payload.size());
    if (const auto size = compressor.compress(payload, packed)) {
      sent.flags |= kCompressed;
      sent.payload = ByteView(packed).first(*size);
    }
    RC_CLASSIFY((sent.flags & kCompressed) != 0, "compressed");
    Bytes sealed_bytes(sent.payload.size() + kSealingOverhead);
    const auto sealed = seal_payload(keys.sender, keys.receiver.public_key(), sent, keys.random, sealed_bytes);
    RC_ASSERT(sealed.has_value());
    Bytes wire(compact_size(*sealed));
    RC_ASSERT(encode_compact(*sealed, wire).has_value());

    const auto received = decode_compact(wire);
    RC_ASSERT(received.has_value());
    Bytes opened_bytes(received->payload.size()), content(payload.size());
    const auto opened = open_payload(keys.receiver, *received, opened_bytes);
    RC_ASSERT(opened.has_value());
    RC_ASSERT(opened->sender == keys.sender.public_key());
    Message got = opened->message;
    RC_ASSERT(got.flags == sent.flags);
    if ((got.flags & kCompressed) != 0) {
      RC_ASSERT(decompressor.decompress(got.payload, payload.size(), content).value() == payload.size());
      got.flags = static_cast<std::uint8_t>(got.flags & ~kCompressed);
      got.payload = content;
    }
    RC_ASSERT(same(got, message));
  }));
}

// One bit of anything: the payload, the type, the other flags, either id.
BOOST_AUTO_TEST_CASE(sealed_message_with_one_bit_changed_opens_nothing) {
  Keys keys;
  BOOST_TEST(rc::check([&] {
    const Bytes payload = some_payload();
    Bytes sealed_bytes(kRoom), out(kRoom);
    auto sealed =
        seal_payload(keys.sender, keys.receiver.public_key(), some_message(payload), keys.random, sealed_bytes);
    RC_ASSERT(sealed.has_value());
    const int bit = *rc::gen::inRange(0, 64);
    switch (*rc::gen::inRange(0, 5)) {
      case 0:
        sealed_bytes[*rc::gen::inRange<std::size_t>(0, sealed->payload.size())] ^=
            static_cast<std::uint8_t>(1 << bit % 8);
        break;
      case 1: sealed->type = static_cast<MessageType>(static_cast<int>(sealed->type) ^ 1 << bit % 8); break;
      case 2: sealed->flags ^= static_cast<std::uint8_t>(bit % 2 == 0 ? 1 : 1 << (2 + bit / 2 % 2)); break;
      case 3: sealed->id ^= std::uint64_t{1} << bit; break;
      default: sealed->trace_id ^= std::uint64_t{1} << bit; break;
    }
    const auto opened = open_payload(keys.receiver, *sealed, out);
    RC_ASSERT(!opened.has_value());
    RC_ASSERT(opened.error() == SealingError::authentication_failed);
  }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sealing_property
