// When things are due in a test with a rate (open loop): at fixed distances, or as a Poisson process has it, whose
// distances are exponential, so that what comes independently of each other also comes close together now and then.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string_view>

#include "mxp/time.h"

namespace mxp::perf {

enum class ArrivalLaw : std::uint8_t { fixed, poisson };
std::string_view to_string(ArrivalLaw law);
std::optional<ArrivalLaw> arrival_law_of(std::string_view name);

// Another one for each client, so that several do not come at the same moments.
std::uint64_t random_seed();

class Arrivals {
 public:
  // REQUIRES: per_second > 0.
  Arrivals(ArrivalLaw law, double per_second, std::uint64_t seed);

  void begin(Timestamp now);
  Timestamp next() const { return next_; }          // when the next one is due
  std::uint64_t number() const { return number_; }  // of those before it
  void advance();

  // How many are due before `end`, from the next one on. By the mean distance: what a Poisson process would have made
  // of this time is not drawn, since there can be very many.
  std::uint64_t left_before(Timestamp end) const;
  // When the one that is `index` after the next one is due, in the same sense.
  Timestamp later(std::uint64_t index) const;

 private:
  ArrivalLaw law_;
  double per_second_;
  std::mt19937_64 random_;
  std::exponential_distribution<double> distance_;  // seconds
  Timestamp begin_{}, next_{};
  double seconds_ = 0;  // Poisson: from the begin to the next one
  std::uint64_t number_ = 0;
};

}  // namespace mxp::perf
