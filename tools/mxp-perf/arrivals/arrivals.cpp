#include "mxp-perf/arrivals/arrivals.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "mxp/event_loop.h"
#include "mxp/random.h"

namespace mxp::perf {

namespace {

// The longest time that is calculated with, so that no rate, however low, makes more than a Duration holds.
constexpr double kMostSeconds = 1e9;

Duration seconds_of(double seconds) { return Duration(std::llround(std::min(seconds, kMostSeconds) * 1e9)); }

}  // namespace

std::string_view to_string(ArrivalLaw law) { return law == ArrivalLaw::fixed ? "fixed" : "poisson"; }

std::optional<ArrivalLaw> arrival_law_of(std::string_view name) {
  if (name == "fixed") return ArrivalLaw::fixed;
  if (name == "poisson") return ArrivalLaw::poisson;
  return std::nullopt;
}

std::uint64_t random_seed() { return random_u64(system_random()); }

Arrivals::Arrivals(ArrivalLaw law, double per_second, std::uint64_t seed)
    : law_(law), per_second_(per_second), random_(seed), distance_(per_second) {}

void Arrivals::begin(Timestamp now) {
  begin_ = next_ = now;
  number_ = 0;
  seconds_ = 0;
  if (law_ == ArrivalLaw::fixed) return;
  seconds_ = distance_(random_);
  next_ = begin_ + seconds_of(seconds_);
}

void Arrivals::advance() {
  ++number_;
  // Calculated from the begin and not step by step, so that rounding does not add up.
  if (law_ == ArrivalLaw::fixed) seconds_ = static_cast<double>(number_) / per_second_;
  else seconds_ += distance_(random_);
  next_ = begin_ + seconds_of(seconds_);
}

std::uint64_t Arrivals::left_before(Timestamp end) const {
  const double seconds = std::chrono::duration<double>(end - next_).count();
  return seconds <= 0 ? 0 : static_cast<std::uint64_t>(std::max(0.0, std::ceil(seconds * per_second_ - 1e-6)));
}

Timestamp Arrivals::later(std::uint64_t index) const {
  return next_ + seconds_of(static_cast<double>(index) / per_second_);
}

}  // namespace mxp::perf
