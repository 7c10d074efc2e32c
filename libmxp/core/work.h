// Counts steps where a peer decides how many there are: elements looked at or moved. In a build of the library it does
// nothing. tests/work compiles the sources with MXP_COUNT_WORK, and holds the steps against the bytes that the peer had
// to send for them (docs/security.md, "Work for each byte").
#pragma once

#ifdef MXP_COUNT_WORK
#include <cstdint>

namespace mxp {
inline std::uint64_t work_done = 0;
}
#define MXP_WORK(steps) (::mxp::work_done += static_cast<std::uint64_t>(steps))
#else
#define MXP_WORK(steps) static_cast<void>(0)
#endif
