// What one bulk transfer gets on a link in virtual time, for scripts/congestion_realtime.sh to hold beside the same link
// in real time: two whole endpoints with the settings of mxp-perf, from connect() on.
//
//     link_goodput UP DOWN SECONDS OMIT SEED
//
// UP and DOWN are links in the grammar of mxp-netem. Prints the Mbit/s that the receiver's application got after the
// first OMIT seconds of SECONDS.
#include <fmt/core.h>

#include <cstdlib>

#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  const int seconds = std::atoi(argv[3]);
  const int omit = std::atoi(argv[4]);
  if (omit < 0 || seconds <= omit) return 2;
  SimConfig config{.up = argv[1], .down = argv[2], .seed = std::strtoull(argv[5], nullptr, 10)};
  for (EndpointConfig* side : {&config.client, &config.server}) side->transport.max_udp_payload = 1500 - 28;
  SimPair sim(std::move(config));
  sim.client.connected_hook = [&](Connection& connection) {
    sim.client.open_and_send(connection, StreamType::unidirectional, std::uint64_t{1} << 50);
  };
  sim.connect();
  sim.run_for(std::chrono::seconds(omit));
  const std::uint64_t before = sim.server.bytes_received;
  sim.run_for(std::chrono::seconds(seconds - omit));
  for (const std::string& text : sim.violations()) fmt::print(stderr, "link_goodput: {}\n", text);
  fmt::print("{:.3f}\n", static_cast<double>(sim.server.bytes_received - before) * 8e-6 / (seconds - omit));
  return sim.violations().empty() ? 0 : 1;
}
