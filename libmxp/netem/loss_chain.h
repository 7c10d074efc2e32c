// Which packets of a flow a loss model takes: the models of the kernel's sch_netem (random with correlation,
// Gilbert-Elliott, and the four-state chain of Salsano et al., "Definition of a general and intuitive loss model for
// packet networks and its implementation in the Netem module", 2012).
#pragma once

#include <cstdint>

#include "netem/draws.h"
#include "netem/spec.h"

namespace mxp::netem {

// The memory of one flow; the model is passed in because all flows share it.
class LossChain {
 public:
  bool loses(const LossModel& model, FlowDraws& draws, DrawIndex at);

 private:
  bool bad_ = false;  // Gilbert-Elliott
  enum class State : std::uint8_t { good, received_in_burst, lost_in_burst, lost_in_good } state_ = State::good;
};

}  // namespace mxp::netem
