#include "reliability/congestion_controller.h"

#include <algorithm>

#include "reliability/bbr.h"
#include "reliability/cubic.h"
#include "reliability/newreno.h"
#include "reliability/no_congestion_control.h"

namespace mxp {

std::uint64_t initial_window(std::size_t max_datagram_bytes) {
  const std::uint64_t bytes = max_datagram_bytes;
  return std::min(10 * bytes, std::max<std::uint64_t>(14720, 2 * bytes));
}

std::unique_ptr<CongestionController> make_congestion_controller(CongestionControl algorithm,
                                                                 std::size_t max_datagram_bytes, bool paced) {
  switch (algorithm) {
    case CongestionControl::bbr: return std::make_unique<Bbr>(max_datagram_bytes);
    case CongestionControl::cubic: return std::make_unique<Cubic>(max_datagram_bytes, paced);
    case CongestionControl::newreno: return std::make_unique<NewReno>(max_datagram_bytes, paced);
    case CongestionControl::none: return std::make_unique<NoCongestionControl>();
  }
  return nullptr;  // not reached, because validate() refuses other values
}

}  // namespace mxp
