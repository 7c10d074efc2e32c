// Views of bytes. Nothing here owns memory: a view is valid as long as what it looks at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace mxp {

using ByteView = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

}  // namespace mxp
