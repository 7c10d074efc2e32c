// MXP_SANITIZED: this is compiled for a sanitizer. Sanitizers keep freed memory on purpose and map more than can be
// searched, so tests that search the memory of their process are left out then.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MXP_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define MXP_SANITIZED 1
#endif
#endif
