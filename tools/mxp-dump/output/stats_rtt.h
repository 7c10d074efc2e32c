// Round trips as the place of the capture sees them: from a packet that passes it to the first acknowledgement that
// comes back past it, less the delay that the acknowledgement says it waited. That is the round trip between this place
// and the receiver, and not the whole one.
//
// As RFC 9002 §5.1 has it, an ACK frame gives a sample if it acknowledges a larger number than all before, and that very
// packet had to be acknowledged. Packet and acknowledgement have to be seen on one path.
#pragma once

#include <cstdint>
#include <deque>

#include "mxp-dump/dissect/record.h"
#include "mxp-dump/output/stats_histogram.h"

namespace mxp::dump {

class StatsRtt {
 public:
  // Our choice: packets of one direction that wait for their acknowledgement; 1.5 MiB. The oldest are forgotten first.
  static constexpr std::size_t kMaxOutstanding = 65'536;

  // A packet of this direction was captured. Returns by how many the number of packets in memory has changed.
  std::ptrdiff_t sent(const PacketRecord& record, bool room);
  // A packet of the other direction was.
  std::ptrdiff_t answered(const PacketRecord& record);
  const StatsHistogram& samples_us() const { return samples_us_; }
  std::size_t outstanding() const { return outstanding_.size(); }

 private:
  struct Sent {
    std::uint64_t number;
    std::uint64_t time_ns;
    std::uint64_t path;
  };
  static std::uint64_t path_of(const SocketAddress& from, const SocketAddress& to);

  std::deque<Sent> outstanding_;  // ascending
  std::optional<std::uint64_t> largest_acknowledged_;
  StatsHistogram samples_us_;
};

}  // namespace mxp::dump
