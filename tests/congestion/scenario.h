// A link described as people describe links, and what flows on it come to.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "support/flow_lab.h"

namespace mxp::testing {

struct Path {
  double mbit = 100;
  double rtt_ms = 50;
  double queue_bdp = 1;
  double loss_percent = 0;
  std::string more_up = {};  // words of mxp-netem's grammar, after these
  std::string down = {};     // nothing: half of the round trip and no loss

  double bdp_packets() const { return mbit * 1e3 * rtt_ms / 8 / 1228; }  // of 1200 bytes, with IP and UDP headers
  // The emulated queue counts the packets in its delay line too.
  std::uint64_t limit() const {
    return static_cast<std::uint64_t>(std::ceil(bdp_packets() / 2 + std::max(queue_bdp * bdp_packets(), 2.0)));
  }
  LabConfig lab(std::uint64_t seed) const {
    const std::string loss = loss_percent > 0 ? fmt::format("loss {}% ", loss_percent) : "";
    return {
        .up = fmt::format("rate {:.0f}kbit delay {}ms {}limit {} {}", mbit * 1e3, rtt_ms / 2, loss, limit(), more_up),
        .down = down.empty() ? fmt::format("delay {}ms", rtt_ms / 2) : down,
        .seed = seed};
  }
};

struct Measured {
  double share = 0;                           // of the link, all flows together
  double p50_ms = 0, p95_ms = 0, p99_ms = 0;  // in the queue
  double lost = 0;                            // declared lost, of what was sent since the beginning, all flows together
  double jain = 0;
  std::vector<double> shares;
};

inline Measured measure(const LabConfig& config, const std::vector<FlowPlan>& flows, Duration from, Duration to) {
  FlowLab lab(config);
  for (const FlowPlan& flow : flows) lab.add(flow);
  lab.run(to);
  const auto delay = [&](double percentile) {
    return std::chrono::duration<double, std::milli>(lab.queue_delay(percentile, from, to)).count();
  };
  Measured result{.share = lab.total_share(from, to),
                  .p50_ms = delay(50),
                  .p95_ms = delay(95),
                  .p99_ms = delay(99),
                  .lost = 0,
                  .jain = lab.jain(from, to),
                  .shares = {}};
  double lost = 0, sent = 0;
  for (std::size_t i = 0; i < flows.size(); ++i) {
    lost += static_cast<double>(lab.lost_packets(i));
    sent += static_cast<double>(lab.sent_packets(i));
    result.shares.push_back(lab.share(i, from, to));
  }
  if (sent > 0) result.lost = lost / sent;
  return result;
}

inline FlowPlan flow_of(CongestionControl algorithm, Duration starts_at = {}, Duration extra_delay = {}) {
  return {.congestion_control = algorithm, .starts_at = starts_at, .extra_delay = extra_delay};
}

// Flows of one kind that start together. Where nothing is lost by chance, a run differs from the next only by the few
// milliseconds between the starts, which the seed gives.
inline std::vector<FlowPlan> together(std::size_t count, CongestionControl algorithm, std::uint64_t seed) {
  std::vector<FlowPlan> flows;
  for (std::size_t i = 0; i < count; ++i)
    flows.push_back(flow_of(algorithm, std::chrono::microseconds((seed * 7919 + i * 10'007 * seed) % 40'000)));
  return flows;
}

inline Measured measure_one(const Path& path, CongestionControl algorithm, std::uint64_t seed, Duration from,
                            Duration to) {
  return measure(path.lab(seed), {flow_of(algorithm)}, from, to);
}

}  // namespace mxp::testing
