#include "mxp-perf/mtu_advice.h"

#include <fmt/format.h>

#include "common/units.h"

namespace mxp::perf {
namespace {

// Common sizes: Ethernet, a tunnel over Ethernet, and the least that IPv6 guarantees.
std::size_t smaller(std::size_t mtu) {
  for (const std::size_t size : {1500, 1400, 1280})
    if (size < mtu) return size;
  return kLeastMtu;
}

}  // namespace

bool may_be_too_large(const Workload& workload, std::size_t mtu) {
  constexpr std::uint64_t kFitsSmallPacket = 1100;
  if (workload.test == Test::rr && workload.size <= kFitsSmallPacket) return false;
  return mtu > kLeastMtu || workload.flow != LoadDirection::up;
}

std::string mtu_advice(const StuckTest& test) {
  if (test.refused_here)
    return fmt::format("packets of {} bytes (--mtu) are larger than this machine's interface takes; try --mtu {}",
                       test.mtu, smaller(test.mtu));
  const std::string after = tools::format_duration(test.after);
  if (test.stuck == LoadDirection::down)
    return fmt::format(
        "the server answers, and none of its data came through in {}; the path may not carry packets as large as "
        "the server builds: try mxp-perf server --mtu 1400, or less",
        after);
  return fmt::format(
      "the server answers, and no data came through in {}; the path may not carry packets of {} bytes (--mtu): try "
      "--mtu {}{}",
      after, test.mtu, smaller(test.mtu), test.stuck == LoadDirection::both ? " here and at the server" : "");
}

}  // namespace mxp::perf
