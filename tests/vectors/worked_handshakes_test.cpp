// handshake.json, computed by make_vectors.py without this library, replayed through the library: handshake messages,
// every secret of docs/protocol.md §2.4, mac1 and protected packets.
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "crypto/key_schedule.h"
#include "crypto/mac1.h"
#include "crypto/noise_ik.h"
#include "crypto/packet_protection.h"
#include "unit/crypto/bytes_of.h"

namespace mxp::test {
BOOST_AUTO_TEST_SUITE(worked_examples)

namespace {

nlohmann::json worked_handshakes() {
  std::ifstream file(MXP_SOURCE_DIR "/tests/vectors/handshake.json");
  BOOST_REQUIRE(file.good());
  return nlohmann::json::parse(file).at("handshakes");
}

std::string field(const nlohmann::json& object, const char* name) { return object.at(name).get<std::string>(); }
Suite suite_of(const nlohmann::json& example) { return static_cast<Suite>(example.at("suite").get<int>()); }

void has_the_secrets_of(const IkResult& result, const nlohmann::json& example) {
  BOOST_TEST(to_hex(result.handshake_hash) == field(example, "handshake_hash"));
  BOOST_TEST(to_hex(result.client_to_server.view()) == field(example, "client_to_server"));
  BOOST_TEST(to_hex(result.server_to_client.view()) == field(example, "server_to_client"));
  BOOST_TEST(to_hex(result.exporter_secret.view()) == field(example, "exporter_secret"));
  BOOST_TEST(to_hex(result.resumption_secret.view()) == field(example, "resumption_secret"));
}

}  // namespace

BOOST_AUTO_TEST_CASE(both_suites_are_there) {
  const auto examples = worked_handshakes();
  BOOST_REQUIRE(examples.size() == 2u);
  BOOST_TEST((suite_of(examples[0]) == Suite::chacha20_poly1305));
  BOOST_TEST((suite_of(examples[1]) == Suite::aes_256_gcm));
}

BOOST_AUTO_TEST_CASE(handshakes_give_the_same_bytes_and_secrets) {
  for (const auto& example : worked_handshakes()) {
    const PrivateKey client = private_key(field(example, "client_static")),
                     server = private_key(field(example, "server_static"));
    BOOST_TEST(to_hex(client.public_key().bytes()) == field(example, "client_public"));
    BOOST_TEST(to_hex(server.public_key().bytes()) == field(example, "server_public"));
    const Bytes prologue = hex(field(example, "prologue"));
    IkInitiator initiator(suite_of(example), client, server.public_key(), prologue,
                          private_key(field(example, "client_ephemeral")));
    IkResponder responder(suite_of(example), server, prologue);

    const Bytes payload_1 = hex(field(example, "payload_1")), payload_2 = hex(field(example, "payload_2"));
    Bytes message_1(payload_1.size() + kIkMessage1Overhead), read_1(payload_1.size());
    BOOST_REQUIRE(initiator.write_message_1(payload_1, message_1).has_value());
    BOOST_TEST(to_hex(message_1) == field(example, "message_1"));
    const auto opened = responder.read_message_1(message_1, read_1);
    BOOST_REQUIRE(opened.has_value());
    BOOST_TEST((opened->rs == client.public_key()));
    BOOST_TEST(read_1 == payload_1);

    Bytes message_2(payload_2.size() + kIkMessage2Overhead), read_2(payload_2.size());
    const auto written =
        responder.write_message_2(payload_2, private_key(field(example, "server_ephemeral")), message_2);
    BOOST_REQUIRE(written.has_value());
    BOOST_TEST(to_hex(message_2) == field(example, "message_2"));
    const auto result = initiator.read_message_2(message_2, read_2);
    BOOST_REQUIRE(result.has_value());
    BOOST_TEST(read_2 == payload_2);
    has_the_secrets_of(*result, example);
    has_the_secrets_of(written->result, example);
  }
}

BOOST_AUTO_TEST_CASE(mac1_is_the_same) {
  for (const auto& example : worked_handshakes()) {
    Bytes datagram = hex(field(example, "prologue") + field(example, "message_1"));
    const Mac1Key key(public_key(field(example, "server_public")));
    BOOST_TEST(to_hex(key.compute(datagram)) == field(example, "mac1"));
    const Bytes mac1 = hex(field(example, "mac1"));
    datagram.insert(datagram.end(), mac1.begin(), mac1.end());
    BOOST_TEST(key.verify(datagram));
  }
}

BOOST_AUTO_TEST_CASE(packet_keys_and_next_secrets_are_the_same) {
  for (const auto& example : worked_handshakes()) {
    for (const auto& packet : example.at("packets")) {
      const TrafficSecret secret = hex_secret(field(packet, "secret"));
      BOOST_TEST(field(packet, "secret") == field(example, field(packet, "flow").c_str()));
      const PacketKeys keys = derive_packet_keys(secret);
      BOOST_TEST(to_hex(keys.key.view()) == field(packet, "key"));
      BOOST_TEST(to_hex(keys.iv.view()) == field(packet, "iv"));
      BOOST_TEST(to_hex(keys.hp.view()) == field(packet, "hp"));
      BOOST_TEST(to_hex(derive_next_secret(secret).view()) == field(packet, "next_secret"));
    }
  }
}

BOOST_AUTO_TEST_CASE(packets_are_sealed_and_opened_to_the_same_bytes) {
  for (const auto& example : worked_handshakes()) {
    for (const auto& packet : example.at("packets")) {
      const TrafficSecret secret = hex_secret(field(packet, "secret"));
      const PacketNumber number(packet.at("number").get<std::uint64_t>());
      const Bytes header = hex(field(packet, "header")), plaintext = hex(field(packet, "plaintext"));
      Bytes bytes = header;
      bytes.insert(bytes.end(), plaintext.begin(), plaintext.end());
      bytes.resize(bytes.size() + kAeadTagSize);
      PacketSealer(suite_of(example), secret).seal(bytes, header.size(), number);
      BOOST_TEST(to_hex(bytes) == field(packet, "protected"));

      ReplayWindow window;
      const auto opened = PacketOpener(suite_of(example), secret).open(bytes, window);
      BOOST_REQUIRE(opened.has_value());
      BOOST_TEST((opened->number == number));
      BOOST_TEST(opened->first_byte == header[0]);
      BOOST_TEST(to_hex(opened->payload) == field(packet, "plaintext"));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace mxp::test
