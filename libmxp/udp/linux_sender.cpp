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
      on_trial_passed(stats);
      if (messages_[0].marked) mark_refusals_ = 0;
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
  message.marked = marks_ && run.to.ecn != Ecn::not_ect;
  const bool as_ipv6 = family_ == AddressFamily::ipv6 && !IN6_IS_ADDR_V4MAPPED(&message.to.v6.sin6_addr);
  write_ancillary(header, message.control,
                  {.segment_size = message.segmented ? segment : 0,
                   .source = has_source ? std::optional(run.to.local) : std::nullopt,
                   .ecn = message.marked ? run.to.ecn : Ecn::not_ect,
                   .packet_family = as_ipv6 ? AddressFamily::ipv6 : AddressFamily::ipv4},
                  family_);
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

  if (code == EMSGSIZE) return on_message_size(errors, stats);

  const Message& first = messages_[0];
  if ((code == EIO || code == EINVAL) && first.segmented) {
    // On a NIC without checksum offload, in a tunnel, or with an old kernel GSO looks supported and is not.
    begin_trial_without_segments();
    return After::retry;
  }
  if ((code == EINVAL || code == EPERM) && first.marked) {
    // Some sandboxes refuse the mark. A firewall refuses anything, and may let the next attempt pass by chance.
    marks_ = false;
    marks_on_trial_ = true;
    return After::retry;
  }
  const bool old_error = errors.drain(stats).reports > 0;
  if ((old_error || code == ECONNREFUSED) && ++attempts_ < kMaxAttempts) return After::retry;
  if (segments_on_trial_) {
    // The first datagram alone is refused as well, for its source address say, so GSO was not the cause. The same is
    // wrong with the other datagrams of its run.
    end_trial_in_vain();
    stats.dropped_on_error += datagrams_in(first.run->bytes.size(), first.run->to.segment_size);
    first.run->bytes = {};
    return After::dropped;
  }
  end_trial_in_vain();
  take_off(0, stats, &stats.dropped_on_error);
  return After::dropped;
}

// EMSGSIZE: what our own interface refuses, or an ICMP message about some earlier datagram, which anybody can send.
LinuxSender::After LinuxSender::on_message_size(ErrorQueue& errors, CarrierStats& stats) {
  // Our own kernel may report there as well, but does not always. So a refusal is taken for the network's only if the
  // network has reported and our kernel has not. What is larger than any datagram of UDP over IPv4 is an exception: the
  // kernel's own answer to it looks like one of the network.
  const ErrorQueue::Drained reports = errors.drain(stats);
  const bool from_the_network = reports.reports > 0 && !reports.too_large && messages_[0].size <= kMaxUdpPayload;
  if (from_the_network && ++attempts_ < kMaxAttempts) return After::retry;
  if (from_the_network) {
    take_off(0, stats, &stats.dropped_on_error);
    return After::dropped;
  }
  if (messages_[0].segmented) {
    // Newer kernels say EMSGSIZE to segments that are too large, older ones EINVAL. The last segment may be shorter and
    // fit.
    begin_trial_without_segments();
    size_on_trial_ = true;
    return After::retry;
  }
  // The report of an ICMP message may have found no room, and then its error looks the same and comes once. Our kernel
  // says it each time.
  if (!reports.too_large && ++attempts_ < kMaxAttempts) return After::retry;
  end_trial_in_vain();
  stats.dropped_too_big += refused_sizes_.take_off(*messages_[0].run, messages_[0].size);
  return After::dropped;
}

void LinuxSender::begin_trial_without_segments() {
  gso_ = false;
  segments_on_trial_ = true;
}

void LinuxSender::on_trial_passed(CarrierStats& stats) {
  if (marks_on_trial_) {
    marks_ = ++mark_refusals_ < kMaxMarkRefusals;
    if (!marks_) ++stats.ecn_failures;
  }
  if (segments_on_trial_) {
    // A datagram that passes only without its mark says nothing against segments, nor does one that was called too
    // large before.
    gso_ = marks_on_trial_ || size_on_trial_;
    if (!gso_) ++stats.gso_failures;
  }
  segments_on_trial_ = size_on_trial_ = marks_on_trial_ = false;
}

void LinuxSender::end_trial_in_vain() {
  if (segments_on_trial_) gso_ = true;
  if (marks_on_trial_) marks_ = true;
  segments_on_trial_ = size_on_trial_ = marks_on_trial_ = false;
}

}  // namespace mxp
