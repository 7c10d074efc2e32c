// How long whole transfers take, from connect() to the acknowledgement of the last byte: two endpoints with everything
// that they do (handshake, search for the datagram size, flow control, ECN), on the links and with the bounds that
// other implementations hold themselves to in their simulators (those of picoquic, as of 2026).
#pragma once

#include <fmt/core.h>

#include <optional>
#include <string>
#include <vector>

#include "support/sim_pair.h"

namespace mxp::testing {

struct Limits {
  std::optional<Duration> bbr = std::nullopt;
  std::optional<Duration> cubic = std::nullopt;

  std::optional<Duration> of(CongestionControl algorithm) const {
    return algorithm == CongestionControl::cubic ? cubic : bbr;
  }
};

struct Completion {
  std::string name;
  std::string up;    // data
  std::string down;  // acknowledgements
  std::uint64_t bytes = 0;
  Limits others = {};  // of picoquic; none: it has no such test
  Limits ours = {};    // that tests hold; none: it takes too long
  // Where the links say "trace": times at which one datagram may leave (netem/delivery_trace.h).
  std::vector<std::uint32_t> opportunities_ms = {};
  // Nothing passes in this time, in either direction.
  Duration outage_from{};
  Duration outage_to{};
};

std::vector<Completion> completions();

// std::nullopt: not within a thousand seconds.
std::optional<Duration> time_to_complete(const Completion& scenario, CongestionControl algorithm, std::uint64_t seed);

// 20 MB from connect() to the acknowledgement of the last byte, between endpoints with the settings that they have by
// themselves (BBR among them): 100 Mbit/s, a round trip of 50 ms and a queue of 500 packets, with this loss in both
// directions. The first packet is lost as well as any other, which costs 300 ms. Nothing: not within a minute.
inline constexpr std::uint64_t kColdTransferBytes = 20'000'000;
std::optional<Duration> time_from_cold(double loss_percent, std::uint64_t seed);
// Mbit/s of the seeds 1 to `seeds`, ascending; zero for a run that does not end.
std::vector<double> rates_from_cold(double loss_percent, std::uint64_t seeds);

}  // namespace mxp::testing
