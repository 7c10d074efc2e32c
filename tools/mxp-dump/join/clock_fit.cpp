#include "mxp-dump/join/clock_fit.h"

#include <algorithm>
#include <limits>

namespace mxp::dump {
namespace {

constexpr std::size_t kMaxStretches = 4096;
constexpr double kMaxDrift = 1e-3;  // our choice: ten times what a broken oscillator does

}  // namespace

void ClockFit::Envelope::add(Point point) {
  if (count == 0) least_x = most_x = point.x;
  least_x = std::min(least_x, point.x);
  most_x = std::max(most_x, point.x);
  ++count;
  // Captures begin at the origin, but for a few packets out of order, which share the first stretch.
  const auto place_of = [this](double x) { return static_cast<std::size_t>(std::max(x, 0.0) / width_ns); };
  while (place_of(point.x) >= kMaxStretches) {
    width_ns *= 2;
    for (std::size_t i = 0; i < lowest.size(); ++i) {
      if (!lowest[i] || i == 0) continue;
      auto& half = lowest[i / 2];
      if (i / 2 != i && (!half || lowest[i]->y < half->y)) half = lowest[i];
      lowest[i].reset();
    }
  }
  const std::size_t place = place_of(point.x);
  if (lowest.size() <= place) lowest.resize(place + 1);
  if (!lowest[place] || point.y < lowest[place]->y) lowest[place] = point;
}

double ClockFit::Envelope::lowest_above(double slope) const {
  double least = std::numeric_limits<double>::infinity();
  for (const auto& point : lowest) {
    if (point) least = std::min(least, point->y - slope * point->x);
  }
  return least;
}

ClockFit::Point ClockFit::point(std::int64_t client_ns, std::int64_t difference_ns) {
  if (!begun_) {
    begun_ = true;
    base_ns_ = difference_ns;
  }
  return {static_cast<double>(client_ns - origin_ns_), static_cast<double>(difference_ns - base_ns_)};
}

void ClockFit::to_server(std::int64_t client_ns, std::int64_t difference_ns) {
  up_.add(point(client_ns, difference_ns));
}

void ClockFit::to_client(std::int64_t client_ns, std::int64_t difference_ns) {
  Point negated = point(client_ns, difference_ns);
  negated.y = -negated.y;
  down_.add(negated);
}

// The distance of the best line of this drift from both sides: a concave function.
double ClockFit::margin(double drift) const { return (up_.lowest_above(drift) + down_.lowest_above(-drift)) / 2; }

std::optional<ClockFit::Clocks> ClockFit::fit() const {
  if (up_.count == 0 || down_.count == 0) return std::nullopt;
  Clocks clocks{.origin_ns = origin_ns_, .base_ns = base_ns_};
  const double common = std::min(up_.most_x, down_.most_x) - std::max(up_.least_x, down_.least_x);
  if (common >= kLeastSecondsForDrift * 1e9 && std::min(up_.count, down_.count) >= kLeastPacketsForDrift) {
    double low = -kMaxDrift, high = kMaxDrift;
    for (int i = 0; i < 100; ++i) {
      const double third = (high - low) / 3;
      if (margin(low + third) < margin(high - third)) low += third;
      else high -= third;
    }
    clocks.drift = (low + high) / 2;
    // Every drift at which some line leaves all delays positive is possible.
    const auto edge = [&](double outside) {
      double inside = clocks.drift;
      for (int i = 0; i < 60; ++i) {
        const double middle = (inside + outside) / 2;
        (margin(middle) >= 0 ? inside : outside) = middle;
      }
      return inside;
    };
    clocks.drift_error = std::max(clocks.drift - edge(-kMaxDrift), edge(kMaxDrift) - clocks.drift);
  }
  clocks.error_ns = margin(clocks.drift);
  clocks.offset_ns = (up_.lowest_above(clocks.drift) - down_.lowest_above(-clocks.drift)) / 2;
  clocks.consistent = clocks.error_ns >= 0;
  return clocks;
}

}  // namespace mxp::dump
