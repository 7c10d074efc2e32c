// How long whole transfers take, from connect() to the acknowledgement of the last byte: two endpoints with everything
// that they do (handshake, search for the datagram size, flow control, ECN), on the links and with the bounds that other
// implementations hold themselves to in their simulators (those of picoquic, as of 2026).
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

}  // namespace mxp::testing
