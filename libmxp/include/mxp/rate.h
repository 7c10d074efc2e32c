// A rate of bytes: a type of its own, so that bits and bytes cannot be mixed up.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

#include "mxp/require.h"
#include "mxp/time.h"

#pragma GCC visibility push(default)
namespace mxp {

class ByteRate {
  __extension__ using Wide = unsigned __int128;  // products of 64-bit numbers

 public:
  constexpr ByteRate() = default;
  static constexpr ByteRate bytes_per_second(std::uint64_t value) { return ByteRate(value); }
  static constexpr ByteRate bits_per_second(std::uint64_t value) { return ByteRate(value / 8); }
  // The rate at which `bytes` take `span`, rounded down. REQUIRES: span > 0.
  static constexpr ByteRate over(std::uint64_t bytes, Duration span) {
    MXP_REQUIRE(span.count() > 0);
    return ByteRate(static_cast<std::uint64_t>(static_cast<Wide>(bytes) * 1'000'000'000u /
                                               static_cast<std::uint64_t>(span.count())));
  }

  constexpr std::uint64_t bytes_per_second() const { return bytes_per_second_; }
  constexpr std::uint64_t bits_per_second() const { return bytes_per_second_ * 8; }
  constexpr bool is_zero() const { return bytes_per_second_ == 0; }

  // How long `bytes` take at this rate, rounded up. REQUIRES: !is_zero().
  constexpr Duration time_for(std::uint64_t bytes) const {
    MXP_REQUIRE(!is_zero());
    const auto nanoseconds = (static_cast<Wide>(bytes) * 1'000'000'000u + bytes_per_second_ - 1) / bytes_per_second_;
    return Duration(static_cast<Duration::rep>(nanoseconds));
  }
  // How many whole bytes fit into `span`; 0 for a negative one.
  constexpr std::uint64_t bytes_in(Duration span) const {
    if (span.count() <= 0) return 0;
    return static_cast<std::uint64_t>(static_cast<Wide>(bytes_per_second_) * static_cast<std::uint64_t>(span.count()) /
                                      1'000'000'000u);
  }

  constexpr auto operator<=>(const ByteRate&) const = default;

 private:
  explicit constexpr ByteRate(std::uint64_t value) : bytes_per_second_(value) {}
  std::uint64_t bytes_per_second_ = 0;
};

}  // namespace mxp
#pragma GCC visibility pop
