#include "crypto/mac1.h"

#include <boost/test/unit_test.hpp>

#include "crypto/primitives.h"
#include "unit/crypto/bytes_of.h"

namespace mxp::test {
namespace {

const PublicKey kServer = public_key("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");

Bytes datagram_with_mac1(const Mac1Key& key, Bytes bytes) {
  const auto mac = key.compute(bytes);
  bytes.insert(bytes.end(), mac.begin(), mac.end());
  return bytes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mac1)

BOOST_AUTO_TEST_CASE(mac1_is_the_formula_of_the_specification) {
  const Bytes bytes = counting(0, 100);
  const auto key = hmac_sha256(text_bytes("mxp mac1"), kServer.bytes());
  const auto full = hmac_sha256(key.view(), bytes);
  BOOST_TEST(to_hex(Mac1Key(kServer).compute(bytes)) == to_hex(full.view().first(16)));
}

BOOST_AUTO_TEST_CASE(a_key_serves_many_datagrams) {
  const Mac1Key key(kServer);
  const Bytes first = datagram_with_mac1(key, counting(0, 1184)), second = datagram_with_mac1(key, counting(7, 1200));
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(key.verify(first));
    BOOST_TEST(key.verify(second));
  }
}

BOOST_AUTO_TEST_CASE(a_change_of_any_byte_is_refused) {
  const Mac1Key key(kServer);
  const Bytes datagram = datagram_with_mac1(key, counting(0, 64));
  for (std::size_t i = 0; i < datagram.size(); ++i) {
    Bytes changed = datagram;
    changed[i] ^= 0x20;
    BOOST_TEST(!key.verify(changed));
  }
  BOOST_TEST(key.verify(datagram));
}

BOOST_AUTO_TEST_CASE(the_mac1_of_another_server_is_refused) {
  const Bytes datagram = datagram_with_mac1(Mac1Key(PublicKey()), counting(0, 64));
  BOOST_TEST(!Mac1Key(kServer).verify(datagram));
}

BOOST_AUTO_TEST_CASE(datagrams_shorter_than_a_mac1_are_refused) {
  const Mac1Key key(kServer);
  for (std::size_t size = 0; size < Mac1Key::kSize; ++size) BOOST_TEST(!key.verify(Bytes(size)));
  BOOST_TEST(key.verify(datagram_with_mac1(key, {})));
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace mxp::test
