// In steady state nothing is allocated: counted, for the carriers and the queue between them and the endpoint.
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <new>

#include "udp/transmit_queue.h"
#include "unit/udp/udp_support.h"

namespace {

std::atomic<std::uint64_t> allocations = 0;

}  // namespace

// Every form of new comes down to these two. Never inlined: g++ would see a new answered by free and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  ++allocations;
  const auto align = static_cast<std::size_t>(alignment);
  if (void* memory = std::aligned_alloc(align, (size + align - 1) / align * align)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace mxp::test {

BOOST_AUTO_TEST_SUITE(allocation)

BOOST_AUTO_TEST_CASE(sending_and_receiving_allocate_nothing) {
  for (const Kind kind : kKinds) {
    auto sender = make(kind);
    auto receiver = make(kind);
    TransmitQueue queue;
    const Datagram data = pattern(20 * 1200);
    const SocketAddress to = receiver->local_address();
    std::size_t received = 0;
    const std::uint64_t before = allocations;
    for (int round = 0; round < 20; ++round) {
      int left = 3;
      queue.pump(*sender, {}, 1u << 20, [&](MutableBytes buffer, const TransmitLimits&) -> std::optional<Transmit> {
        if (left-- == 0) return std::nullopt;
        std::copy(data.begin(), data.end(), buffer.begin());
        return Transmit{.remote = to, .local = {}, .segment_size = 1200, .size = data.size()};
      });
      for (bool more = true; more;) {
        const ReceiveResult result = receiver->receive();
        for (const ReceivedRun& run : result.runs) for_each_datagram(run, [&](MutableBytes) { ++received; });
        more = result.status == ReceiveStatus::more;
      }
    }
    BOOST_TEST(allocations == before);
    BOOST_TEST(received == 20u * 3 * 20);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::test
