#include "netem/loss_chain.h"

namespace mxp::netem {

bool LossChain::loses(const LossModel& model, FlowDraws& draws, DrawIndex at) {
  if (const auto* random = std::get_if<RandomLoss>(&model)) {
    return draws.correlated(at, Purpose::loss, random->correlation) < random->p;
  }
  if (const auto* ge = std::get_if<GilbertElliott>(&model)) {
    // The state that the packet finds decides; the chain steps for the next one.
    const bool lost = draws.uniform(at, Purpose::loss) < (bad_ ? ge->loss_in_bad : ge->loss_in_good);
    if (draws.uniform(at, Purpose::loss_state) < (bad_ ? ge->r : ge->p)) bad_ = !bad_;
    return lost;
  }
  if (const auto* four = std::get_if<FourStateLoss>(&model)) {
    // The state that the packet reaches decides.
    const double x = draws.uniform(at, Purpose::loss_state);
    switch (state_) {
      case State::good:
        if (x < four->p14) {
          state_ = State::lost_in_good;
        } else if (x < four->p14 + four->p13) {
          state_ = State::lost_in_burst;
        }
        break;
      case State::received_in_burst:
        if (x < four->p23) state_ = State::lost_in_burst;
        break;
      case State::lost_in_burst:
        if (x < four->p32) {
          state_ = State::received_in_burst;
        } else if (x < four->p32 + four->p31) {
          state_ = State::good;
        }
        break;
      case State::lost_in_good: state_ = State::good; break;
    }
    return state_ == State::lost_in_burst || state_ == State::lost_in_good;
  }
  return false;
}

}  // namespace mxp::netem
