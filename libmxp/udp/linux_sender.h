// The sending half of the Linux carrier. Each run becomes one message with UDP_SEGMENT, or one message for each
// datagram where there is no GSO; one message is a sendmsg, several are a sendmmsg.
//
// What an errno means for the message that it refused:
//   EAGAIN                     keep it, wait until the socket is writable
//   ENOBUFS, ENOMEM            keep it, try again after a while: writability says nothing of these queues
//   EIO, EINVAL on segments    the same datagrams again, one by one; if they go, no GSO on this socket from now on
//   EMSGSIZE                   drop it: the interface will not take it later either
//   ECONNREFUSED and others    may be the belated error of another datagram: read the error queue and try again a few
//                              times; if it stays, drop it
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "mxp/event_loop.h"
#include "udp/ancillary.h"
#include "udp/carrier.h"
#include "udp/error_queue.h"
#include "udp/linux_carrier.h"
#include "udp/socket_address.h"
#include "udp/syscalls.h"

namespace mxp {

class LinuxSender {
 public:
  // `choose_source`: the socket is bound to all addresses, so that Transmit::local must choose the one to send from.
  LinuxSender(int fd, AddressFamily family, bool gso, bool choose_source, Syscalls& syscalls);

  SendStatus send(std::span<OutgoingRun> runs, ErrorQueue& errors, CarrierStats& stats);
  bool gso() const { return gso_; }

 private:
  // An attempt may fail because of an old error, and reading the error queue makes room for another one.
  static constexpr int kMaxAttempts = 4;

  enum class After : std::uint8_t { retry, dropped, wait_writable, wait_a_while };

  struct Message {
    OutgoingRun* run = nullptr;
    std::size_t size = 0;  // bytes of the run that it takes
    bool segmented = false;
    SystemAddress to;
    iovec data{};
    AncillaryBuffer control;
  };

  std::size_t build(std::span<OutgoingRun> runs);
  void add_message(std::size_t index, OutgoingRun& run, std::size_t offset);
  int transfer(std::size_t count);  // messages sent, or -errno
  void take_off(std::size_t message, CarrierStats& stats, std::uint64_t* dropped);
  After on_error(int code, ErrorQueue& errors, CarrierStats& stats);

  int fd_;
  AddressFamily family_;
  bool gso_;
  bool choose_source_;
  Syscalls& syscalls_;
  int attempts_ = 0;           // at the first message of those built
  bool gso_on_trial_ = false;  // segments were refused: is a single datagram taken?
  std::array<Message, kMaxSendMessages> messages_;
  std::array<mmsghdr, kMaxSendMessages> headers_{};
};

}  // namespace mxp
