// The receiving half of the Linux carrier: one recvmmsg into buffers, each of which GRO may have filled with many
// datagrams of one peer.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "mxp/event_loop.h"
#include "udp/ancillary.h"
#include "udp/carrier.h"
#include "udp/error_queue.h"
#include "udp/linux_carrier.h"
#include "udp/socket_address.h"
#include "udp/syscalls.h"

namespace mxp {

class LinuxReceiver {
 public:
  // `bound`: the local address. `any_address`: only its port is meant, and each datagram says at which address it
  // arrived.
  LinuxReceiver(int fd, SocketAddress bound, bool any_address, std::size_t buffer_bytes, Syscalls& syscalls);

  ReceiveResult receive(ErrorQueue& errors, CarrierStats& stats);

 private:
  static constexpr int kMaxAttempts = 4;

  struct Buffer {
    SystemAddress from;
    iovec data{};
    AncillaryBuffer control;
  };

  void prepare(std::size_t used);
  void count_overflows(std::uint32_t total, CarrierStats& stats);
  std::size_t collect(std::size_t received, CarrierStats& stats);

  int fd_;
  SocketAddress bound_;
  bool any_address_;
  std::size_t buffer_bytes_;
  std::size_t stride_;
  Syscalls& syscalls_;
  std::uint32_t overflows_seen_ = 0;
  std::unique_ptr<std::uint8_t[]> memory_;  // not initialised: buffers that are never used cost no memory
  std::array<Buffer, kReceiveBuffers> buffers_;
  std::array<mmsghdr, kReceiveBuffers> headers_{};
  std::array<ReceivedRun, kReceiveBuffers> runs_{};
};

}  // namespace mxp
