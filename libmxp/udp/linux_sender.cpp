#include "udp/linux_sender.h"

#include <algorithm>
#include <cerrno>

namespace mxp {
namespace {

std::size_t datagrams_in(std::size_t size, std::size_t segment_size) {
  return segment_size == 0 ? 1 : (size + segment_size - 1) / segment_size;
}

}  // namespace

LinuxSender::LinuxSender(int fd, AddressFamily family, bool gso, bool choose_source, Syscalls& syscalls)
    : fd_(fd), family_(family), gso_(gso), choose_source_(choose_source), syscalls_(syscalls) {}

SendStatus LinuxSender::send(std::span<OutgoingRun> runs, ErrorQueue& errors, CarrierStats& stats) {
  attempts_ = 0;
  for (;;) {
    const std::size_t count = build(runs);
    if (count == 0) return SendStatus::all_sent;
    ++stats.send_calls;
    const int result = transfer(count);
    if (result > 0) {
      attempts_ = 0;
      gso_on_trial_ = false;
      for (std::size_t i = 0; i < static_cast<std::size_t>(result); ++i) take_off(i, stats, nullptr);
      continue;
    }
    switch (on_error(-result, errors, stats)) {
      case After::retry: break;
      case After::dropped: attempts_ = 0; break;
      case After::wait_writable: ++stats.sends_blocked; return SendStatus::wait_writable;
      case After::wait_a_while: ++stats.sends_blocked; return SendStatus::wait_a_while;
    }
  }
}

// Messages for what remains of the runs, in order, as many as one call takes.
std::size_t LinuxSender::build(std::span<OutgoingRun> runs) {
  std::size_t count = 0;
  for (OutgoingRun& run : runs) {
    for (std::size_t offset = 0; offset < run.bytes.size();) {
      if (count == kMaxSendMessages) return count;
      add_message(count, run, offset);
      offset += messages_[count].size;
      ++count;
    }
  }
  return count;
}

void LinuxSender::add_message(std::size_t index, OutgoingRun& run, std::size_t offset) {
  Message& message = messages_[index];
  const std::size_t rest = run.bytes.size() - offset;
  const std::size_t segment = run.to.segment_size == 0 ? rest : run.to.segment_size;
  std::size_t size = std::min(rest, segment);
  if (gso_ && rest > segment) {
    const std::size_t segments = std::max<std::size_t>(std::min(kMaxGsoSegments, kMaxUdpPayload / segment), 1);
    size = std::min(rest, segments * segment);
  }
  message.run = &run;
  message.size = size;
  message.segmented = size > segment;
  message.data = {const_cast<std::uint8_t*>(run.bytes.data() + offset), size};

  msghdr& header = headers_[index].msg_hdr;
  header = {};
  headers_[index].msg_len = 0;
  // The address of an IPv6 peer is passed to an IPv4 socket as it is. The kernel answers EAFNOSUPPORT, and the datagram
  // is dropped like any other that has no route.
  const auto to = to_system(run.to.remote, family_);
  message.to = to ? *to : *to_system(run.to.remote, AddressFamily::ipv6);
  header.msg_name = &message.to.any;
  header.msg_namelen = message.to.size;
  header.msg_iov = &message.data;
  header.msg_iovlen = 1;
  const bool has_source = choose_source_ && !is_any(run.to.local) &&
                          (family_ == AddressFamily::ipv6 || run.to.local.family == AddressFamily::ipv4);
  write_ancillary(header, message.control, message.segmented ? segment : 0,
                  has_source ? std::optional(run.to.local) : std::nullopt, family_);
}

int LinuxSender::transfer(std::size_t count) {
  if (count == 1) return syscalls_.send_message(fd_, &headers_[0].msg_hdr, MSG_DONTWAIT) < 0 ? -errno : 1;
  const int sent = syscalls_.send_messages(fd_, headers_.data(), static_cast<unsigned>(count), MSG_DONTWAIT);
  return sent < 0 ? -errno : sent;
}

// Messages are finished in the order in which they were built, so the bytes of each are at the front of its run.
void LinuxSender::take_off(std::size_t index, CarrierStats& stats, std::uint64_t* dropped) {
  const Message& message = messages_[index];
  const std::size_t datagrams = datagrams_in(message.size, message.run->to.segment_size);
  message.run->bytes = message.run->bytes.subspan(message.size);
  if (dropped != nullptr) {
    *dropped += datagrams;
  } else {
    stats.datagrams_sent += datagrams;
    stats.bytes_sent += message.size;
  }
}

LinuxSender::After LinuxSender::on_error(int code, ErrorQueue& errors, CarrierStats& stats) {
  if (code == EAGAIN || code == EWOULDBLOCK) return After::wait_writable;
  if (code == ENOBUFS || code == ENOMEM) return After::wait_a_while;
  if (code == EINTR && ++attempts_ < kMaxAttempts) return After::retry;
  if (code == EINTR) return After::wait_a_while;

  const Message& first = messages_[0];
  if ((code == EIO || code == EINVAL) && first.segmented) {
    // On a NIC without checksum offload, in a tunnel, or with an old kernel GSO looks supported and is not.
    ++stats.gso_failures;
    gso_ = false;
    gso_on_trial_ = true;
    return After::retry;
  }
  const bool old_error = errors.drain(stats).reports > 0;
  if ((old_error || code == ECONNREFUSED) && ++attempts_ < kMaxAttempts) return After::retry;
  std::uint64_t& dropped = code == EMSGSIZE ? stats.dropped_too_big : stats.dropped_on_error;
  if (gso_on_trial_) {
    // The first datagram alone is refused as well, for its size or its source address, so GSO was not the cause. The
    // same is wrong with the other datagrams of its run.
    gso_on_trial_ = false;
    gso_ = true;
    --stats.gso_failures;
    dropped += datagrams_in(first.run->bytes.size(), first.run->to.segment_size);
    first.run->bytes = {};
    return After::dropped;
  }
  take_off(0, stats, &dropped);
  return After::dropped;
}

}  // namespace mxp
