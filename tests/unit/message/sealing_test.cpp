#include <boost/test/unit_test.hpp>

#include "crypto/noise_x.h"
#include "message/header.h"
#include "mxp/message_compression.h"
#include "mxp/message_sealing.h"
#include "support/pattern.h"
#include "unit/crypto/bytes_of.h"
#include "unit/crypto/low_order_points.h"

using namespace mxp;
using namespace mxp::test;

namespace sealing_test {
namespace {

PrivateKey key_of(std::uint8_t byte) { return PrivateKey::from_bytes(hex_array<32>(to_hex(repeated(byte, 32)))); }

const PrivateKey& sender() {
  static const PrivateKey key = key_of(0x51);
  return key;
}
const PrivateKey& receiver() {
  static const PrivateKey key = key_of(0x72);
  return key;
}

const Bytes kPayload = text_bytes("only you can read this");
const Message kPlain{MessageType::call, static_cast<std::uint8_t>(MessageFlag::requires_ack), 7, 9, kPayload};

// A message and the memory that its payload is in.
struct Sealed {
  Bytes bytes;
  Message message;

  explicit Sealed(const Message& plain = kPlain, const PublicKey& to = receiver().public_key())
      : bytes(plain.payload.size() + kSealingOverhead) {
    SeededRandom random(1);
    const auto sealed = seal_payload(sender(), to, plain, random, bytes);
    BOOST_REQUIRE(sealed.has_value());
    message = *sealed;
  }
};

bool same(const Message& a, const Message& b) {
  return a.type == b.type && a.flags == b.flags && a.id == b.id && a.trace_id == b.trace_id &&
         std::ranges::equal(a.payload, b.payload);
}

void opens_not(const PrivateKey& identity, const Message& sealed, SealingError error) {
  Bytes out(sealed.payload.size());
  const auto opened = open_payload(identity, sealed, out);
  BOOST_REQUIRE(!opened.has_value());
  BOOST_TEST(to_string(opened.error()) == to_string(error));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(message_sealing)

BOOST_AUTO_TEST_CASE(sealed_payload_opens_to_the_message_and_its_sender) {
  const Sealed sealed;
  BOOST_TEST(sealed.message.payload.size() == kPayload.size() + 96);
  BOOST_TEST((sealed.message.flags == (kPlain.flags | static_cast<std::uint8_t>(MessageFlag::encrypted))));
  BOOST_TEST((sealed.message.type == kPlain.type && sealed.message.id == kPlain.id &&
              sealed.message.trace_id == kPlain.trace_id));
  Bytes out(kPayload.size());
  const auto opened = open_payload(receiver(), sealed.message, out);
  BOOST_REQUIRE(opened.has_value());
  BOOST_TEST((opened->sender == sender().public_key()));
  BOOST_TEST(same(opened->message, kPlain));
  BOOST_TEST(opened->message.payload.data() == out.data());
}

BOOST_AUTO_TEST_CASE(empty_and_largest_payloads_are_sealed) {
  for (const std::size_t size : {std::size_t{0}, static_cast<std::size_t>(kMaxMessagePayload) - kSealingOverhead}) {
    const Bytes payload(size, 0x5a);
    Message plain = kPlain;
    plain.payload = payload;
    const Sealed sealed(plain);
    Bytes out(size);
    const auto opened = open_payload(receiver(), sealed.message, out);
    BOOST_REQUIRE(opened.has_value());
    BOOST_TEST((out == payload));
  }
}

BOOST_AUTO_TEST_CASE(payloads_are_sealed_and_opened_where_they_are) {
  Bytes buffer(kPayload.size() + kSealingOverhead);
  std::copy(kPayload.begin(), kPayload.end(), buffer.begin() + kSealedPayloadOffset);
  Message plain = kPlain;
  plain.payload = ByteView(buffer).subspan(kSealedPayloadOffset, kPayload.size());
  SeededRandom random(1);
  const auto sealed = seal_payload(sender(), receiver().public_key(), plain, random, buffer);
  BOOST_REQUIRE(sealed.has_value());
  BOOST_TEST((buffer == Sealed().bytes));
  const auto opened = open_payload(receiver(), *sealed, MutableBytes(buffer).subspan(kSealedPayloadOffset));
  BOOST_REQUIRE(opened.has_value());
  BOOST_TEST(same(opened->message, kPlain));
}

// The only thing that must never come twice: with it, the same key would encrypt two payloads with the same nonce.
BOOST_AUTO_TEST_CASE(each_message_has_an_ephemeral_key_of_its_own) {
  SeededRandom random(1);
  Bytes first(kPayload.size() + kSealingOverhead), second(first.size());
  BOOST_REQUIRE(seal_payload(sender(), receiver().public_key(), kPlain, random, first).has_value());
  BOOST_REQUIRE(seal_payload(sender(), receiver().public_key(), kPlain, random, second).has_value());
  BOOST_TEST(!std::ranges::equal(ByteView(first).first(32), ByteView(second).first(32)));
  BOOST_TEST(!std::ranges::equal(ByteView(first).subspan(32, 48), ByteView(second).subspan(32, 48)));
}

BOOST_AUTO_TEST_CASE(header_that_was_changed_opens_nothing) {
  const Sealed sealed;
  const auto changed = [&](auto change) {
    Message message = sealed.message;
    change(message);
    opens_not(receiver(), message, SealingError::authentication_failed);
  };
  changed([](Message& m) { m.type = MessageType::response; });
  changed([](Message& m) { m.type = static_cast<MessageType>(0x80); });
  for (const MessageFlag flag : {MessageFlag::compressed, MessageFlag::requires_ack, MessageFlag::final})
    changed([&](Message& m) { m.flags ^= static_cast<std::uint8_t>(flag); });
  changed([](Message& m) { m.id ^= 1; });
  changed([](Message& m) { m.id ^= std::uint64_t{1} << 63; });
  changed([](Message& m) { m.trace_id ^= 1; });
  changed([](Message& m) { m.trace_id ^= std::uint64_t{1} << 63; });
  Bytes out(kPayload.size());
  BOOST_TEST(open_payload(receiver(), sealed.message, out).has_value());
}

BOOST_AUTO_TEST_CASE(sealed_payload_moved_to_another_message_opens_nothing) {
  const Sealed first;
  Message plain = kPlain;
  plain.id = 8;
  const Sealed second(plain);
  Message mixed = second.message;
  mixed.payload = first.message.payload;
  opens_not(receiver(), mixed, SealingError::authentication_failed);
}

BOOST_AUTO_TEST_CASE(payload_with_any_bit_changed_opens_nothing) {
  Sealed sealed;
  for (std::size_t i = 0; i < sealed.bytes.size(); ++i) {
    for (const std::uint8_t bit : {0x01, 0x80}) {
      sealed.bytes[i] ^= bit;
      opens_not(receiver(), sealed.message, SealingError::authentication_failed);
      sealed.bytes[i] ^= bit;
    }
  }
}

BOOST_AUTO_TEST_CASE(payload_cut_off_or_longer_opens_nothing) {
  const Sealed sealed;
  for (std::size_t size = 0; size < sealed.bytes.size(); ++size) {
    Message message = sealed.message;
    message.payload = message.payload.first(size);
    opens_not(receiver(), message,
              size < kSealingOverhead ? SealingError::truncated : SealingError::authentication_failed);
  }
  Bytes longer = sealed.bytes;
  longer.push_back(0);
  Message message = sealed.message;
  message.payload = longer;
  opens_not(receiver(), message, SealingError::authentication_failed);
}

BOOST_AUTO_TEST_CASE(payload_for_somebody_else_opens_nothing) {
  const Sealed sealed;
  opens_not(key_of(0x73), sealed.message, SealingError::authentication_failed);
  opens_not(sender(), sealed.message, SealingError::authentication_failed);  // not even who sealed it
}

BOOST_AUTO_TEST_CASE(keys_that_are_none_are_refused) {
  SeededRandom random(1);
  Bytes out(kPayload.size() + kSealingOverhead);
  for (const PublicKey& point : low_order_keys()) {
    const auto sealed = seal_payload(sender(), point, kPlain, random, out);
    BOOST_REQUIRE(!sealed.has_value());
    BOOST_TEST((sealed.error() == SealingError::low_order_key));
    Sealed genuine;
    std::copy(point.bytes().begin(), point.bytes().end(), genuine.bytes.begin());
    opens_not(receiver(), genuine.message, SealingError::low_order_key);
  }
}

// What somebody writes who does everything right but for the sender's key, whose DH everybody knows then.
BOOST_AUTO_TEST_CASE(sender_without_a_key_is_refused) {
  const PrivateKey ephemeral = key_of(0x11);
  for (const PublicKey& point : low_order_keys()) {
    Bytes bytes(kSealingOverhead);
    Message message = kPlain;
    message.flags |= static_cast<std::uint8_t>(MessageFlag::encrypted);
    message.payload = bytes;
    Bytes prologue = text_bytes("mxp1 message");
    prologue.resize(prologue.size() + kMessageHeaderSize);
    Writer header(MutableBytes(prologue).last(kMessageHeaderSize));
    write_message_header(header, message);

    SymmetricState state(Suite::chacha20_poly1305, NoisePattern::x);
    state.mix_hash(prologue);
    state.mix_hash(receiver().public_key().bytes());
    std::ranges::copy(ephemeral.public_key().bytes(), bytes.begin());
    state.mix_hash(ephemeral.public_key().bytes());
    BOOST_REQUIRE(mix_dh(state, ephemeral, receiver().public_key()));
    state.encrypt_and_hash(point.bytes(), MutableBytes(bytes).subspan(32, 48));
    state.mix_key(SharedSecret().view());
    state.encrypt_and_hash({}, MutableBytes(bytes).subspan(80));
    opens_not(receiver(), message, SealingError::low_order_key);
  }
}

// The same keys, suite and pattern for something else than a message of this protocol.
BOOST_AUTO_TEST_CASE(what_was_sealed_under_another_label_opens_nothing) {
  for (const bool right : {false, true}) {
    Bytes bytes(kPayload.size() + kSealingOverhead);
    Message message = kPlain;
    message.flags |= static_cast<std::uint8_t>(MessageFlag::encrypted);
    message.payload = bytes;
    Bytes prologue = text_bytes(right ? "mxp1 message" : "mxp2 message");
    prologue.resize(prologue.size() + kMessageHeaderSize);
    Writer header(MutableBytes(prologue).last(kMessageHeaderSize));
    write_message_header(header, message);
    BOOST_REQUIRE(write_x_message(Suite::chacha20_poly1305, sender(), receiver().public_key(), prologue, key_of(0x11),
                                  kPayload, bytes)
                      .has_value());
    Bytes out(kPayload.size());
    BOOST_TEST(open_payload(receiver(), message, out).has_value() == right);
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_sealed_or_opened_has_its_error) {
  SeededRandom random(1);
  Bytes out(kPayload.size() + kSealingOverhead);
  Sealed sealed;
  BOOST_TEST((seal_payload(sender(), receiver().public_key(), sealed.message, random, out).error() ==
              SealingError::already_sealed));
  opens_not(receiver(), kPlain, SealingError::not_sealed);
  BOOST_TEST((seal_payload(sender(), receiver().public_key(), kPlain, random, MutableBytes(out).first(out.size() - 1))
                  .error() == SealingError::buffer_too_small));
  BOOST_TEST((open_payload(receiver(), sealed.message, MutableBytes(out).first(kPayload.size() - 1)).error() ==
              SealingError::buffer_too_small));
  const Bytes large(kMaxMessagePayload - kSealingOverhead + 1);
  Message plain = kPlain;
  plain.payload = large;
  Bytes room(kMaxMessagePayload + 1);
  BOOST_TEST((seal_payload(sender(), receiver().public_key(), plain, random, room).error() ==
              SealingError::payload_too_large));
}

// First compressed, then sealed; first opened, then decompressed.
BOOST_AUTO_TEST_CASE(compressed_payload_is_sealed_as_it_is) {
  const Bytes payload(1000, 'a');
  Bytes packed(payload.size());
  const auto size = MessageCompressor().compress(payload, packed);
  BOOST_REQUIRE(size.has_value());
  Message plain = kPlain;
  plain.flags |= static_cast<std::uint8_t>(MessageFlag::compressed);
  plain.payload = ByteView(packed).first(*size);
  const Sealed sealed(plain);
  BOOST_TEST((sealed.message.flags & 3) == 3);
  Bytes opened_bytes(*size), content(payload.size());
  const auto opened = open_payload(receiver(), sealed.message, opened_bytes);
  BOOST_REQUIRE(opened.has_value());
  BOOST_TEST((opened->message.flags & 3) == 1);
  BOOST_REQUIRE(MessageDecompressor().decompress(opened->message.payload, 1000, content).has_value());
  BOOST_TEST((content == payload));
}

BOOST_AUTO_TEST_CASE(every_sealing_error_has_words_of_its_own) {
  std::set<std::string_view> words;
  for (int i = 0; i <= static_cast<int>(SealingError::authentication_failed); ++i)
    words.insert(to_string(static_cast<SealingError>(i)));
  BOOST_TEST(words.size() == static_cast<std::size_t>(SealingError::authentication_failed) + 1);
  BOOST_TEST(!words.contains("unknown error"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace sealing_test
