#include "mxp-dump/files/pseudonyms.h"

#include <boost/test/unit_test.hpp>
#include <set>
#include <vector>

#include "mxp-dump/dissect/batch.h"

namespace mxp::dump {
namespace {

Pseudonyms::Key pseudonym_key(std::uint8_t fill) {
  Pseudonyms::Key key{};
  key.fill(fill);
  return key;
}

SocketAddress address_of(std::uint32_t value) {
  SocketAddress address;
  address.family = AddressFamily::ipv4;
  for (std::size_t i = 0; i < 4; ++i) address.ip[i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
  address.port = 4433;
  return address;
}
std::uint32_t value_of(const SocketAddress& address) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | address.ip[i];
  return value;
}

SocketAddress address_of(std::vector<std::uint8_t> first, std::uint16_t last) {
  SocketAddress address;
  address.family = AddressFamily::ipv6;
  std::copy(first.begin(), first.end(), address.ip.begin());
  address.ip[14] = static_cast<std::uint8_t>(last >> 8);
  address.ip[15] = static_cast<std::uint8_t>(last);
  return address;
}

struct Network {
  std::uint32_t prefix;
  int length;
};
constexpr Network kNetworks[] = {{0x0a000000, 8},  {0xac100000, 12}, {0xc0a80000, 16}, {0x64400000, 10},
                                 {0xa9fe0000, 16}, {0xe0000000, 4},  {0xf0000000, 4}};

}  // namespace

BOOST_AUTO_TEST_SUITE(pseudonyms)

BOOST_AUTO_TEST_CASE(an_ipv4_address_stays_in_its_network_and_none_share_a_pseudonym) {
  Pseudonyms names(pseudonym_key(1));
  for (const Network& network : kNetworks) {
    BOOST_TEST_CONTEXT("prefix " << std::hex << network.prefix) {
      std::set<std::uint32_t> seen;
      for (std::uint32_t host = 0; host < 3000; ++host) {
        const SocketAddress other = names.of(address_of(network.prefix | host));
        BOOST_REQUIRE(((value_of(other) ^ network.prefix) >> (32 - network.length)) == 0);
        BOOST_REQUIRE(seen.insert(value_of(other)).second);
        BOOST_REQUIRE(other.port == 4433);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(all_addresses_of_a_small_network_are_exchanged_among_themselves) {
  Pseudonyms names(pseudonym_key(2));
  std::set<std::uint32_t> seen;
  for (std::uint32_t host = 0; host < 65536; ++host) seen.insert(value_of(names.of(address_of(0xc0a80000 | host))));
  BOOST_TEST(seen.size() == 65536u);
  BOOST_TEST((*seen.begin() == 0xc0a80000 && *seen.rbegin() == 0xc0a8ffff));
}

// With one mask for a network the difference of two pseudonyms is that of the addresses.
BOOST_AUTO_TEST_CASE(a_known_pair_tells_nothing_of_other_addresses) {
  Pseudonyms names(pseudonym_key(3));
  for (const Network& network : kNetworks) {
    BOOST_TEST_CONTEXT("prefix " << std::hex << network.prefix) {
      const std::uint32_t known = network.prefix | 1, mask = known ^ value_of(names.of(address_of(known)));
      int guessed = 0;
      for (std::uint32_t host = 2; host < 202; ++host) {
        const std::uint32_t one = network.prefix | host;
        guessed += (one ^ mask) == value_of(names.of(address_of(one))) ? 1 : 0;
      }
      BOOST_TEST(guessed <= 2);  // by chance
    }
  }
}

BOOST_AUTO_TEST_CASE(a_public_address_stays_public) {
  Pseudonyms names(pseudonym_key(4));
  std::set<std::uint32_t> seen;
  for (std::uint32_t host = 0; host < 3000; ++host) {
    const std::uint32_t other = value_of(names.of(address_of(0x08080000 + host * 7919)));
    BOOST_REQUIRE(seen.insert(other).second);
    BOOST_REQUIRE((other >> 24 != 0 && other >> 24 != 127));
    for (const Network& network : kNetworks) BOOST_REQUIRE(((other ^ network.prefix) >> (32 - network.length)) != 0);
  }
}

BOOST_AUTO_TEST_CASE(loopback_and_broadcast_stay_as_they_are) {
  Pseudonyms names(pseudonym_key(5));
  for (const std::uint32_t kept : {0x7f000001u, 0u, 0xffffffffu})
    BOOST_TEST(value_of(names.of(address_of(kept))) == kept);
}

BOOST_AUTO_TEST_CASE(pseudonyms_are_those_of_the_key) {
  Pseudonyms one(pseudonym_key(6)), same(pseudonym_key(6)), other(pseudonym_key(7));
  const SocketAddress address = address_of(0x0a010203);
  BOOST_TEST((one.of(address) == same.of(address)));
  BOOST_TEST((one.of(address) != other.of(address)));
}

BOOST_AUTO_TEST_CASE(an_ipv6_address_keeps_its_kind_and_none_share_a_pseudonym) {
  Pseudonyms names(pseudonym_key(8));
  const std::vector<std::pair<std::vector<std::uint8_t>, std::size_t>> kinds = {
      {{0xfe, 0x80}, 2}, {{0xff, 0x02}, 2}, {{0xff, 0x05}, 2}, {{0xfd, 0x12}, 1}};
  for (const auto& [first, kept] : kinds) {
    std::set<SocketAddress> seen;
    for (std::uint16_t host = 0; host < 2000; ++host) {
      const SocketAddress address = address_of(first, host), other = names.of(address);
      BOOST_REQUIRE(std::equal(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(kept), other.ip.begin()));
      BOOST_REQUIRE((other != address));
      BOOST_REQUIRE(seen.insert(other).second);
    }
  }
  const SocketAddress documentation = names.of(address_of({0x2a, 0x00}, 1));
  const std::vector<std::uint8_t> prefix = {0x20, 0x01, 0x0d, 0xb8};
  BOOST_TEST(std::equal(prefix.begin(), prefix.end(), documentation.ip.begin()));
  BOOST_TEST((names.of(address_of({}, 1)) == address_of({}, 1)));  // ::1
}

BOOST_AUTO_TEST_CASE(a_damaged_id_keeps_its_wrong_bits_and_a_foreign_one_tells_nothing) {
  const Pseudonyms names(pseudonym_key(9));
  const ConnectionId right(ConnectionId::Bytes{1, 2, 3, 4, 5, 6, 7, 8});
  const ConnectionId damaged(ConnectionId::Bytes{1, 2, 3, 4, 5, 6, 7, 9});
  const ConnectionId foreign(ConnectionId::Bytes{0xf1, 0x92, 0x33, 0xa4, 0x55, 0xe6, 0x77, 0x88});
  BOOST_TEST((names.of(right, right) == names.of(right)));
  BOOST_TEST(different_bits(names.of(damaged, right), names.of(right)) == different_bits(damaged, right));
  BOOST_TEST((names.of(foreign, right) == names.of(foreign)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::dump
