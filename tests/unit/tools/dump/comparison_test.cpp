// Sightings made by hand; tests/tools/dump_files_test.py joins captures.
#include "mxp-dump/join/comparison.h"

#include <boost/test/unit_test.hpp>

namespace mxp::dump {
namespace {

constexpr auto kUp = TrafficDirection::client_to_server, kDown = TrafficDirection::server_to_client;

Sighting sighting(std::uint64_t content, std::int64_t time_ns, std::uint32_t connection, TrafficDirection direction,
                  std::int64_t number = -1) {
  return {.content = content,
          .time_ns = time_ns,
          .frame = content,
          .number = number,
          .connection = connection,
          .direction = direction};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(comparison)

// Each connection has a packet that is missing at the client, which its capture acknowledges all the same.
BOOST_AUTO_TEST_CASE(partners_are_found_in_both_directions_however_many_connections_there_are) {
  constexpr std::uint32_t kConnections = 150'000;
  Sightings client, server;
  client.connections.resize(kConnections);
  server.connections.resize(kConnections);
  for (std::uint32_t i = 0; i < kConnections; ++i) {
    const std::uint32_t at_server = kConnections - 1 - i;
    client.packets.push_back(sighting(3 * std::uint64_t{i}, 1000 + i, i, kUp));
    server.packets.push_back(sighting(3 * std::uint64_t{i}, 2000 + i, at_server, kUp));
    server.packets.push_back(sighting(3 * std::uint64_t{i} + 1, 3000 + i, at_server, kDown, 5));
    client.connections[i].acknowledged[index(kDown)].add(5, 6);
  }
  const Comparison all = compare(client, server);  // a search through all for each would exceed the test's time limit
  BOOST_TEST(all.ways[index(kUp)].arrived == kConnections);
  BOOST_TEST(all.ways[index(kDown)].not_captured_at_receiver == kConnections);
  BOOST_TEST(all.ways[index(kDown)].lost.size() == 0u);
  BOOST_TEST((all.server_connection[3] == kConnections - 4 && all.client_connection[3] == kConnections - 4));
}

// What -fsanitize=undefined looks at: no sum of times leaves 64 bits.
BOOST_AUTO_TEST_CASE(clocks_at_the_ends_of_the_range_are_compared) {
  constexpr auto kLatest = static_cast<std::int64_t>(kLatestTimeNs);
  for (const auto& [at_client, at_server] :
       {std::pair{std::int64_t{0}, kLatest - 10}, std::pair{kLatest - 10, std::int64_t{0}}}) {
    Sightings client, server;
    client.connections.resize(1);
    server.connections.resize(1);
    for (std::int64_t i = 0; i < 10; i += 2) {
      // The clocks run apart as far as they can: each next packet is at another end.
      const bool swapped = i % 4 == 2;
      client.packets.push_back(
          sighting(10 + static_cast<std::uint64_t>(i), (swapped ? at_server : at_client) + i, 0, kUp));
      server.packets.push_back(
          sighting(10 + static_cast<std::uint64_t>(i), (swapped ? at_client : at_server) + i, 0, kUp));
      server.packets.push_back(sighting(100 + static_cast<std::uint64_t>(i), at_server + i, 0, kDown));
      client.packets.push_back(sighting(100 + static_cast<std::uint64_t>(i), at_client + i, 0, kDown));
    }
    client.packets.push_back(sighting(1000, at_client, 0, kUp));
    server.packets.push_back(sighting(1001, at_server, 0, kDown));
    for (Sightings* seen : {&client, &server}) {
      seen->first_ns = 0;
      seen->last_ns = kLatest;
    }
    const Comparison all = compare(client, server);
    BOOST_TEST(all.ways[index(kUp)].arrived == 5u);
    BOOST_TEST(all.ways[index(kUp)].sent == 6u);
    BOOST_TEST(all.ways[index(kDown)].arrived == 5u);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::dump
