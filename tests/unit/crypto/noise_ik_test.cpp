#include "crypto/noise_ik.h"

#include <boost/test/unit_test.hpp>
#include <set>
#include <string>

#include "crypto/symmetric_state.h"
#include "unit/crypto/bytes_of.h"
#include "unit/crypto/low_order_points.h"

namespace mxp::test {
BOOST_AUTO_TEST_SUITE(noise_ik)

namespace {

const PrivateKey kClient = PrivateKey::from_bytes(hex_array<32>(to_hex(counting(0x10, 32))));
const PrivateKey kServer = PrivateKey::from_bytes(hex_array<32>(to_hex(counting(0x40, 32))));
const PrivateKey kClientEphemeral = PrivateKey::from_bytes(hex_array<32>(to_hex(counting(0x70, 32))));
const PrivateKey kServerEphemeral = PrivateKey::from_bytes(hex_array<32>(to_hex(counting(0xa0, 32))));
const Bytes kPrologue = text_bytes("prologue");
const Bytes kPayload1 = text_bytes("from the client"), kPayload2 = text_bytes("and the answer");

// A handshake up to message 1, and further on demand.
struct Handshake {
  explicit Handshake(Suite suite)
      : initiator(suite, kClient, kServer.public_key(), kPrologue, kClientEphemeral),
        responder(suite, kServer, kPrologue) {
    message_1.resize(kPayload1.size() + kIkMessage1Overhead);
    BOOST_REQUIRE(initiator.write_message_1(kPayload1, message_1) == message_1.size());
  }
  IkResult answer() {
    Bytes payload(kPayload1.size());
    BOOST_REQUIRE(responder.read_message_1(message_1, payload).has_value());
    message_2.resize(kPayload2.size() + kIkMessage2Overhead);
    auto written = responder.write_message_2(kPayload2, kServerEphemeral, message_2);
    BOOST_REQUIRE(written.has_value());
    BOOST_REQUIRE(written->size == message_2.size());
    return std::move(written->result);
  }

