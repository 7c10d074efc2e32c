#include "reliability/congestion_controller.h"

#include "reliability/cubic.h"
#include "reliability/no_congestion_control.h"

namespace mxp {

std::unique_ptr<CongestionController> make_congestion_controller(CongestionControl algorithm,
                                                                 std::size_t max_datagram_bytes, bool paced) {
  if (algorithm == CongestionControl::none) return std::make_unique<NoCongestionControl>();
  return std::make_unique<Cubic>(max_datagram_bytes, paced);
}

}  // namespace mxp
