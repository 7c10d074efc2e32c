// Nothing is allocated for a packet once the buffers have their size: counted with the global operator new.
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <new>

#include "reliability/ack_tracker.h"
#include "unit/reliability/sender.h"

namespace {
std::size_t allocations = 0;
}

// Not inlined: seen next to each other, malloc and delete look like a mismatch to the compiler.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

using namespace mxp;
using namespace mxp::testing;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(reliability_allocation)

BOOST_AUTO_TEST_CASE(steady_state_allocates_nothing) {
  RecoveryConfig config;
  config.congestion_control = CongestionControl::none;
  Sender sender(config);
  AckTracker tracker(25ms);
  tracker.report_receive_times(64, at(1s));
  const auto before_anything = allocations;
  std::size_t settled = 0;

  const auto rounds = [&](int count, Timestamp now) {
    for (int i = 0; i < count; ++i, now += 10ms) {
      const std::uint64_t first = sender.next;
      sender.send_many(now, 100);
      for (std::uint64_t number = first; number < sender.next; ++number) {
        if (number % 10 != 3) tracker.on_packet_received(now, PacketNumber(number), true);
      }
      // One range, as an ACK without gaps is, then another with a late packet and a loss.
      const AckRange upper = range(first + 50, first + 99);
      const AckFrame frame{.largest = upper.last, .delay = {}, .ranges = AckRanges(upper, {}, 0), .ecn = {}};
      const AckRange lower = range(first + 5, first + 40);
      const AckFrame late{.largest = lower.last, .delay = {}, .ranges = AckRanges(lower, {}, 0), .ecn = {}};
      settled += sender.recovery.on_ack(now + 5ms, frame)->lost.size();
      settled += sender.recovery.on_ack(now + 6ms, late)->spurious;
      sender.recovery.on_deadline(now + 7ms);
      tracker.on_ack_sent(now);
      tracker.on_ack_acknowledged(PacketNumber(sender.next - 1));
    }
    return now;
  };
  const Timestamp now = rounds(50, at(1s));
  BOOST_TEST(allocations > before_anything);  // the counter works, and the buffers grew
  const auto warm = allocations;
  rounds(500, now);
  const auto after = allocations;
  BOOST_TEST(after - warm == 0u);
  BOOST_TEST(settled > 500u);
}

BOOST_AUTO_TEST_SUITE_END()