  IkInitiator initiator;
  IkResponder responder;
  Bytes message_1, message_2;
};

NoiseError error_of_message_1(IkResponder& responder, ByteView message) {
  Bytes payload(message.size() + 64);
  const auto read = responder.read_message_1(message, payload);
  BOOST_REQUIRE(!read.has_value());
  return read.error();
}

NoiseError error_of_message_2(const IkInitiator& initiator, ByteView message) {
  Bytes payload(message.size() + 64);
  const auto read = initiator.read_message_2(message, payload);
  BOOST_REQUIRE(!read.has_value());
  return read.error();
}

void accepts_message_1(IkResponder& responder, ByteView message) {
  Bytes payload(kPayload1.size());
  const auto read = responder.read_message_1(message, payload);
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST(payload == kPayload1);
}

void accepts_message_2(const IkInitiator& initiator, ByteView message) {
  Bytes payload(kPayload2.size());
  const auto read = initiator.read_message_2(message, payload);
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST(payload == kPayload2);
}

}  // namespace

BOOST_AUTO_TEST_CASE(both_sides_end_with_the_same_secrets) {
  for (const Suite suite : kSuites) {
    Handshake handshake(suite);
    const IkResult server = handshake.answer();
    Bytes payload(kPayload2.size());
    const auto client = handshake.initiator.read_message_2(handshake.message_2, payload);
    BOOST_REQUIRE(client.has_value());
    BOOST_TEST(payload == kPayload2);
    BOOST_TEST(client->payload_size == kPayload2.size());
    BOOST_TEST(server.payload_size == kPayload2.size());
    BOOST_TEST((client->client_to_server == server.client_to_server));
    BOOST_TEST((client->server_to_client == server.server_to_client));
    BOOST_TEST((client->handshake_hash == server.handshake_hash));
    BOOST_TEST((client->exporter_secret == server.exporter_secret));
    BOOST_TEST((client->resumption_secret == server.resumption_secret));
    const std::set<std::string> secrets = {
        to_hex(server.client_to_server.view()), to_hex(server.server_to_client.view()),
        to_hex(server.exporter_secret.view()), to_hex(server.resumption_secret.view()), to_hex(server.handshake_hash)};
    BOOST_TEST(secrets.size() == 5u);
  }
}

BOOST_AUTO_TEST_CASE(the_server_learns_the_clients_key) {
  Handshake handshake(Suite::chacha20_poly1305);
  Bytes payload(kPayload1.size());
  const auto read = handshake.responder.read_message_1(handshake.message_1, payload);
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST((read->rs == kClient.public_key()));
  BOOST_TEST(read->payload_size == kPayload1.size());
  BOOST_TEST(payload == kPayload1);
}

BOOST_AUTO_TEST_CASE(payloads_may_stand_at_their_place_in_the_message) {
  for (const Suite suite : kSuites) {
    Handshake handshake(suite);
    IkInitiator again(suite, kClient, kServer.public_key(), kPrologue, kClientEphemeral);
    Bytes message(handshake.message_1.size());
    const auto place = std::span(message).subspan(kIkMessage1PayloadOffset, kPayload1.size());
    std::copy(kPayload1.begin(), kPayload1.end(), place.begin());
    BOOST_REQUIRE(again.write_message_1(place, message).has_value());
    BOOST_TEST(message == handshake.message_1);
    BOOST_REQUIRE(handshake.responder.read_message_1(message, place).has_value());
    BOOST_TEST(to_hex(place) == to_hex(kPayload1));

    Bytes message_2(kPayload2.size() + kIkMessage2Overhead);
    const auto place_2 = std::span(message_2).subspan(kIkMessage2PayloadOffset, kPayload2.size());
    std::copy(kPayload2.begin(), kPayload2.end(), place_2.begin());
    BOOST_REQUIRE(handshake.responder.write_message_2(place_2, kServerEphemeral, message_2).has_value());
    BOOST_REQUIRE(again.read_message_2(message_2, place_2).has_value());
    BOOST_TEST(to_hex(place_2) == to_hex(kPayload2));
  }
}

BOOST_AUTO_TEST_CASE(empty_payloads_are_carried) {
  for (const Suite suite : kSuites) {
    IkInitiator initiator(suite, kClient, kServer.public_key(), {}, kClientEphemeral);
    IkResponder responder(suite, kServer, {});
    Bytes message_1(kIkMessage1Overhead), message_2(kIkMessage2Overhead);
    BOOST_REQUIRE(initiator.write_message_1({}, message_1) == kIkMessage1Overhead);
    BOOST_REQUIRE(responder.read_message_1(message_1, {}).has_value());
    BOOST_REQUIRE(responder.write_message_2({}, kServerEphemeral, message_2).has_value());
    BOOST_TEST(initiator.read_message_2(message_2, {}).has_value());
  }
}

BOOST_AUTO_TEST_CASE(a_change_of_any_byte_of_message_1_is_refused_and_changes_nothing) {
  for (const Suite suite : kSuites) {
    Handshake handshake(suite);
    for (std::size_t i = 0; i < handshake.message_1.size(); ++i) {
      Bytes changed = handshake.message_1;
      changed[i] ^= i % 2 == 0 ? 0x01 : 0x80;
      BOOST_TEST((error_of_message_1(handshake.responder, changed) == NoiseError::authentication_failed));
    }
    accepts_message_1(handshake.responder, handshake.message_1);
  }
}

BOOST_AUTO_TEST_CASE(a_change_of_any_byte_of_message_2_is_refused_and_changes_nothing) {
  for (const Suite suite : kSuites) {
    Handshake handshake(suite);
    (void)handshake.answer();
    for (std::size_t i = 0; i < handshake.message_2.size(); ++i) {
      Bytes changed = handshake.message_2;
      changed[i] ^= i % 2 == 0 ? 0x80 : 0x01;
      BOOST_TEST((error_of_message_2(handshake.initiator, changed) == NoiseError::authentication_failed));
    }
    accepts_message_2(handshake.initiator, handshake.message_2);
    accepts_message_2(handshake.initiator, handshake.message_2);  // a candidate is never consumed
  }
}

// RFC 7748 ignores the top bit of e: only the handshake hash tells such a message from the genuine one.
BOOST_AUTO_TEST_CASE(the_ignored_bit_of_an_ephemeral_key_is_authenticated) {
  Handshake handshake(Suite::aes_256_gcm);
  Bytes changed = handshake.message_1;
  changed[31] ^= 0x80;
  BOOST_TEST((error_of_message_1(handshake.responder, changed) == NoiseError::authentication_failed));
  (void)handshake.answer();
  changed = handshake.message_2;
  changed[31] ^= 0x80;
  BOOST_TEST((error_of_message_2(handshake.initiator, changed) == NoiseError::authentication_failed));
}

BOOST_AUTO_TEST_CASE(messages_cut_at_any_place_are_refused_and_change_nothing) {
  Handshake handshake(Suite::chacha20_poly1305);
  for (std::size_t size = 0; size < handshake.message_1.size(); ++size) {
    const auto expected = size < kIkMessage1Overhead ? NoiseError::truncated : NoiseError::authentication_failed;
    BOOST_TEST((error_of_message_1(handshake.responder, ByteView(handshake.message_1).first(size)) == expected));
  }
  (void)handshake.answer();
  for (std::size_t size = 0; size < handshake.message_2.size(); ++size) {
    const auto expected = size < kIkMessage2Overhead ? NoiseError::truncated : NoiseError::authentication_failed;
    BOOST_TEST((error_of_message_2(handshake.initiator, ByteView(handshake.message_2).first(size)) == expected));
  }
  accepts_message_2(handshake.initiator, handshake.message_2);
}

BOOST_AUTO_TEST_CASE(messages_with_a_byte_too_many_are_refused) {
  Handshake handshake(Suite::chacha20_poly1305);
  Bytes longer = handshake.message_1;
  longer.push_back(0);
  BOOST_TEST((error_of_message_1(handshake.responder, longer) == NoiseError::authentication_failed));
  (void)handshake.answer();
  longer = handshake.message_2;
  longer.push_back(0);
  BOOST_TEST((error_of_message_2(handshake.initiator, longer) == NoiseError::authentication_failed));
}

BOOST_AUTO_TEST_CASE(another_prologue_key_or_suite_is_refused) {
  for (const Suite suite : kSuites) {
    Handshake handshake(suite);
    Bytes prologue = kPrologue;
    prologue.back() ^= 1;
    IkResponder other_prologue(suite, kServer, prologue);
    BOOST_TEST((error_of_message_1(other_prologue, handshake.message_1) == NoiseError::authentication_failed));
    IkResponder other_key(suite, kServerEphemeral, kPrologue);
    BOOST_TEST((error_of_message_1(other_key, handshake.message_1) == NoiseError::authentication_failed));
    IkResponder other_suite(suite == Suite::aes_256_gcm ? Suite::chacha20_poly1305 : Suite::aes_256_gcm, kServer,
                            kPrologue);
    BOOST_TEST((error_of_message_1(other_suite, handshake.message_1) == NoiseError::authentication_failed));
  }
}

BOOST_AUTO_TEST_CASE(an_answer_to_another_attempt_is_refused) {
  Handshake handshake(Suite::aes_256_gcm);
  (void)handshake.answer();
  IkInitiator other(Suite::aes_256_gcm, kClient, kServer.public_key(), kPrologue,
                    PrivateKey::from_bytes(hex_array<32>("05")));
  Bytes message_1(kIkMessage1Overhead);
  BOOST_REQUIRE(other.write_message_1({}, message_1).has_value());
  BOOST_TEST((error_of_message_2(other, handshake.message_2) == NoiseError::authentication_failed));
}

BOOST_AUTO_TEST_CASE(a_low_order_server_key_never_gets_a_message) {
  for (const PublicKey& point : low_order_keys()) {
    IkInitiator initiator(Suite::chacha20_poly1305, kClient, point, kPrologue, kClientEphemeral);
    Bytes message(kIkMessage1Overhead);
    const auto written = initiator.write_message_1({}, message);
    BOOST_REQUIRE(!written.has_value());
    BOOST_TEST((written.error() == NoiseError::low_order_key));
  }
}

BOOST_AUTO_TEST_CASE(a_low_order_ephemeral_is_refused_by_both_roles) {
  for (const Suite suite : kSuites) {
    Handshake handshake(suite);
    for (const PublicKey& point : low_order_keys()) {
      Bytes changed = handshake.message_1;
      std::copy(point.bytes().begin(), point.bytes().end(), changed.begin());
      BOOST_TEST((error_of_message_1(handshake.responder, changed) == NoiseError::low_order_key));
    }
    (void)handshake.answer();
    for (const PublicKey& point : low_order_keys()) {
      Bytes changed = handshake.message_2;
      std::copy(point.bytes().begin(), point.bytes().end(), changed.begin());
      BOOST_TEST((error_of_message_2(handshake.initiator, changed) == NoiseError::low_order_key));
    }
    accepts_message_2(handshake.initiator, handshake.message_2);
  }
}

// A client that lies about its static key: e and es are genuine, so that s verifies, and ss would be known to
// everybody.
BOOST_AUTO_TEST_CASE(a_low_order_client_key_is_refused) {
  for (const Suite suite : kSuites) {
    IkResponder responder(suite, kServer, kPrologue);
    for (const PublicKey& point : low_order_keys()) {
      SymmetricState symmetric(suite);
      symmetric.mix_hash(kPrologue);
      symmetric.mix_hash(kServer.public_key().bytes());
      const auto& e = kClientEphemeral.public_key().bytes();
      symmetric.mix_hash(e);
      symmetric.mix_key(x25519(kClientEphemeral, kServer.public_key())->view());
      Bytes message(e.begin(), e.end());
      message.resize(kIkMessage1Overhead);
      const std::size_t s_size = symmetric.encrypt_and_hash(point.bytes(), std::span(message).subspan(32, 48));
      symmetric.mix_key(SharedSecret().view());  // what the DH would give
      BOOST_REQUIRE(symmetric.encrypt_and_hash({}, std::span(message).subspan(32 + s_size)) == 16u);
      BOOST_TEST((error_of_message_1(responder, message) == NoiseError::low_order_key));
    }
    Handshake handshake(suite);
    accepts_message_1(responder, handshake.message_1);
  }
}

BOOST_AUTO_TEST_CASE(small_buffers_are_refused_before_anything_happens) {
  Handshake handshake(Suite::aes_256_gcm);
  IkInitiator initiator(Suite::aes_256_gcm, kClient, kServer.public_key(), kPrologue, kClientEphemeral);
  Bytes message(handshake.message_1.size());
  BOOST_TEST((initiator.write_message_1(kPayload1, std::span(message).first(message.size() - 1)).error() ==
              NoiseError::buffer_too_small));
  BOOST_REQUIRE(initiator.write_message_1(kPayload1, message).has_value());
  BOOST_TEST(message == handshake.message_1);

  Bytes payload(kPayload1.size() - 1);
  BOOST_TEST((handshake.responder.read_message_1(message, payload).error() == NoiseError::buffer_too_small));
  payload.resize(kPayload1.size());
  BOOST_REQUIRE(handshake.responder.read_message_1(message, payload).has_value());
  Bytes message_2(kPayload2.size() + kIkMessage2Overhead);
  BOOST_TEST((
      handshake.responder.write_message_2(kPayload2, kServerEphemeral, std::span(message_2).first(message_2.size() - 1))
          .error() == NoiseError::buffer_too_small));
  BOOST_REQUIRE(handshake.responder.write_message_2(kPayload2, kServerEphemeral, message_2).has_value());
  payload.resize(kPayload2.size() - 1);
  BOOST_TEST((initiator.read_message_2(message_2, payload).error() == NoiseError::buffer_too_small));
}

BOOST_AUTO_TEST_CASE(messages_out_of_order_are_refused) {
  Handshake handshake(Suite::chacha20_poly1305);
  Bytes buffer(512);
  BOOST_TEST((handshake.initiator.write_message_1({}, buffer).error() == NoiseError::out_of_order));
  BOOST_TEST((handshake.responder.write_message_2({}, kServerEphemeral, buffer).error() == NoiseError::out_of_order));
  (void)handshake.answer();
  BOOST_TEST((handshake.responder.read_message_1(handshake.message_1, buffer).error() == NoiseError::out_of_order));
  // A second answer under the same keys would use a nonce twice.
  BOOST_TEST((handshake.responder.write_message_2({}, kServerEphemeral, buffer).error() == NoiseError::out_of_order));
  IkInitiator silent(Suite::chacha20_poly1305, kClient, kServer.public_key(), kPrologue, kClientEphemeral);
  BOOST_TEST((silent.read_message_2(handshake.message_2, buffer).error() == NoiseError::out_of_order));
}

// §12.3 and §12.4 of the Noise specification.
BOOST_AUTO_TEST_CASE(nonces_are_little_endian_for_chachapoly_and_big_endian_for_aesgcm) {
  BOOST_TEST(to_hex(noise_nonce(Suite::chacha20_poly1305, 0x0102030405060708)) == "000000000807060504030201");
  BOOST_TEST(to_hex(noise_nonce(Suite::aes_256_gcm, 0x0102030405060708)) == "000000000102030405060708");
}

BOOST_AUTO_TEST_CASE(a_forged_transport_message_does_not_move_the_counter) {
  for (const Suite suite : kSuites) {
    const AeadKey key = hex_secret(to_hex(counting(1, 32)));
    CipherState sender(suite, key), receiver(suite, key);
    for (int i = 0; i < 3; ++i) {
      Bytes message(kPayload1.size() + kAeadTagSize), payload(kPayload1.size());
      BOOST_REQUIRE(sender.encrypt_with_ad({}, kPayload1, message) == message.size());
      Bytes forged = message;
      forged[0] ^= 1;
      BOOST_TEST(!receiver.decrypt_with_ad({}, forged, payload).has_value());
      BOOST_TEST(!receiver.decrypt_with_ad({}, ByteView(forged).first(15), payload).has_value());
      BOOST_REQUIRE(receiver.decrypt_with_ad({}, message, payload).has_value());
      BOOST_TEST(payload == kPayload1);
    }
  }
}

BOOST_AUTO_TEST_CASE(noise_errors_have_texts) {
  std::set<std::string_view> texts;
  for (const auto error : {NoiseError::truncated, NoiseError::buffer_too_small, NoiseError::low_order_key,
                           NoiseError::authentication_failed, NoiseError::out_of_order})
    texts.insert(to_string(error));
  BOOST_TEST(texts.size() == 5u);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace mxp::test
