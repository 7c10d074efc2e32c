// Sealing and opening allocate nothing once their objects exist: counted both here (operator new) and inside OpenSSL.
#include <openssl/crypto.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <new>
#include <vector>

#include "crypto/packet_protection.h"
#include "unit/crypto/bytes_of.h"

namespace {

std::atomic<std::uint64_t> allocations{0};

void* counted_malloc(std::size_t size, const char*, int) {
  ++allocations;
  return std::malloc(size);
}
void* counted_realloc(void* pointer, std::size_t size, const char*, int) {
  ++allocations;
  return std::realloc(pointer, size);
}
void counted_free(void* pointer, const char*, int) { std::free(pointer); }

// OpenSSL takes other functions only until its first allocation, which static objects of other files make too.
bool hooked = false;
[[gnu::constructor(101)]] void hook_openssl() {
  hooked = CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free) == 1;
}

}  // namespace

// Not inlined: the compiler would otherwise see malloc and delete, or new and free, side by side, and take them for a
// mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* pointer = std::malloc(size == 0 ? 1 : size)) return pointer;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* pointer) noexcept { std::free(pointer); }
[[gnu::noinline]] void operator delete(void* pointer, std::size_t) noexcept { std::free(pointer); }

namespace mxp::test {
namespace {

constexpr std::size_t kPackets = 64, kPacketSize = 1200, kHeaderSize = kShortHeaderSize + 2;

}  // namespace

BOOST_AUTO_TEST_SUITE(allocation)

BOOST_AUTO_TEST_CASE(protecting_and_opening_packets_allocates_nothing) {
  BOOST_REQUIRE(hooked);
  for (const Suite suite : kSuites) {
    const TrafficSecret secret = hex_secret(to_hex(counting(1, 32)));
    PacketSealer sealer(suite, secret);
    PacketOpener opener(suite, secret);
    ReplayWindow window;
    std::vector<Bytes> packets(kPackets, Bytes(kPacketSize));
    std::vector<HeaderSlot> slots(kPackets);
    std::vector<MutableBytes> views(packets.begin(), packets.end());
    std::vector<PacketOpener::Result> results(kPackets, std::unexpected(DropReason::malformed_header));
    std::uint64_t opened = 0, number = 0, before = 0;
    for (int round = 0; round < 3; ++round) {
      before = allocations;  // of the last round
      for (std::size_t i = 0; i < kPackets; ++i, ++number) {
        packets[i][0] = 0x41;
        packets[i][kShortHeaderSize] = static_cast<std::uint8_t>(number >> 8);
        packets[i][kShortHeaderSize + 1] = static_cast<std::uint8_t>(number);
        sealer.seal_payload(packets[i], kHeaderSize, PacketNumber(number));
        slots[i] = {packets[i].data(), 2};
      }
      sealer.protect_headers(slots);
      packets[5][600] ^= 1;  // a forgery costs no more
      opener.open_batch(views, window, results);
      for (const auto& result : results) opened += result.has_value() ? 1 : 0;
    }
    const std::uint64_t in_last_round = allocations - before;
    BOOST_TEST(in_last_round == 0u);
    BOOST_TEST(opened == 3 * (kPackets - 1));
  }
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace mxp::test
