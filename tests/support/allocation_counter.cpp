#include "support/allocation_counter.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::uint64_t> g_allocations = 0;
std::atomic<std::int64_t> g_live = 0;

void* counted(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  ++g_allocations;
  g_live += static_cast<std::int64_t>(malloc_usable_size(memory));
  return memory;
}
void release(void* memory) {
  if (memory == nullptr) return;
  g_live -= static_cast<std::int64_t>(malloc_usable_size(memory));
  std::free(memory);
}

}  // namespace

// Every form of new comes down to these, of which a sanitizer would otherwise keep the one that does not throw (as
// std::stable_sort calls it) to itself. Never inlined: g++ would see a new answered by free and warn.
[[gnu::noinline]] void* operator new(std::size_t size) { return counted(std::malloc(size == 0 ? 1 : size)); }
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  void* const memory = std::malloc(size == 0 ? 1 : size);
  return memory == nullptr ? nullptr : counted(memory);
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto align = static_cast<std::size_t>(alignment);
  return counted(std::aligned_alloc(align, (size + align - 1) / align * align));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { release(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { release(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }

namespace mxp::test {

std::uint64_t allocations() { return g_allocations; }
std::int64_t live_bytes() { return g_live; }

}  // namespace mxp::test
