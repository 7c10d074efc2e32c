#include "reliability/ecn_validation.h"

namespace mxp {

EcnLedger::Growth EcnLedger::on_ack(const std::optional<EcnCounts>& counts) {
  if (!counts) return {};
  const EcnCounts before = last_;
  last_ = *counts;
  // Nothing was sent with ECT(1): a router has changed the mark. Counts have 62 bits, so that the sum fits.
  const bool sound = counts->ect0 >= before.ect0 && counts->ce >= before.ce && counts->ect1 == before.ect1 &&
                     counts->ect0 + counts->ce <= marked_sent_;
  if (!sound) return {};
  const std::uint64_t ce = counts->ce - before.ce;
  return {.sound = true, .marked = counts->ect0 - before.ect0 + ce, .ce = ce};
}

void EcnValidation::on_marked_sent() {
  ++under_way_;
  if (sent_ < kPacketsToTest) ++sent_;
  if (state_ == EcnState::testing && sent_ == kPacketsToTest) state_ = EcnState::waiting;
}

void EcnValidation::on_marked_lost() {
  --under_way_;
  if (state_ == EcnState::waiting && under_way_ == 0) state_ = EcnState::failed;
}

void EcnValidation::on_probe_timeout(unsigned count) {
  const bool tested = state_ == EcnState::testing && sent_ > 0;
  const bool doubted = state_ == EcnState::capable && count >= kTimeoutsToDoubt;
  if (tested || doubted) state_ = EcnState::waiting;
}

std::uint64_t EcnValidation::on_ack(std::uint64_t marked, const EcnLedger::Growth& growth) {
  if (state_ == EcnState::off || state_ == EcnState::failed) return 0;
  // A CE count grows at the cost of the count of ECT(0). Where the sum is too small, a router has erased marks, or the
  // peer hides them.
  if (!growth.sound || growth.marked < marked) {
    state_ = EcnState::failed;
    return 0;
  }
  state_ = EcnState::capable;
  return growth.ce;
}

}  // namespace mxp
