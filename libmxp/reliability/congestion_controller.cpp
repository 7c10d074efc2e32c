#include "reliability/congestion_controller.h"

#include <algorithm>

#include "reliability/cubic.h"
#include "reliability/no_congestion_control.h"

namespace mxp {

std::uint64_t initial_window(std::size_t max_datagram_bytes) {
  const std::uint64_t bytes = max_datagram_bytes;
  return std::min(10 * bytes, std::max<std::uint64_t>(14720, 2 * bytes));
}

std::unique_ptr<CongestionController> make_congestion_controller(CongestionControl algorithm,
                                                                 std::size_t max_datagram_bytes, bool paced) {
  if (algorithm == CongestionControl::none) return std::make_unique<NoCongestionControl>();
  return std::make_unique<Cubic>(max_datagram_bytes, paced);
}

}  // namespace mxp
