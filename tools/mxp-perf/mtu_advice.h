// A test that begins and moves no data: the sign of packets that are larger than the path carries, since handshake and
// control messages are small and there is no path MTU discovery yet (docs/protocol.md §10).
#pragma once

#include <string>

#include "mxp-perf/options.h"
#include "mxp/time.h"

namespace mxp::perf {

// How long the first data may take. Our choice: long enough for several probes (RFC 9002 §6.2), and a loss or two.
constexpr Duration first_data_limit(Duration smoothed_rtt) {
  return std::max<Duration>(std::chrono::seconds(3), 4 * smoothed_rtt);
}

// Whether data of this workload fill packets of this size. Data that fit into packets as small as a handshake's are
// lost for another reason.
bool may_be_too_large(const Workload& workload, std::size_t mtu);

struct StuckTest {
  LoadDirection stuck = LoadDirection::up;  // both: call and response
  std::size_t mtu = 0;                      // ours
  bool refused_here = false;                // the socket did not take the packets (EMSGSIZE)
  Duration after{};
};

// What happened and which --mtu to try, without the server's name.
std::string mtu_advice(const StuckTest& test);

}  // namespace mxp::perf
