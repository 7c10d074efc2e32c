// One direction of a relayed TCP connection: bytes from one socket reach the other when the link lets them, delayed and
// at its rate, none lost, copied or out of order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "mxp/time.h"
#include "netem/link.h"

namespace mxp::tools {

// What of a link holds for bytes that TCP has acknowledged already: delay, rate and slots, but no loss, and no queue
// that could drop. Losses would have to happen to TCP's packets, which a relay of byte streams never sees.
netem::LinkSpec spec_for_tcp(const netem::LinkSpec& spec);

class TcpPipe {
 public:
  TcpPipe(const netem::LinkSpec& spec, std::uint64_t seed, netem::Direction direction, std::uint64_t connection);

  // Whether there is room for more. Without it the sender waits, as TCP has it.
  bool wants_input() const { return !input_ended_ && held_ < kMostHeld; }
  // Whether bytes wait for the receiver's socket to take them.
  bool wants_output() const { return sent_ < ready_.size(); }
  // All that was read has been written, and there will be no more: the other side is to hear of the end.
  bool finished() const { return input_ended_ && held_ == 0 && !end_passed_on_; }
  bool done() const { return end_passed_on_; }

  // Reads what is there, up to the bound. False if the connection broke.
  bool read_from(int fd, Timestamp now);
  // Takes off the link what is due and writes what the socket takes. Passes the end on. False if the connection broke.
  bool write_to(int fd, Timestamp now);
  // kNever while nothing is on its way.
  Timestamp next_event() const;
  void change(const netem::LinkSpec& spec) { link_.change(spec_for_tcp(spec)); }
  std::uint64_t bytes() const { return bytes_; }
  // Of the bytes that left the link, those in memory: they wait for the socket, or were written not long ago.
  std::size_t buffered() const { return ready_.size(); }
  static constexpr std::size_t kMostHeld = 4u << 20;  // our choice: 1 Gbit/s for 30 ms, 100 Mbit/s for 300 ms

 private:
  static constexpr std::size_t kSegment = 1448;  // what Ethernet carries of TCP with time stamps

  netem::Link link_;
  std::uint64_t flow_;
  std::vector<std::uint8_t> ready_;
  std::size_t sent_ = 0;  // of ready_
  std::size_t held_ = 0;  // read, not yet written
  std::uint64_t bytes_ = 0;
  bool input_ended_ = false;
  bool end_passed_on_ = false;
};

}  // namespace mxp::tools
