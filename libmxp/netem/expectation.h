// What the models of a link choose in the long run. That is not always the number in the spec: a correlation mixes each
// draw with the one before (FlowDraws::correlated), which keeps the results near the middle of [0, 1), so that small
// chances come true far less often than they say. "loss 3% 25%" loses 0.03 % of the packets, here as in the kernel.
#pragma once

#include <optional>

#include "netem/spec.h"

namespace mxp::netem {

// The share of packets that a chance chooses, 0..1, to about 1e-6.
double expected_share(const Chance& chance);

// The share of packets that a loss model takes, 0..1. A chain that cannot leave a state ends in it.
double expected_loss(const LossModel& loss);

// The share of packets that `reorder` sends at once, 0..1. Unknown for a gap together with a correlation.
std::optional<double> expected_reordering(const LinkSpec::Reorder& reorder);

}  // namespace mxp::netem
