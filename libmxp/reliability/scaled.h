// A number of bytes, or a rate, times a factor.
#pragma once

#include <cstdint>

#include "mxp/rate.h"

namespace mxp {

inline std::uint64_t scaled(std::uint64_t value, double factor) {
  return static_cast<std::uint64_t>(factor * static_cast<double>(value));
}

inline ByteRate scaled(ByteRate rate, double factor) {
  return ByteRate::bytes_per_second(scaled(rate.bytes_per_second(), factor));
}

}  // namespace mxp
