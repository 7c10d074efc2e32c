#include "udp/error_queue.h"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "udp/ancillary.h"
#include "udp/socket_address.h"

namespace mxp {
namespace {

// RFC 4443 §3.1: destination unreachable, port unreachable. (<netinet/icmp6.h> clashes with the kernel's headers.)
constexpr std::uint8_t kIcmp6Unreachable = 1;
constexpr std::uint8_t kIcmp6PortUnreachable = 4;

enum class Report : std::uint8_t { none, local, local_too_large, port_unreachable, other_icmp };

Report classify(const cmsghdr& header) {
  const bool ours = (header.cmsg_level == IPPROTO_IP && header.cmsg_type == IP_RECVERR) ||
                    (header.cmsg_level == IPPROTO_IPV6 && header.cmsg_type == IPV6_RECVERR);
  if (!ours || header.cmsg_len < CMSG_LEN(sizeof(sock_extended_err))) return Report::none;
  sock_extended_err error;
  std::memcpy(&error, CMSG_DATA(&header), sizeof(error));
  switch (error.ee_origin) {
    case SO_EE_ORIGIN_ICMP:
      return error.ee_type == ICMP_DEST_UNREACH && error.ee_code == ICMP_PORT_UNREACH ? Report::port_unreachable
                                                                                      : Report::other_icmp;
    case SO_EE_ORIGIN_ICMP6:
      return error.ee_type == kIcmp6Unreachable && error.ee_code == kIcmp6PortUnreachable ? Report::port_unreachable
                                                                                          : Report::other_icmp;
    case SO_EE_ORIGIN_LOCAL: return error.ee_errno == EMSGSIZE ? Report::local_too_large : Report::local;
    default: return Report::local;
  }
}

}  // namespace

ErrorQueue::Drained ErrorQueue::drain(CarrierStats& stats) {
  Drained out;
  for (std::size_t reads = 0; reads < kMaxReportsAtOnce; ++reads) {
    SystemAddress about;
    AncillaryBuffer control;
    std::uint8_t start_of_datagram[64];  // what we sent comes back with the report; we know it
    iovec data{start_of_datagram, sizeof(start_of_datagram)};
    msghdr message{};
    message.msg_name = &about.any;
    message.msg_namelen = sizeof(about.v6);
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = kAncillaryBytes;
    if (syscalls_.receive_message(fd_, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
      if (errno == EINTR) continue;
      out.failed = errno != EAGAIN && errno != EWOULDBLOCK;
      return out;
    }
    ++out.reports;
    for (const cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, const_cast<cmsghdr*>(header))) {
      switch (classify(*header)) {
        case Report::port_unreachable:
          ++stats.unreachable_reports;
          // The name is where the datagram went, not who complained.
          if (const auto address = from_system(&about.any, message.msg_namelen)) remember(*address);
          break;
        case Report::other_icmp: ++stats.other_icmp_reports; break;
        case Report::local_too_large: out.too_large = true; break;
        case Report::local:
        case Report::none: break;
      }
    }
  }
  return out;
}

void ErrorQueue::remember(const SocketAddress& address) {
  const auto end = unreachable_.begin() + static_cast<std::ptrdiff_t>(count_);
  if (count_ == kMaxUnreachable || std::find(unreachable_.begin(), end, address) != end) return;
  unreachable_[count_++] = address;
}

std::optional<SocketAddress> ErrorQueue::poll_unreachable() {
  if (count_ == 0) return std::nullopt;
  return unreachable_[--count_];
}

}  // namespace mxp
