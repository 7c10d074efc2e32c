#include "core/base64url.h"

#include <boost/test/unit_test.hpp>

#include "mxp/keys.h"

using namespace mxp;

namespace {

ByteView view(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(base64url)

// RFC 4648 §10, without the padding.
BOOST_AUTO_TEST_CASE(published_vectors) {
  const std::pair<std::string_view, std::string_view> table[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : table) {
    BOOST_TEST(base64url_encode(view(plain)) == encoded);
    std::vector<std::uint8_t> decoded(plain.size());
    BOOST_TEST(base64url_decode(encoded, decoded));
    BOOST_TEST(std::equal(decoded.begin(), decoded.end(), view(plain).begin()));
  }
}

BOOST_AUTO_TEST_CASE(url_alphabet_is_used) {
  const std::array<std::uint8_t, 3> bytes{0xfb, 0xff, 0xbf};
  BOOST_TEST(base64url_encode(bytes) == "-_-_");
}

BOOST_AUTO_TEST_CASE(what_is_not_canonical_is_refused) {
  std::array<std::uint8_t, 1> one;
  std::array<std::uint8_t, 3> three;
  BOOST_TEST(!base64url_decode("Zh", one));    // left-over bits are not 0
  BOOST_TEST(!base64url_decode("Zg==", one));  // padding
  BOOST_TEST(!base64url_decode("Z", one));
  BOOST_TEST(!base64url_decode("Zm9v", one));  // too long for the buffer
  BOOST_TEST(!base64url_decode("+/+/", three));
  BOOST_TEST(!base64url_decode("Zm v", three));
}

BOOST_AUTO_TEST_CASE(public_key_is_43_characters) {
  PublicKey::Bytes bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
  const PublicKey key(bytes);
  const std::string text = key.to_string();
  BOOST_TEST(text.size() == 43u);
  BOOST_TEST((PublicKey::parse(text) == key));
  BOOST_TEST(!PublicKey::parse(text + "A"));
  BOOST_TEST(!PublicKey::parse(text.substr(1)));
  BOOST_TEST(!PublicKey::parse(text + "="));
  std::string changed = text;
  changed.back() = 'B';  // two bits beyond the key are set
  BOOST_TEST(!PublicKey::parse(changed));
}

BOOST_AUTO_TEST_SUITE_END()
