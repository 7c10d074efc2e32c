#include "netem/delivery_trace.h"

#include <fmt/format.h>

#include <algorithm>

#include "netem/words.h"

namespace mxp::netem {
namespace {

constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;

}  // namespace

std::expected<std::vector<std::uint32_t>, std::string> parse_delivery_trace(std::string_view text) {
  std::vector<std::uint32_t> opportunities;
  std::size_t line_number = 0;
  while (!text.empty()) {
    ++line_number;
    std::string_view line = take_line(text);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto milliseconds = whole_number<std::uint32_t>(line);
    if (!milliseconds) {
      return std::unexpected(fmt::format("line {}: one whole number of milliseconds expected", line_number));
    }
    if (!opportunities.empty() && *milliseconds < opportunities.back()) {
      return std::unexpected(fmt::format("line {}: {} is before the {} of the line above", line_number, *milliseconds,
                                         opportunities.back()));
    }
    opportunities.push_back(*milliseconds);
  }
  if (opportunities.empty()) return std::unexpected(std::string("no delivery opportunity in it"));
  if (opportunities.back() == 0)
    return std::unexpected(std::string("the last line must be above 0: it is the length of the trace"));
  return opportunities;
}

Duration DeliveryTrace::time_of(const Place& place) const {
  const auto milliseconds = place.lap * opportunities_ms_.back() + opportunities_ms_[place.index];
  return Duration(static_cast<Duration::rep>(milliseconds) * kNanosecondsPerMillisecond);
}

void DeliveryTrace::advance() {
  bytes_left_ = kOpportunityBytes;
  if (++next_.index == opportunities_ms_.size()) next_ = {.lap = next_.lap + 1, .index = 0};
}

// By arithmetic, not step by step, since a link may have been idle for hours.
DeliveryTrace::Place DeliveryTrace::first_at_or_after(Duration ready) const {
  if (time_of(next_) >= ready) return next_;
  const auto wanted_ms =
      static_cast<std::uint64_t>((ready.count() + kNanosecondsPerMillisecond - 1) / kNanosecondsPerMillisecond);
  const std::uint64_t period = opportunities_ms_.back();
  const std::uint64_t lap = (wanted_ms - 1) / period;  // wanted_ms > 0; the end of a lap belongs to it, not to the next
  const auto within = static_cast<std::uint32_t>(wanted_ms - lap * period);
  const auto found = std::lower_bound(opportunities_ms_.begin(), opportunities_ms_.end(), within);
  return {.lap = lap, .index = static_cast<std::size_t>(found - opportunities_ms_.begin())};
}

Duration DeliveryTrace::next_opportunity(Duration ready) const { return time_of(first_at_or_after(ready)); }

Duration DeliveryTrace::departure(Duration ready, std::uint64_t bytes) {
  if (time_of(next_) < ready) {
    next_ = first_at_or_after(ready);
    bytes_left_ = kOpportunityBytes;
  }
  while (bytes > bytes_left_) {
    bytes -= bytes_left_;
    advance();
  }
  bytes_left_ -= static_cast<std::uint32_t>(bytes);
  const Duration last_byte = time_of(next_);
  if (bytes_left_ == 0) advance();
  return last_byte;
}

}  // namespace mxp::netem
