// MXP_SANITIZED: this is compiled for a sanitizer. Sanitizers keep freed memory on purpose and map more than can be
// searched, so tests that search the memory of their process are left out then. kSanitized is the same for an `if`.
#pragma once

#include <cstdint>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MXP_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define MXP_SANITIZED 1
#endif
#endif

namespace mxp::test {

#ifdef MXP_SANITIZED
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// Under a sanitizer a run takes twenty times as long, and what it looks for is in the first run as in the last: figures
// that need many runs are for ordinary builds.
constexpr std::uint64_t runs(std::uint64_t in_an_ordinary_build) { return kSanitized ? 1 : in_an_ordinary_build; }

}  // namespace mxp::test
