// Counts what operator new does in a binary that links this: for tests that say "nothing is allocated per packet" and
// "a flood leaves nothing behind". The two functions are the only interface; linking them replaces the global
// operators.
#pragma once

#include <cstdint>

namespace mxp::test {

// Calls of operator new since the start.
std::uint64_t allocations();
// Bytes of the heap that were allocated by operator new and are in use now.
std::int64_t live_bytes();

}  // namespace mxp::test
