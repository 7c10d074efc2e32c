// What a capture at each end of a simulated path holds, with the secrets that open it, and the findings of mxp-dump for
// it. The faults of a capture itself (a clock that jumps, packets that were missed) are made here as well.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mxp-dump/analysis/judges.h"
#include "support/sim_pair.h"

namespace mxp::test {

struct CapturedDatagram {
  std::int64_t time_ns = 0;
  SocketAddress from, to;
  std::vector<std::uint8_t> bytes;
};
using Capture = std::vector<CapturedDatagram>;

class SimCapture {
 public:
  explicit SimCapture(SimPair& sim);
  // A datagram that the simulator does not carry: forged, copied or delayed by the test.
  void add(Role at, ByteView datagram, const SocketAddress& from, const SocketAddress& to);

  Capture at_client, at_server;
  std::string key_log;

 private:
  SimPair& sim_;
};

enum class Keys : std::uint8_t { with, without };

struct Diagnosis {
  std::uint64_t connection = 0;
  std::uint64_t packets = 0;
  std::int64_t length_ns = 0;
  dump::Findings findings;
  dump::TimeAccount::Sums time;
};
// One for each connection of the capture.
std::vector<Diagnosis> diagnose(const Capture& capture, const std::string& key_log);

}  // namespace mxp::test
