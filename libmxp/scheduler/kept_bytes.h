// What a stream object keeps of its memory for the next stream: a short stream fits, a bulk stream's megabytes go back.
#pragma once

#include <cstddef>

namespace mxp {

inline constexpr std::size_t kKeptBytes = 4096;

}  // namespace mxp
