// The two bits of the IP header that tell of congestion (RFC 3168 §5).
#pragma once

#include <cstdint>

namespace mxp {

enum class Ecn : std::uint8_t { not_ect = 0, ect1 = 1, ect0 = 2, ce = 3 };

}  // namespace mxp
