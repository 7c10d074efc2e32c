#include "mxp/keys.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <type_traits>

#include "unit/crypto/bytes_of.h"

namespace mxp::test {
BOOST_AUTO_TEST_SUITE(keys)

namespace {

// RFC 8410 §10.3 shows an Ed25519 key in this form; this is the X25519 key of RFC 7748 §6.1 (Bob's) as
// `openssl genpkey -algorithm X25519` would have written it.
constexpr std::string_view kBobPem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VuBCIEIF2rCH5iSopLeeF/i4OADuZvO7EpJhi2/Rwviyf/iODr\n"
    "-----END PRIVATE KEY-----\n";
constexpr std::string_view kBobScalar = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
constexpr std::string_view kBobPublic = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";

struct CountingRandom final : Random {
  void fill(MutableBytes out) override {
    for (auto& byte : out) byte = next++;
  }
  std::uint8_t next = 1;
};

KeyFileError error_of(std::string_view pem) {
  const auto key = PrivateKey::from_pem(pem);
  BOOST_REQUIRE(!key.has_value());
  return key.error();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_pem_file_gives_its_key) {
  const auto key = PrivateKey::from_pem(kBobPem);
  BOOST_REQUIRE(key.has_value());
  BOOST_TEST(to_hex(key->secret()) == kBobScalar);
  BOOST_TEST(to_hex(key->public_key().bytes()) == kBobPublic);
}

BOOST_AUTO_TEST_CASE(a_key_is_written_as_openssl_writes_it) { BOOST_TEST(private_key(kBobScalar).to_pem() == kBobPem); }

BOOST_AUTO_TEST_CASE(text_and_other_blocks_before_the_key_are_skipped) {
  const std::string pem =
      "a note\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + std::string(kBobPem);
  const auto key = PrivateKey::from_pem(pem);
  BOOST_REQUIRE(key.has_value());
  BOOST_TEST(to_hex(key->secret()) == kBobScalar);
}

BOOST_AUTO_TEST_CASE(what_is_not_pem_is_said_to_be_so) {
  BOOST_TEST((error_of("") == KeyFileError::not_pem));
  BOOST_TEST((error_of("hello\n") == KeyFileError::not_pem));
  BOOST_TEST(
      (error_of("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEA3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08=\n-----END "
                "PUBLIC KEY-----\n") == KeyFileError::not_pem));
}

BOOST_AUTO_TEST_CASE(a_damaged_block_is_malformed) {
  std::string not_base64(kBobPem);
  not_base64[40] = '!';
  BOOST_TEST((error_of(not_base64) == KeyFileError::malformed));
  std::string not_pkcs8(kBobPem);
  not_pkcs8[28] = 'A';  // the outer SEQUENCE becomes something else
  BOOST_TEST((error_of(not_pkcs8) == KeyFileError::malformed));
  BOOST_TEST((error_of(kBobPem.substr(0, 70)) == KeyFileError::malformed));  // ends in the middle
  // Two bytes behind the key.
  BOOST_TEST((
      error_of(
          "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIF2rCH5iSopLeeF/i4OADuZvO7EpJhi2/Rwviyf/iODrAAA=\n-----END "
          "PRIVATE KEY-----\n") == KeyFileError::malformed));
  // An X25519 key of 31 bytes.
  BOOST_TEST(
      (error_of(
           "-----BEGIN PRIVATE KEY-----\nMC0CAQAwBQYDK2VuBCEEH12rCH5iSopLeeF/i4OADuZvO7EpJhi2/Rwviyf/iOA=\n-----END "
           "PRIVATE KEY-----\n") == KeyFileError::malformed));
}

BOOST_AUTO_TEST_CASE(a_key_of_another_algorithm_is_of_the_wrong_type) {
  // RFC 8410 §10.3: Ed25519.
  BOOST_TEST(
      (error_of(
           "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END "
           "PRIVATE KEY-----\n") == KeyFileError::wrong_type));
}

BOOST_AUTO_TEST_CASE(generated_keys_use_the_given_randomness) {
  CountingRandom random;
  const PrivateKey first = PrivateKey::generate(random);
  const PrivateKey second = PrivateKey::generate(random);
  BOOST_TEST(to_hex(first.secret()) == to_hex(counting(1, 32)));
  BOOST_TEST(to_hex(second.secret()) == to_hex(counting(33, 32)));
  BOOST_TEST((first.public_key() != second.public_key()));
}

BOOST_AUTO_TEST_CASE(a_moved_from_private_key_is_wiped) {
  PrivateKey key = private_key(kBobScalar);
  const PrivateKey copy = key;
  PrivateKey moved = std::move(key);
  BOOST_TEST(to_hex(key.secret()) == std::string(64, '0'));  // NOLINT(bugprone-use-after-move): that is what is asked
  BOOST_TEST(to_hex(moved.secret()) == kBobScalar);
  BOOST_TEST(to_hex(copy.secret()) == kBobScalar);
  BOOST_TEST((moved.public_key() == copy.public_key()));
}

BOOST_AUTO_TEST_CASE(suites_have_the_names_of_the_command_line) {
  BOOST_TEST(to_string(Suite::chacha20_poly1305) == "chacha20");
  BOOST_TEST(to_string(Suite::aes_256_gcm) == "aes256");
}

BOOST_AUTO_TEST_CASE(key_file_errors_have_distinct_texts) {
  BOOST_TEST(to_string(KeyFileError::not_pem) != to_string(KeyFileError::malformed));
  BOOST_TEST(to_string(KeyFileError::malformed) != to_string(KeyFileError::wrong_type));
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace mxp::test
