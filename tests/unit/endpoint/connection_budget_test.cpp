// What connections are counted with: the sums, the limits, and who may still come in.
#include "endpoint/connection_budget.h"

#include <rapidcheck.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <vector>

using namespace mxp;

namespace connection_budget_test {
namespace {

constexpr std::size_t kNew = 1000;
constexpr std::size_t kMegabyte = std::size_t{1} << 20;

PublicKey key(std::uint8_t number) {
  PublicKey::Bytes bytes{};
  bytes[0] = number;
  return PublicKey(bytes);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(connection_budget)

BOOST_AUTO_TEST_CASE(each_limit_refuses_with_its_own_reason) {
  const EndpointLimits limits{
      .max_connections = 4, .max_connections_per_key = 2, .memory = 8 * kMegabyte, .memory_per_key = 2 * kMegabyte};
  ConnectionBudget budget(limits, kNew, 1);
  std::vector<ConnectionBudget::Account> accounts(4);
  BOOST_TEST(!budget.refusal(key(1)).has_value());
  budget.join(accounts[0]);
  budget.attach(accounts[0], key(1));
  BOOST_TEST(!budget.refusal(key(1)).has_value());
  budget.set(accounts[0], 2 * kMegabyte - kNew);
  BOOST_TEST(!budget.refusal(key(1)).has_value());
  budget.set(accounts[0], 2 * kMegabyte - kNew + 1);
  BOOST_TEST(budget.refusal(key(1)).value_or("") == "this key's connections hold too much memory");
  BOOST_TEST(!budget.refusal(key(2)).has_value());
  budget.set(accounts[0], kNew);
  budget.join(accounts[1]);
  budget.attach(accounts[1], key(1));
  BOOST_TEST(budget.refusal(key(1)).value_or("") == "this key has too many connections");
  BOOST_TEST(!budget.refusal(key(2)).has_value());
  budget.join(accounts[2]);  // of our own
  budget.set(accounts[2], 8 * kMegabyte);
  BOOST_TEST(!budget.refusal(key(2)).has_value());  // whoever holds that gives way
  budget.set(accounts[2], kNew);
  budget.join(accounts[3]);
  BOOST_TEST(budget.refusal(key(2)).value_or("") == "the server takes no more connections");
  for (auto& account : accounts) budget.leave(account);
  BOOST_TEST(budget.bytes() == 0u);
  BOOST_TEST(budget.keys() == 0u);
  BOOST_TEST(!budget.refusal(key(1)).has_value());
}

BOOST_AUTO_TEST_CASE(short_without_room_and_over_begin_at_half_three_quarters_and_seven_eighths) {
  const EndpointLimits limits{.memory = 8 * kMegabyte, .memory_per_key = 2 * kMegabyte};
  ConnectionBudget budget(limits, kNew, 1);
  ConnectionBudget::Account own, client, other;
  budget.join(own);
  budget.join(client);
  budget.attach(client, key(1));
  budget.join(other);
  budget.attach(other, key(2));
  budget.set(client, kMegabyte);
  BOOST_TEST(!budget.is_short_for(client));
  budget.set(client, kMegabyte + 1);
  BOOST_TEST(budget.is_short_for(client));
  BOOST_TEST(!budget.is_short_for(own));
  BOOST_TEST(!budget.is_short_for(other));
  budget.set(client, 2 * kMegabyte);
  BOOST_TEST(!budget.key_is_over(client));
  budget.set(client, 2 * kMegabyte + 1);
  BOOST_TEST(budget.key_is_over(client));
  BOOST_TEST(!budget.key_is_over(other));
  budget.set(client, 0);
  budget.set(other, 0);
  budget.set(own, 4 * kMegabyte);
  BOOST_TEST(!budget.is_short_for(other));
  budget.set(own, 4 * kMegabyte + 1);
  BOOST_TEST(budget.is_short_for(other));
  budget.set(own, 6 * kMegabyte);
  BOOST_TEST(budget.has_room());
  budget.set(own, 6 * kMegabyte + 1);
  BOOST_TEST(!budget.has_room());
  budget.set(own, 7 * kMegabyte);
  BOOST_TEST(!budget.is_over());
  BOOST_TEST(!budget.key_is_over(own));  // it has no client
  budget.set(own, 7 * kMegabyte + 1);
  BOOST_TEST(budget.is_over());
}

// Without their buffers the connections of clients take seven eighths. Those that we open may take more, and then the
// buffers have their share beyond it: otherwise nothing that gives way could make room.
BOOST_AUTO_TEST_CASE(connections_without_buffers_are_refused_at_seven_eighths_and_never_over) {
  const EndpointLimits limits{.max_connections = 100, .memory = kMegabyte};
  const std::size_t bytes_of_new = kMegabyte / 16;
  ConnectionBudget budget(limits, bytes_of_new, 1);
  std::vector<ConnectionBudget::Account> accounts(40);
  for (std::size_t i = 0; i < accounts.size(); ++i) {
    BOOST_TEST(budget.refusal(key(1)).has_value() == (i >= 14));
    if (i >= 14) BOOST_TEST(*budget.refusal(key(1)) == "the server has no memory for more connections");
    budget.join(accounts[i]);
    BOOST_TEST(!budget.is_over());
    BOOST_TEST(budget.has_room());
  }
  budget.set(accounts[0], bytes_of_new + kMegabyte / 16);
  BOOST_TEST(budget.has_room());
  budget.set(accounts[0], bytes_of_new + kMegabyte / 16 + 1);
  BOOST_TEST(!budget.has_room());
  budget.set(accounts[0], bytes_of_new + kMegabyte / 8);
  BOOST_TEST(!budget.is_over());
  budget.set(accounts[0], bytes_of_new + kMegabyte / 8 + 1);
  BOOST_TEST(budget.is_over());
}

BOOST_AUTO_TEST_CASE(the_sums_are_those_of_a_plain_list) {
  BOOST_TEST(rc::check("sums, and rows for the keys that are there", [] {
    const EndpointLimits limits;
    ConnectionBudget budget(limits, kNew, *rc::gen::arbitrary<std::uint64_t>());
    struct Joined {
      bool here = false;
      ConnectionBudget::Account account;
    };
    std::array<Joined, 12> all;
    const auto steps = *rc::gen::container<std::vector<std::tuple<std::uint8_t, std::uint8_t, std::uint16_t>>>(
        rc::gen::arbitrary<std::tuple<std::uint8_t, std::uint8_t, std::uint16_t>>());
    for (const auto& [who, what, bytes] : steps) {
      Joined& it = all[who % all.size()];
      const auto number = static_cast<std::uint8_t>(who % all.size() % 4);  // 0: no client's
      if (!it.here) {
        budget.join(it.account);
        budget.set(it.account, bytes);
        if (number != 0) budget.attach(it.account, key(number));
        it.here = true;
      } else if (what % 4 == 0) {
        budget.leave(it.account);
        it.here = false;
      } else {
        budget.set(it.account, bytes);
      }
      std::size_t sum = 0, connections = 0;
      std::array<bool, 4> seen{};
      for (std::size_t i = 0; i < all.size(); ++i) {
        if (!all[i].here) continue;
        sum += all[i].account.bytes();
        ++connections;
        seen[i % 4] = true;
      }
      // Keys by what all their connections hold beyond that of new ones; connections without a key each by itself.
      const auto buffers = [&](std::size_t i) {
        return all[i].here ? all[i].account.bytes() - std::min(all[i].account.bytes(), kNew) : 0;
      };
      std::array<std::size_t, 12> weight{};
      for (std::size_t i = 0; i < all.size(); ++i)
        for (std::size_t k = 0; k < all.size(); ++k)
          if (k == i || (i % 4 != 0 && k % 4 == i % 4)) weight[i] += buffers(k);
      const ConnectionBudget::Account* const largest = budget.largest();
      RC_ASSERT((largest == nullptr) == (*std::ranges::max_element(weight) == 0));
      for (std::size_t i = 0; i < all.size(); ++i) {
        if (&all[i].account != largest) continue;
        RC_ASSERT(weight[i] == *std::ranges::max_element(weight));
        for (std::size_t k = i % 4; i % 4 != 0 && k < all.size(); k += 4) RC_ASSERT(buffers(i) >= buffers(k));
      }
      RC_ASSERT(budget.bytes() == sum);
      RC_ASSERT(budget.connections() == connections);
      RC_ASSERT(budget.keys() == static_cast<std::size_t>(seen[1] + seen[2] + seen[3]));
    }
  }));
}

BOOST_AUTO_TEST_CASE(the_largest_is_asked_for_by_key_and_then_by_connection) {
  const EndpointLimits limits;
  ConnectionBudget budget(limits, kNew, 1);
  std::vector<ConnectionBudget::Account> accounts(5);
  for (auto& account : accounts) budget.join(account);
  BOOST_TEST(budget.largest() == nullptr);  // what is only new has nothing to give
  for (const std::size_t i : {0u, 1u, 2u}) budget.attach(accounts[i], key(1));
  budget.attach(accounts[3], key(2));
  budget.set(accounts[0], kNew + 40);
  budget.set(accounts[1], kNew + 50);
  budget.set(accounts[2], kNew + 45);
  budget.set(accounts[3], kNew + 100);
  budget.set(accounts[4], kNew + 110);  // has no key
  BOOST_TEST(budget.largest() == &accounts[1]);
  budget.set(accounts[1], kNew);
  BOOST_TEST(budget.largest() == &accounts[4]);
  budget.leave(accounts[4]);
  BOOST_TEST(budget.largest() == &accounts[3]);
  budget.set(accounts[3], kNew + 84);
  BOOST_TEST(budget.largest() == &accounts[2]);
  for (std::size_t i = 0; i < 4; ++i) budget.leave(accounts[i]);
  BOOST_TEST(budget.largest() == nullptr);
}

// Keys that differ in one place only, as a client may choose them, do not crowd together; and what crowds under one
// secret does not under another.
BOOST_AUTO_TEST_CASE(t13_keys_spread_whatever_they_are) {
  for (const std::uint64_t secret : {0u, 1u, 77u}) {
    const PublicKeyHash hash(secret);
    for (std::size_t place = 0; place < PublicKey::kSize; place += 5) {
      std::array<unsigned, 64> counts{};
      for (unsigned value = 0; value < 1024; ++value) {
        PublicKey::Bytes bytes{};
        bytes[place] = static_cast<std::uint8_t>(value);
        bytes[(place + 1) % PublicKey::kSize] = static_cast<std::uint8_t>(value >> 8);
        ++counts[hash(PublicKey(bytes)) % counts.size()];
      }
      for (const unsigned count : counts) BOOST_TEST(count < 64u, "secret " << secret << ", place " << place);
    }
  }
  BOOST_TEST(PublicKeyHash(1)(key(1)) != PublicKeyHash(2)(key(1)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace connection_budget_test
