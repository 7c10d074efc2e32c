// What one direction did over time, in slots of equal width. When the slots run out, each two become one: memory is
// constant, however long the capture.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace mxp::dump {

struct Slot {
  std::uint64_t sent_bytes = 0;
  std::uint64_t sent_packets = 0;
  std::uint64_t acknowledged_bytes = 0;  // told in this slot
  std::uint64_t lost_packets = 0;        // sent in this slot
  std::uint64_t highest_flight = 0;      // bytes
  std::int64_t shortest_rtt_ns = 0;      // 0: no sample
  std::int64_t longest_rtt_ns = 0;
  std::int64_t busy_ns = 0;  // of the slot, in which data was under way and nothing else explains the waiting

  Slot& operator+=(const Slot& other) {
    sent_bytes += other.sent_bytes;
    sent_packets += other.sent_packets;
    acknowledged_bytes += other.acknowledged_bytes;
    lost_packets += other.lost_packets;
    highest_flight = std::max(highest_flight, other.highest_flight);
    if (other.shortest_rtt_ns != 0)
      shortest_rtt_ns = shortest_rtt_ns == 0 ? other.shortest_rtt_ns : std::min(shortest_rtt_ns, other.shortest_rtt_ns);
    longest_rtt_ns = std::max(longest_rtt_ns, other.longest_rtt_ns);
    busy_ns += other.busy_ns;
    return *this;
  }
  void add_rtt(std::int64_t sample_ns) {
    shortest_rtt_ns = shortest_rtt_ns == 0 ? sample_ns : std::min(shortest_rtt_ns, sample_ns);
    longest_rtt_ns = std::max(longest_rtt_ns, sample_ns);
  }
};

class History {
 public:
  static constexpr std::size_t kMaxSlots = 256;              // our choice: 14 KiB for each direction
  static constexpr std::int64_t kFirstWidthNs = 10'000'000;  // our choice: about a short round trip

  // Times before the first one count as the first.
  Slot& at(std::int64_t time_ns);
  std::int64_t width_ns() const { return width_ns_; }
  const std::vector<Slot>& slots() const { return slots_; }
  // The same in slots of at least this width.
  std::vector<Slot> in_slots_of(std::int64_t least_width_ns, std::int64_t& width_ns) const;

 private:
  static void halve(std::vector<Slot>& slots);
  std::vector<Slot> slots_;
  std::int64_t begin_ns_ = 0;
  std::int64_t width_ns_ = kFirstWidthNs;
};

}  // namespace mxp::dump
