// The points of small order on Curve25519, in every encoding that X25519 takes for them: five points, two of them with
// a second encoding at or above the prime, and all seven once more with the top bit set, which RFC 7748 §5 tells us to
// ignore.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "mxp/keys.h"
#include "unit/crypto/bytes_of.h"

namespace mxp::test {

inline constexpr std::array<std::string_view, 7> kLowOrderPoints = {
    "0000000000000000000000000000000000000000000000000000000000000000",  // 0
    "0100000000000000000000000000000000000000000000000000000000000000",  // 1
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",  // order 8
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",  // order 8
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p − 1
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p, another 0
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // p + 1, another 1
};

// The rest of the usual list of twelve: of low order only where the top bit counts. With the top bit ignored they are
// points like all others.
inline constexpr std::array<std::string_view, 5> kLowOrderOnlyUnmasked = {
    "cdeb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
    "4c9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
    "d9ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",  // 2p − 1
    "daffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",  // 2p
    "dbffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",  // 2p + 1
};

inline std::vector<PublicKey> low_order_keys() {
  std::vector<PublicKey> keys;
  for (const std::string_view point : kLowOrderPoints) {
    auto bytes = hex_array<32>(point);
    keys.emplace_back(bytes);
    bytes[31] |= 0x80;
    keys.emplace_back(bytes);
  }
  return keys;
}

}  // namespace mxp::test
