#include "udp/linux_receiver.h"

#include <algorithm>
#include <cerrno>

namespace mxp {
namespace {

// Buffers a power of two apart would all fall into the same sets of the caches; these start 17 lines further each.
constexpr std::size_t kPage = 4096;
constexpr std::size_t kSkew = 17 * 64;

std::size_t stride_for(std::size_t buffer_bytes) { return (buffer_bytes + kPage - 1) / kPage * kPage + kSkew; }

}  // namespace

LinuxReceiver::LinuxReceiver(int fd, SocketAddress bound, bool any_address, std::size_t buffer_bytes,
                             Syscalls& syscalls)
    : fd_(fd),
      bound_(bound),
      any_address_(any_address),
      buffer_bytes_(buffer_bytes),
      stride_(stride_for(buffer_bytes)),
      syscalls_(syscalls),
      memory_(new std::uint8_t[stride_ * kReceiveBuffers]) {
  prepare(kReceiveBuffers);
}

ReceiveResult LinuxReceiver::receive(ErrorQueue& errors, CarrierStats& stats) {
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    ++stats.receive_calls;
    const int received = syscalls_.receive_messages(fd_, headers_.data(), kReceiveBuffers, MSG_DONTWAIT);
    if (received >= 0) {
      const std::size_t count = collect(static_cast<std::size_t>(received), stats);
      prepare(static_cast<std::size_t>(received));
      const bool full = static_cast<std::size_t>(received) == kReceiveBuffers;
      return {{runs_.data(), count}, full ? ReceiveStatus::more : ReceiveStatus::drained};
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      // The socket was readable only because of its error queue.
      const auto drained = errors.drain(stats);
      return {{}, drained.failed ? ReceiveStatus::wait_a_while : ReceiveStatus::drained};
    }
    // This is a late error of something that was sent. The datagrams behind it are still there.
    ++stats.receive_errors;
    errors.drain(stats);
  }
  return {{}, ReceiveStatus::wait_a_while};
}

// The system has written into the first `used` headers.
void LinuxReceiver::prepare(std::size_t used) {
  for (std::size_t i = 0; i < used; ++i) {
    Buffer& buffer = buffers_[i];
    buffer.data = {memory_.get() + i * stride_, buffer_bytes_};
    msghdr& header = headers_[i].msg_hdr;
    header = {};
    header.msg_name = &buffer.from.any;
    header.msg_namelen = sizeof(buffer.from.v6);
    header.msg_iov = &buffer.data;
    header.msg_iovlen = 1;
    header.msg_control = buffer.control.bytes;
    header.msg_controllen = kAncillaryBytes;
  }
}

std::size_t LinuxReceiver::collect(std::size_t received, CarrierStats& stats) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < received; ++i) {
    msghdr& header = headers_[i].msg_hdr;
    const std::size_t size = headers_[i].msg_len;
    const ReceivedAncillary ancillary = read_ancillary(header);
    if (ancillary.overflows) count_overflows(*ancillary.overflows, stats);
    const auto remote = from_system(&buffers_[i].from.any, header.msg_namelen);
    if ((header.msg_flags & MSG_TRUNC) != 0 || !remote) {
      ++stats.received_truncated;
      continue;
    }
    ReceivedRun& run = runs_[count++];
    run.bytes = {memory_.get() + i * stride_, size};
    run.segment_size = ancillary.segment_size == 0 ? size : ancillary.segment_size;
    run.remote = *remote;
    run.local = any_address_ ? ancillary.destination.value_or(SocketAddress{}) : bound_;
    if (ancillary.destination && any_address_) run.local.port = bound_.port;
    run.ecn = ancillary.ecn;
    stats.datagrams_received += run.segment_size == 0 ? 1 : (size + run.segment_size - 1) / run.segment_size;
    stats.bytes_received += size;
  }
  return count;
}

void LinuxReceiver::count_overflows(std::uint32_t total, CarrierStats& stats) {
  stats.receive_overflows += static_cast<std::uint32_t>(total - overflows_seen_);  // modulo 2^32, as the kernel counts
  overflows_seen_ = total;
}

}  // namespace mxp
