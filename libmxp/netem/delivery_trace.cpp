#include "netem/delivery_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace mxp::netem {
namespace {

constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;

}  // namespace

std::expected<std::vector<std::uint32_t>, std::string> parse_delivery_trace(std::string_view text) {
  std::vector<std::uint32_t> opportunities;
  std::size_t line_number = 0;
  while (!text.empty()) {
    ++line_number;
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    std::uint32_t milliseconds = 0;
    const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), milliseconds);
    if (error != std::errc() || stop != line.data() + line.size()) {
      return std::unexpected(fmt::format("line {}: one whole number of milliseconds expected", line_number));
    }
    if (!opportunities.empty() && milliseconds < opportunities.back()) {
      return std::unexpected(fmt::format("line {}: {} is before the {} of the line above", line_number, milliseconds,
                                         opportunities.back()));
    }
    opportunities.push_back(milliseconds);
  }
  if (opportunities.empty()) return std::unexpected(std::string("no delivery opportunity in it"));
  if (opportunities.back() == 0)
    return std::unexpected(std::string("the last line must be above 0: it is the length of the trace"));
  return opportunities;
}

Duration DeliveryTrace::time_of_current() const {
  const auto milliseconds = lap_ * opportunities_ms_.back() + opportunities_ms_[next_];
  return Duration(static_cast<Duration::rep>(milliseconds) * kNanosecondsPerMillisecond);
}

void DeliveryTrace::advance() {
  bytes_left_ = kOpportunityBytes;
  if (++next_ == opportunities_ms_.size()) {
    next_ = 0;
    ++lap_;
  }
}

// Goes to the first opportunity at or after `ready` by arithmetic, not step by step, since a link may have been idle
// for hours.
void DeliveryTrace::skip_to(Duration ready) {
  const auto wanted_ms =
      static_cast<std::uint64_t>((ready.count() + kNanosecondsPerMillisecond - 1) / kNanosecondsPerMillisecond);
  const std::uint64_t period = opportunities_ms_.back();
  lap_ = (wanted_ms - 1) / period;  // wanted_ms > 0; the end of a lap belongs to it, not to the next one
  const auto within = static_cast<std::uint32_t>(wanted_ms - lap_ * period);
  next_ = static_cast<std::size_t>(std::lower_bound(opportunities_ms_.begin(), opportunities_ms_.end(), within) -
                                   opportunities_ms_.begin());
  bytes_left_ = kOpportunityBytes;
}

Duration DeliveryTrace::departure(Duration ready, std::uint64_t bytes) {
  if (time_of_current() < ready) skip_to(ready);
  while (bytes > bytes_left_) {
    bytes -= bytes_left_;
    advance();
  }
  bytes_left_ -= static_cast<std::uint32_t>(bytes);
  const Duration last_byte = time_of_current();
  if (bytes_left_ == 0) advance();
  return last_byte;
}

}  // namespace mxp::netem
