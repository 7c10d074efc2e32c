// A recorded link in the format of Mahimahi (Netravali et al., USENIX ATC 2015): one decimal number a line, the
// millisecond at which 1500 bytes may leave; a line repeated means more of them; the whole repeats after its last
// millisecond. Bytes of an opportunity for which no packet waited are not kept for later.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "mxp/time.h"
#include "netem/shared_list.h"

namespace mxp::netem {

inline constexpr std::uint32_t kOpportunityBytes = 1500;

// A good trace is not empty, its numbers never go back, and the last one is above 0. The error names the line at fault.
std::expected<std::vector<std::uint32_t>, std::string> parse_delivery_trace(std::string_view text);

// Hands out the opportunities. Times are since the start of the trace.
class DeliveryTrace {
 public:
  DeliveryTrace() = default;
  // REQUIRES: empty, or what parse_delivery_trace() accepts.
  explicit DeliveryTrace(SharedList<std::uint32_t> opportunities_ms) : opportunities_ms_(std::move(opportunities_ms)) {}

  bool empty() const { return opportunities_ms_.empty(); }
  const SharedList<std::uint32_t>& opportunities_ms() const { return opportunities_ms_; }
  // The first one that is left at or after `ready`.
  Duration next_opportunity(Duration ready) const;
  // Takes the opportunities for a packet that is ready at `ready`, after those of the packets before it. Returns when
  // its last byte leaves.
  Duration departure(Duration ready, std::uint64_t bytes);

 private:
  struct Place {
    std::uint64_t lap = 0;
    std::size_t index = 0;
  };
  Duration time_of(const Place& place) const;
  Place first_at_or_after(Duration ready) const;
  void advance();

  SharedList<std::uint32_t> opportunities_ms_;
  Place next_;
  std::uint32_t bytes_left_ = kOpportunityBytes;
};

}  // namespace mxp::netem
