// The queue of errors that came back for what a socket sent (ip(7), IP_RECVERR). For each of them Linux also lets one
// later send or receive call fail with its errno, whatever the address of that call. Only the queue says which address
// an error belongs to.
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
    std::size_t reports = 0;  // from the network or our own kernel: up to so many later calls may fail because of them
    bool too_large = false;   // our own kernel refused a datagram for its size: no ICMP message can say so
    bool failed = false;      // reading it failed in a way that may last
  };
  // Reads a bounded number of reports; the others stay in the kernel until the next time.
  Drained drain(CarrierStats& stats);

  // The addresses for which ICMP said "port unreachable", each of them once.
  std::optional<SocketAddress> poll_unreachable();

 private:
  // Such a report only ends handshakes, of which few are under way at once. When there are more, the rest is forgotten,
  // since ICMP may get lost anyway.
  static constexpr std::size_t kMaxUnreachable = 32;
  static constexpr std::size_t kMaxReportsAtOnce = 64;

  void remember(const SocketAddress& address);

  int fd_;
  Syscalls& syscalls_;
  std::array<SocketAddress, kMaxUnreachable> unreachable_{};
  std::size_t count_ = 0;
};

}  // namespace mxp
