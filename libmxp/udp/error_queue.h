// The queue of errors that came back for what a socket sent (ip(7), IP_RECVERR). Linux also fails one later send or
// receive call, on whatever address, with the errno of each: the queue alone says of whom it speaks.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "mxp/address.h"
#include "mxp/event_loop.h"
#include "udp/syscalls.h"

namespace mxp {

class ErrorQueue {
 public:
  ErrorQueue(int fd, Syscalls& syscalls) : fd_(fd), syscalls_(syscalls) {}

  struct Drained {
    std::size_t reports = 0;  // of the network or of our own kernel: as many later calls may have failed innocently
    bool failed = false;      // reading it failed in a way that may last
  };
  // Reads what is there, a bounded number: what does not fit stays in the kernel for the next time.
  Drained drain(CarrierStats& stats);

  // Addresses of which ICMP said "port unreachable", each once.
  std::optional<SocketAddress> poll_unreachable();

 private:
  // A port unreachable ends handshakes only, so few are awaited at once; more of them are forgotten, as ICMP may be.
  static constexpr std::size_t kMaxUnreachable = 32;
  static constexpr std::size_t kMaxReportsAtOnce = 64;

  void remember(const SocketAddress& address);

  int fd_;
  Syscalls& syscalls_;
  std::array<SocketAddress, kMaxUnreachable> unreachable_{};
  std::size_t count_ = 0;
};

}  // namespace mxp
