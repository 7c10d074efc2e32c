// The sending half of the Linux carrier. Each run becomes one message with UDP_SEGMENT, or one message for each
// datagram where there is no GSO; one message is a sendmsg, several are a sendmmsg.
//
// What an errno means for the message that it refused:
//   EAGAIN                     keep it, wait until the socket is writable
//   ENOBUFS, ENOMEM            keep it, try again after a while: writability says nothing of these queues
//   EIO, EINVAL on segments    the same datagrams again, one by one; if they go, no GSO on this socket from now on
//   EINVAL, EPERM on a mark    the same again without its ECN mark. If it goes three times in a row, and none went with
//                              its mark, no marks on this socket from now on
//   EMSGSIZE                   read the error queue. If only the network has reported there, forged or not, it is that
//                              report: then as in the last line. Otherwise it is our own interface, or an ICMP message
//                              whose report found no room in the queue. Segments are tried one by one. A datagram alone
//                              is tried a few times, unless our kernel has reported. If it is still refused, it is
//                              dropped with the others of its run that are as large, and is told as too large: the
//                              interface will not take it later either
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
#include "udp/refused_sizes.h"
#include "udp/socket_address.h"
#include "udp/syscalls.h"

namespace mxp {

class LinuxSender {
 public:
  // `choose_source`: the socket is bound to all addresses, so that Transmit::local must choose the one to send from.
  LinuxSender(int fd, AddressFamily family, bool gso, bool choose_source, Syscalls& syscalls);

  SendStatus send(std::span<OutgoingRun> runs, ErrorQueue& errors, CarrierStats& stats);
  bool gso() const { return gso_; }
  std::optional<TooLarge> poll_too_large() { return refused_sizes_.poll(); }

 private:
  // An attempt may fail because of an old error, and reading the error queue makes room for another one.
  static constexpr int kMaxAttempts = 4;

  enum class After : std::uint8_t { retry, dropped, wait_writable, wait_a_while };

  struct Message {
    OutgoingRun* run = nullptr;
    std::size_t size = 0;  // bytes of the run that it takes
    bool segmented = false;
    bool marked = false;
    SystemAddress to;
    iovec data{};
    AncillaryBuffer control;
  };

  std::size_t build(std::span<OutgoingRun> runs);
  void add_message(std::size_t index, OutgoingRun& run, std::size_t offset);
  int transfer(std::size_t count);  // messages sent, or -errno
  void take_off(std::size_t message, CarrierStats& stats, std::uint64_t* dropped);
  After on_error(int code, ErrorQueue& errors, CarrierStats& stats);
  After on_message_size(ErrorQueue& errors, CarrierStats& stats);
  void begin_trial_without_segments();
  void on_trial_passed(CarrierStats& stats);
  void end_trial_in_vain();

  int fd_;
  AddressFamily family_;
  bool gso_;
  bool choose_source_;
  Syscalls& syscalls_;
  bool marks_ = true;
  static constexpr int kMaxMarkRefusals = 3;
  int mark_refusals_ = 0;  // since a marked datagram went: how many were refused and went without their mark
  int attempts_ = 0;       // at the first message of those built
  // The first message was refused, and is tried without what may be the reason: is it taken now?
  bool segments_on_trial_ = false;
  bool size_on_trial_ = false;  // with segments_on_trial_: EMSGSIZE, which is never a reason to give up GSO
  bool marks_on_trial_ = false;
  RefusedSizes refused_sizes_;
  std::array<Message, kMaxSendMessages> messages_;
  std::array<mmsghdr, kMaxSendMessages> headers_{};
};

}  // namespace mxp
