#include "mxp-netem/relay_socket.h"

#include <fmt/format.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "mxp-netem/arrival_clock.h"
#include "udp/ancillary.h"
#include "udp/clock.h"
#include "udp/socket_address.h"

namespace mxp::tools {
namespace {

// Our choice: a burst of 5,000 full packets; the kernel caps it at net.core.rmem_max unless we are privileged.
constexpr int kSocketBufferBytes = 8 << 20;
// Our choice: how long a full send buffer may hold up the relay before the datagram counts as a send failure.
constexpr int kSendWaitMs = 10;

void set_option(int fd, int level, int name, int value) { ::setsockopt(fd, level, name, &value, sizeof value); }

SocketAddress local_address(int fd) {
  SystemAddress system;
  system.size = sizeof system.v6;
  if (::getsockname(fd, &system.any, &system.size) != 0) return {};
  return from_system(&system.any, system.size).value_or(SocketAddress{});
}

}  // namespace

Result<UniqueFd> RelaySocket::make(AddressFamily family) {
  const bool ipv6 = family == AddressFamily::ipv6;
  UniqueFd fd(::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno(ErrorKind::io, "cannot create a UDP socket", errno);
  // The relay works without these options, only less well, so a refusal is ignored.
  set_option(fd.get(), SOL_SOCKET, SO_RCVBUF, kSocketBufferBytes);
  set_option(fd.get(), SOL_SOCKET, SO_SNDBUF, kSocketBufferBytes);
  set_option(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, kSocketBufferBytes);
  set_option(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, kSocketBufferBytes);
  set_option(fd.get(), SOL_SOCKET, SO_TIMESTAMPNS, 1);
  set_option(fd.get(), IPPROTO_IP, IP_RECVTOS, 1);
  if (ipv6) set_option(fd.get(), IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
  return fd;
}

Result<RelaySocket> RelaySocket::listen(const SocketAddress& address) {
  auto fd = make(address.family);
  if (!fd) return std::unexpected(fd.error());
  if (address.family == AddressFamily::ipv6) {
    set_option(fd->get(), IPPROTO_IPV6, IPV6_V6ONLY, is_any(address) ? 0 : 1);
    set_option(fd->get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  } else {
    set_option(fd->get(), IPPROTO_IP, IP_PKTINFO, 1);
  }
  const auto system = to_system(address, address.family);
  if (!system || ::bind(fd->get(), &system->any, system->size) != 0) {
    const int error = errno;
    const std::string what = fmt::format("cannot listen on {}", address.to_string());
    if (error == EADDRINUSE) {
      return fail(ErrorKind::network, what + ": the address is in use. Choose another port, or 0 for any free one");
    }
    return fail_errno(ErrorKind::network, what, error);
  }
  // Asked for first: which argument is evaluated first is up to the compiler.
  const SocketAddress local = local_address(fd->get());
  return RelaySocket(std::move(*fd), local, address.family);
}

Result<RelaySocket> RelaySocket::connect(const SocketAddress& target, const std::optional<SocketAddress>& source) {
  auto fd = make(target.family);
  if (!fd) return std::unexpected(fd.error());
  // With this option the kernel reports each refused datagram; without it, it keeps only the last error.
  set_option(fd->get(), IPPROTO_IP, IP_RECVERR, 1);
  if (target.family == AddressFamily::ipv6) set_option(fd->get(), IPPROTO_IPV6, IPV6_RECVERR, 1);
  if (source) {
    SocketAddress any_port = *source;
    any_port.port = 0;
    const auto from = to_system(any_port, target.family);
    if (!from || ::bind(fd->get(), &from->any, from->size) != 0) {
      return fail_errno(ErrorKind::network, fmt::format("cannot send from {}", source->to_string()), errno);
    }
  }
  const auto system = to_system(target, target.family);
  if (!system || ::connect(fd->get(), &system->any, system->size) != 0) {
    return fail_errno(ErrorKind::network, fmt::format("cannot reach {}", target.to_string()), errno);
  }
  const SocketAddress local = local_address(fd->get());
  return RelaySocket(std::move(*fd), local, target.family);
}

std::uint64_t RelaySocket::kernel_drops() const {
  std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
  socklen_t size = sizeof info;
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_MEMINFO, info.data(), &size) != 0) return 0;
  return info[SK_MEMINFO_DROPS];
}

// --- receiving ------------------------------------------------------------------------------------------------------

struct BatchReceiver::Buffer {
  SystemAddress from;
  AncillaryBuffer control;
  iovec vector;
};

BatchReceiver::BatchReceiver() : storage_(kBatch * kBufferBytes), buffers_(kBatch), messages_(kBatch) {
  received_.reserve(kBatch);
}
BatchReceiver::~BatchReceiver() = default;

std::span<const InDatagram> BatchReceiver::receive(const RelaySocket& socket) {
  received_.clear();
  for (std::size_t i = 0; i < kBatch; ++i) {
    buffers_[i].vector = {.iov_base = storage_.data() + i * kBufferBytes, .iov_len = kBufferBytes};
    messages_[i] = {};
    msghdr& header = messages_[i].msg_hdr;
    header.msg_name = &buffers_[i].from.any;
    header.msg_namelen = sizeof buffers_[i].from.v6;
    header.msg_iov = &buffers_[i].vector;
    header.msg_iovlen = 1;
    header.msg_control = buffers_[i].control.bytes;
    header.msg_controllen = kAncillaryBytes;
  }
  int count = 0;
  // An ICMP error (connection refused, ...) is returned once in place of data, and what waits behind it is still there.
  for (int attempt = 0; attempt < 4; ++attempt) {
    count = ::recvmmsg(socket.fd(), messages_.data(), kBatch, MSG_DONTWAIT, nullptr);
    if (count >= 0 || errno == EAGAIN) break;
  }
  for (int i = 0; i < count; ++i) {
    mmsghdr& message = messages_[static_cast<std::size_t>(i)];
    const auto from = from_system(static_cast<const sockaddr*>(message.msg_hdr.msg_name), message.msg_hdr.msg_namelen);
    if (!from) continue;
    const ReceivedAncillary ancillary = read_ancillary(message.msg_hdr);
    received_.push_back({.bytes = {storage_.data() + static_cast<std::size_t>(i) * kBufferBytes, message.msg_len},
                         .from = *from,
                         .to = ancillary.destination,
                         .ecn = ancillary.ecn,
                         .stamp = ancillary.stamp});
  }
  return received_;
}

void await_stamps() {
  auto socket = RelaySocket::listen(SocketAddress::ipv4(127, 0, 0, 1, 0));
  if (!socket) return;
  const auto self = to_system(socket->local(), AddressFamily::ipv4);
  BatchReceiver receiver;
  ArrivalClock clock;
  constexpr int kAttempts = 20;
  constexpr timespec kStay{.tv_sec = 0, .tv_nsec = 2'000'000};
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (::sendto(socket->fd(), "", 0, 0, &self->any, self->size) < 0) return;
    ::nanosleep(&kStay, nullptr);
    const auto received = receiver.receive(*socket);
    clock.synchronise(read_clocks());
    const Timestamp now = monotonic_now();
    // A stamp that was set on arrival is as old as our sleep; one that is set when the datagram is read is new.
    if (!received.empty() && now - clock.arrival(received.front().stamp, now) >= std::chrono::milliseconds(1)) return;
  }
}

// --- sending --------------------------------------------------------------------------------------------------------

struct BatchSender::Buffer {
  SystemAddress to;
  AncillaryBuffer control;
  iovec vector;
};

namespace {

bool network_says_no(int error) {
  return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH || error == ENETDOWN ||
         error == EHOSTDOWN;
}

}  // namespace

BatchSender::BatchSender() : buffers_(kBatch), messages_(kBatch) {}
BatchSender::~BatchSender() = default;

void BatchSender::add(const RelaySocket& socket, const OutDatagram& datagram) {
  if (used_ == kBatch || (socket_ != nullptr && socket_ != &socket)) flush();
  socket_ = &socket;
  Buffer& buffer = buffers_[used_];
  messages_[used_] = {};
  msghdr& header = messages_[used_].msg_hdr;
  if (datagram.to) {
    const auto to = to_system(*datagram.to, socket.family());
    if (!to) {
      ++failures_;
      return;
    }
    buffer.to = *to;
    header.msg_name = &buffer.to.any;
    header.msg_namelen = buffer.to.size;
  }
  buffer.vector = {.iov_base = const_cast<std::uint8_t*>(datagram.bytes.data()), .iov_len = datagram.bytes.size()};
  header.msg_iov = &buffer.vector;
  header.msg_iovlen = 1;
  write_ancillary(header, buffer.control,
                  {.source = datagram.from, .ecn = datagram.ecn, .packet_family = datagram.family}, socket.family());
  ++used_;
}

void BatchSender::flush() {
  std::size_t sent = 0;
  bool retried = false;
  const auto give_up_one = [&](std::uint64_t& counter) {
    ++counter;
    ++sent;
    retried = false;
  };
  while (sent < used_) {
    const int count =
        ::sendmmsg(socket_->fd(), messages_.data() + sent, static_cast<unsigned>(used_ - sent), MSG_DONTWAIT);
    if (count > 0) {
      sent += static_cast<std::size_t>(count);
      retried = false;
    } else if (errno == EINTR) {
      continue;
    } else if (errno == EAGAIN || errno == ENOBUFS) {
      pollfd writable{.fd = socket_->fd(), .events = POLLOUT, .revents = 0};
      if (retried || ::poll(&writable, 1, kSendWaitMs) <= 0) {
        give_up_one(failures_);
      } else {
        retried = true;
      }
    } else if (!retried) {
      // The error often belongs to an earlier datagram, and this call only passes it on. So this datagram is tried
      // again.
      retried = true;
    } else {
      give_up_one(network_says_no(errno) ? unreachable_ : failures_);
    }
  }
  used_ = 0;
  socket_ = nullptr;
}

}  // namespace mxp::tools
