// Round trips as they are seen at the place of the capture: from a packet that passes to the acknowledgement that
// comes back. It is the part of the round trip that lies behind that place. Delays that the peer says it has waited are
// taken off.
#pragma once

#include <array>
#include <cstdint>

namespace mxp::dump {

class RoundTrip {
 public:
  void add(std::int64_t sample_ns);
  std::uint64_t samples() const { return samples_; }
  std::int64_t shortest_ns() const { return shortest_ns_; }
  std::int64_t longest_ns() const { return longest_ns_; }
  std::int64_t smoothed_ns() const { return smoothed_ns_; }  // RFC 6298 §2: an eighth of each new sample
  // The value that this share of the samples does not exceed, within a fifth.
  std::int64_t quantile_ns(double share) const;

 private:
  // Four for each doubling, from 1 µs to more than an hour.
  static constexpr std::size_t kBins = 128;
  static std::size_t bin_of(std::int64_t ns);
  std::array<std::uint32_t, kBins> bins_{};
  std::uint64_t samples_ = 0;
  std::int64_t shortest_ns_ = 0, longest_ns_ = 0, smoothed_ns_ = 0;
};

}  // namespace mxp::dump
