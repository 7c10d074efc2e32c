#include <rapidcheck.h>

#include <bit>
#include <boost/test/unit_test.hpp>

#include "crypto/id_permutation.h"

using namespace mxp;

namespace {

IdPermutation some_permutation() {
  std::array<std::uint8_t, IdPermutation::kKeySize> key;
  for (std::uint8_t& byte : key) byte = *rc::gen::arbitrary<std::uint8_t>();
  return IdPermutation(key);
}

int different_bits(const ConnectionId& a, const ConnectionId& b) { return std::popcount(a.key() ^ b.key()); }

}  // namespace

BOOST_AUTO_TEST_SUITE(id_permutation_property)

BOOST_AUTO_TEST_CASE(each_undoes_the_other) {
  BOOST_TEST(rc::check("inverse", [](std::uint64_t plain, ConnectionId::Bytes bytes) {
    const IdPermutation permutation = some_permutation();
    RC_ASSERT(permutation.unblind(permutation.blind(plain)) == plain);
    RC_ASSERT(permutation.blind(permutation.unblind(ConnectionId(bytes))) == ConnectionId(bytes));
  }));
}

// Neighbouring counters look unrelated: half of the bits differ, and here at least an eighth of them.
BOOST_AUTO_TEST_CASE(neighbours_and_other_keys_are_not_to_be_seen) {
  BOOST_TEST(rc::check("unlinkable", [](std::uint64_t plain) {
    const IdPermutation permutation = some_permutation();
    RC_ASSERT(different_bits(permutation.blind(plain), permutation.blind(plain + 1)) >= 8);
    std::array<std::uint8_t, IdPermutation::kKeySize> key{};
    const IdPermutation one(key);
    key[*rc::gen::inRange<std::size_t>(0, key.size())] = 1;
    const IdPermutation other(key);
    RC_ASSERT(different_bits(one.blind(plain), other.blind(plain)) >= 8);
  }));
}

BOOST_AUTO_TEST_SUITE_END()
