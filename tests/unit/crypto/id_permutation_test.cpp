#include "crypto/id_permutation.h"

#include <boost/test/unit_test.hpp>

#include "support/hex.h"

using namespace mxp;
using mxp::test::hex;

namespace id_permutation_test {

BOOST_AUTO_TEST_SUITE(id_permutation)

// Speck64/128 in appendix C of the paper: key 1b1a1918 13121110 0b0a0908 03020100, plaintext 3b726574 7475432d,
// ciphertext 8c6fa548 454e028b. The words stand there from the highest to the lowest.
BOOST_AUTO_TEST_CASE(published_vector) {
  const auto key = hex("00010203 08090a0b 10111213 18191a1b");
  const IdPermutation permutation(ByteView(key).first<IdPermutation::kKeySize>());
  const ConnectionId id = permutation.blind(0x3b7265747475432d);
  BOOST_TEST((id == ConnectionId({0x8b, 0x02, 0x4e, 0x45, 0x48, 0xa5, 0x6f, 0x8c})));
  BOOST_TEST(permutation.unblind(id) == 0x3b7265747475432du);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace id_permutation_test
