#include "netem/expectation.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace mxp::netem {
namespace {

// The distribution function F of x = (1-c) * u + c * x' in its steady state, where x' has the same distribution and u
// is uniform. It solves F(x) = c / (1-c) * (G((x) / c) - G((x - (1-c)) / c)) with G the integral of F, which is
// iterated on a grid; an error shrinks by the factor c each time.
class CorrelatedDraws {
 public:
  explicit CorrelatedDraws(double correlation) : c_(correlation), f_(kCells + 1), g_(kCells + 1) {
    for (std::size_t i = 0; i <= kCells; ++i) f_[i] = position(i);
    for (double change = 1; change > kPrecision;) change = iterate();
  }

  double below(double x) const { return interpolate(f_, std::clamp(x, 0.0, 1.0)); }

 private:
  static constexpr std::size_t kCells = 4096;
  static constexpr double kPrecision = 1e-10;

  static double position(std::size_t i) { return static_cast<double>(i) / kCells; }

  static double interpolate(const std::vector<double>& values, double x) {
    const double at = x * kCells;
    const auto cell = std::min(static_cast<std::size_t>(at), kCells - 1);
    return std::lerp(values[cell], values[cell + 1], at - static_cast<double>(cell));
  }

  double integral(double x) const {
    if (x <= 0) return 0;
    return x >= 1 ? g_[kCells] + (x - 1) : interpolate(g_, x);
  }

  double iterate() {
    for (std::size_t i = 1; i <= kCells; ++i) g_[i] = g_[i - 1] + (f_[i - 1] + f_[i]) / 2 / kCells;
    double change = 0;
    for (std::size_t i = 0; i <= kCells; ++i) {
      const double x = position(i);
      const double value = c_ / (1 - c_) * (integral(x / c_) - integral((x - (1 - c_)) / c_));
      change = std::max(change, std::abs(value - f_[i]));
      f_[i] = value;
    }
    return change;
  }

  double c_;
  std::vector<double> f_;
  std::vector<double> g_;
};

// The sum of so many small terms has a normal distribution.
double normal_below(double x, double correlation) {
  const double sigma = std::sqrt((1 - correlation) / (1 + correlation) / 12);
  return std::erfc((0.5 - x) / sigma / std::sqrt(2.0)) / 2;
}

double loss_of(const GilbertElliott& model) {
  const double leave = model.p + model.r;
  if (leave == 0) return model.loss_in_good;  // it begins in the good state
  return (model.r * model.loss_in_good + model.p * model.loss_in_bad) / leave;
}

// The shares of the states relative to the good one. In the steady state as many packets go from one state to another
// as come back: between 1 and 3, 3 and 2, 1 and 4.
double loss_of(const FourStateLoss& model) {
  const double isolated = model.p14;
  if (model.p13 == 0) return isolated / (1 + isolated);
  if (model.p31 == 0 && model.p32 == 0) return 1;
  if (model.p32 > 0 && model.p23 == 0) return 0;  // the burst ends in a state that receives and cannot be left
  const double received_for_each_lost = model.p32 > 0 ? model.p32 / model.p23 : 0;
  if (model.p31 == 0) return 1 / (1 + received_for_each_lost);  // never back in the good state
  const double lost = model.p13 / model.p31;
  const double received = lost * received_for_each_lost;
  return (lost + isolated) / (1 + lost + received + isolated);
}

}  // namespace

double expected_share(const Chance& chance) {
  // With full correlation each flow keeps its first draw, so that it chooses all of its packets or none. Over many
  // flows the share is p.
  if (chance.correlation <= 0 || chance.correlation >= 1 || chance.p <= 0 || chance.p >= 1) return chance.p;
  constexpr double kNormalFrom = 0.99;  // beyond it the iteration would take long and change nothing that is shown
  if (chance.correlation >= kNormalFrom) return normal_below(chance.p, chance.correlation);
  return CorrelatedDraws(chance.correlation).below(chance.p);
}

double expected_loss(const LossModel& loss) {
  if (const auto* random = std::get_if<RandomLoss>(&loss)) return expected_share(*random);
  if (const auto* ge = std::get_if<GilbertElliott>(&loss)) return loss_of(*ge);
  if (const auto* four = std::get_if<FourStateLoss>(&loss)) return loss_of(*four);
  return 0;
}

std::optional<double> expected_reordering(const LinkSpec::Reorder& reorder) {
  if (reorder.gap <= 1) return expected_share(reorder.chance);
  if (reorder.chance.correlation > 0) return std::nullopt;
  // After each packet that is sent at once, gap - 1 packets are passed over, and then it takes 1/p more in the mean.
  return 1 / (reorder.gap - 1 + 1 / reorder.chance.p);
}

}  // namespace mxp::netem
