// Ids that a connection got after its handshake, and how the table finds it by them.
#include "mxp-dump/dissect/given_ids.h"

#include <boost/test/unit_test.hpp>

#include "mxp-dump/dissect/connection_table.h"

namespace mxp::dump::test {
namespace {

ConnectionId number(std::size_t value) {
  ConnectionId::Bytes bytes{};
  bytes.fill(static_cast<std::uint8_t>(0x5a + value % 7 * 29));  // no two ids look like one that was damaged
  bytes[0] = static_cast<std::uint8_t>(value);
  bytes[1] = static_cast<std::uint8_t>(value >> 8);
  return ConnectionId(bytes);
}

Endpoints from_client(std::uint16_t port) {
  Endpoints endpoints;
  endpoints.source.port = port;
  endpoints.destination.port = 9000;
  return endpoints;
}

constexpr auto kToServer = TrafficDirection::client_to_server;
constexpr auto kToClient = TrafficDirection::server_to_client;

// A table whose connections are joined by the ids of their servers.
struct Table {
  std::vector<std::uint64_t> forgotten;
  ConnectionTable table;

  explicit Table(std::size_t capacity = kMaxConnections)
      : table([this](const Connection& gone) { forgotten.push_back(gone.number); }, [](ConnectionId) { return false; },
              capacity) {}
  ConnectionTable::Found join(std::size_t id, std::uint16_t port) {
    return table.join(number(id), from_client(port), kToServer);
  }
  std::uint64_t owner(std::size_t id, std::uint16_t port) {
    const auto found = table.known(number(id), from_client(port));
    return found ? found.connection->number : 0;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(given_ids)

BOOST_AUTO_TEST_CASE(the_oldest_goes_and_an_id_that_is_there_stays_in_its_place) {
  GivenIds ids;
  for (std::size_t i = 0; i < GivenIds::kMost; ++i) BOOST_TEST(!ids.add(number(i), {}).has_value());
  BOOST_TEST(!ids.add(number(0), {}).has_value());
  BOOST_TEST(ids.ids().size() == GivenIds::kMost);
  BOOST_TEST((ids.add(number(100), {}) == number(0)));
  BOOST_TEST(!ids.contains(number(0)));
  BOOST_TEST((ids.add(number(101), number(1)) == number(2)));
  BOOST_TEST(ids.contains(number(1)));
  BOOST_TEST((ids.add(number(102), number(3)) == number(1)));
  BOOST_TEST(ids.ids().size() == GivenIds::kMost);
}

BOOST_AUTO_TEST_CASE(a_connection_is_found_by_its_given_ids_wherever_it_is) {
  Table t;
  const auto found = t.join(1, 1000);
  t.table.give_id(found, kToServer, number(2));
  t.table.give_id(found, kToClient, number(3));
  BOOST_TEST(t.owner(1, 1000) == 1u);
  BOOST_TEST(t.owner(2, 2000) == 1u);
  BOOST_TEST((t.table.known(number(2), from_client(2000)).direction == kToServer));
  const auto back = t.table.known(number(3), {from_client(2000).destination, from_client(2000).source});
  BOOST_REQUIRE(static_cast<bool>(back));
  BOOST_TEST((back.direction == kToClient));
  BOOST_TEST((back.connection->server_id() == number(1)));  // by which the key log names it
}

BOOST_AUTO_TEST_CASE(ids_that_were_pushed_out_find_nothing) {
  Table t;
  const auto found = t.join(1, 1000);
  for (std::size_t i = 0; i < 1000; ++i) t.table.give_id(found, kToServer, number(100 + i));
  for (std::size_t i = 0; i < 1000; ++i) BOOST_TEST(t.owner(100 + i, 1000) == (i < 1000 - GivenIds::kMost ? 0u : 1u));
  BOOST_TEST(t.owner(1, 1000) == 1u);
}

BOOST_AUTO_TEST_CASE(an_id_of_another_connection_is_not_taken_over) {
  Table t;
  const auto first = t.join(1, 1000);
  const auto second = t.join(2, 2000);
  t.table.give_id(first, kToServer, number(2));
  t.table.give_id(second, kToServer, number(1));
  BOOST_TEST(t.owner(2, 2000) == 2u);
  BOOST_TEST(t.owner(1, 1000) == 1u);
  // Nor is it forgotten with the one that claimed it.
  for (std::size_t i = 0; i < GivenIds::kMost; ++i) t.table.give_id(first, kToServer, number(100 + i));
  BOOST_TEST(t.owner(2, 2000) == 2u);
}

BOOST_AUTO_TEST_CASE(a_connection_that_is_forgotten_leaves_no_id_behind) {
  Table t(1);
  const auto first = t.join(1, 1000);
  t.table.give_id(first, kToServer, number(2));
  t.table.give_id(first, kToClient, number(3));
  (void)t.join(4, 4000);
  for (const std::size_t id : {1u, 2u, 3u}) BOOST_TEST(t.owner(id, 1000) == 0u);
  BOOST_TEST(t.owner(4, 4000) == 2u);
}

// A handshake message named the id as well, and the connection gave it up when newer ids pushed it out.
BOOST_AUTO_TEST_CASE(an_id_that_was_given_up_stays_with_its_next_owner) {
  Table t(2);
  const Endpoints endpoints = from_client(1000);
  HandshakeCopy copy;
  copy.ephemeral = 77;
  copy.client_id = number(1);
  t.table.note_handshake(copy, endpoints);
  t.table.note_handshake(copy, endpoints);
  copy.client_id = number(2);
  t.table.note_handshake(copy, endpoints);
  const auto first = t.table.handshake(copy, endpoints);
  BOOST_REQUIRE(static_cast<bool>(first));
  BOOST_REQUIRE((first.connection->client_id() == number(1)));
  for (std::size_t i = 0; i <= GivenIds::kMost; ++i) t.table.give_id(first, kToClient, number(i == 0 ? 2 : 100 + i));
  BOOST_TEST(t.owner(2, 2000) == 0u);
  BOOST_TEST(t.join(2, 2000).connection->number == 2u);
  (void)t.join(3, 3000);  // for which the first one is forgotten
  BOOST_TEST(t.owner(100 + GivenIds::kMost, 1000) == 0u);
  BOOST_TEST(t.owner(2, 2000) == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::dump::test
