// The published vectors of the Noise framework for both of our suites, byte for byte: handshake, hash and transport
// messages. They are not in this repository; the folder that holds noise.json is given to CMake as MXP_NOISE_VECTORS.
#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "crypto/noise_ik.h"
#include "unit/crypto/bytes_of.h"

namespace mxp::test {
BOOST_AUTO_TEST_SUITE(published_noise_vectors)

namespace {

const std::string kFolder = MXP_NOISE_VECTORS;

boost::test_tools::assertion_result vectors_are_given(boost::unit_test::test_unit_id) {
  if (!kFolder.empty()) return true;
  // Read by ctest (tests/CMakeLists.txt), which then reports the test as skipped.
  std::puts("SKIPPED: published Noise vectors: MXP_NOISE_VECTORS is not set");
  boost::test_tools::assertion_result absent(false);
  absent.message() << "MXP_NOISE_VECTORS is not set";
  return absent;
}

std::string field(const nlohmann::json& vector, const char* name) { return vector.at(name).get<std::string>(); }

void replay(const nlohmann::json& vector, Suite suite) {
  const auto& messages = vector.at("messages");
  const PrivateKey server = private_key(field(vector, "resp_static"));
  BOOST_TEST(to_hex(server.public_key().bytes()) == field(vector, "init_remote_static"));
  IkInitiator initiator(suite, private_key(field(vector, "init_static")), server.public_key(),
                        hex(field(vector, "init_prologue")), private_key(field(vector, "init_ephemeral")));
  IkResponder responder(suite, server, hex(field(vector, "resp_prologue")));

  const Bytes payload_1 = hex(field(messages[0], "payload"));
  Bytes message_1(payload_1.size() + kIkMessage1Overhead), read_1(payload_1.size());
  BOOST_REQUIRE(initiator.write_message_1(payload_1, message_1).has_value());
  BOOST_TEST(to_hex(message_1) == field(messages[0], "ciphertext"));
  BOOST_REQUIRE(responder.read_message_1(message_1, read_1).has_value());
  BOOST_TEST(read_1 == payload_1);

  const Bytes payload_2 = hex(field(messages[1], "payload"));
  Bytes message_2(payload_2.size() + kIkMessage2Overhead), read_2(payload_2.size());
  const auto written = responder.write_message_2(payload_2, private_key(field(vector, "resp_ephemeral")), message_2);
  BOOST_REQUIRE(written.has_value());
  BOOST_TEST(to_hex(message_2) == field(messages[1], "ciphertext"));
  const auto result = initiator.read_message_2(message_2, read_2);
  BOOST_REQUIRE(result.has_value());
  BOOST_TEST(read_2 == payload_2);
  BOOST_TEST(to_hex(result->handshake_hash) == field(vector, "handshake_hash"));
  BOOST_TEST(to_hex(written->result.handshake_hash) == field(vector, "handshake_hash"));

  // Transport messages, by turns: the client's key on one side's result, the server's on the other's.
  CipherState client_sends(suite, result->client_to_server), server_receives(suite, written->result.client_to_server);
  CipherState server_sends(suite, written->result.server_to_client), client_receives(suite, result->server_to_client);
  BOOST_TEST_REQUIRE(messages.size() > 2u);
  for (std::size_t i = 2; i < messages.size(); ++i) {
    const Bytes payload = hex(field(messages[i], "payload"));
    Bytes sealed(payload.size() + kAeadTagSize), opened(payload.size());
    BOOST_REQUIRE((i % 2 == 0 ? client_sends : server_sends).encrypt_with_ad({}, payload, sealed) == sealed.size());
    BOOST_TEST(to_hex(sealed) == field(messages[i], "ciphertext"));
    BOOST_REQUIRE((i % 2 == 0 ? server_receives : client_receives).decrypt_with_ad({}, sealed, opened).has_value());
    BOOST_TEST(opened == payload);
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(ik_of_both_suites_is_byte_for_byte, *boost::unit_test::precondition(vectors_are_given)) {
  std::ifstream file(kFolder + "/noise.json");
  BOOST_REQUIRE_MESSAGE(file.good(), kFolder << "/noise.json cannot be read");
  std::set<Suite> replayed;
  const auto document = nlohmann::json::parse(file);
  for (const auto& vector : document.at("vectors")) {
    const std::string name = field(vector, "protocol_name");
    const bool chacha = name == "Noise_IK_25519_ChaChaPoly_SHA256";
    if (!chacha && name != "Noise_IK_25519_AESGCM_SHA256") continue;
    const Suite suite = chacha ? Suite::chacha20_poly1305 : Suite::aes_256_gcm;
    BOOST_TEST_CONTEXT(name) { replay(vector, suite); }
    replayed.insert(suite);
  }
  BOOST_TEST(replayed.size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace mxp::test
