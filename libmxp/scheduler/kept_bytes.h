// How much of its memory a stream object keeps for the next stream: a short stream fits, and a bulk stream's megabytes
// go back.
#pragma once

#include <cstddef>

namespace mxp {

inline constexpr std::size_t kKeptBytes = 4096;

}  // namespace mxp
