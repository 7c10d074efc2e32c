#include "mxp-netem/refusal.h"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "udp/ancillary.h"

namespace mxp::tools {
namespace {

std::optional<sock_extended_err> error_of(msghdr& message) {
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    const bool ipv4 = header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR;
    const bool ipv6 = header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR;
    if (!ipv4 && !ipv6) continue;
    sock_extended_err error{};
    std::memcpy(&error, CMSG_DATA(header), sizeof error);
    return error;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> RefusalReader::next(const RelaySocket& socket) {
  for (;;) {
    AncillaryBuffer control;
    iovec vector{.iov_base = payload_, .iov_len = sizeof payload_};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = kAncillaryBytes;
    const ssize_t size = ::recvmsg(socket.fd(), &message, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::nullopt;
    const auto error = error_of(message);
    // "Too big" speaks of the path's MTU and is no refusal. Errors of our own machine are counted where we send.
    if (!error || error->ee_errno == EMSGSIZE) continue;
    if (error->ee_origin != SO_EE_ORIGIN_ICMP && error->ee_origin != SO_EE_ORIGIN_ICMP6) continue;
    return Refusal{.reason = error->ee_errno == ECONNREFUSED ? RefusalReason::port : RefusalReason::other,
                   .payload = {payload_, static_cast<std::size_t>(size)}};
  }
}

}  // namespace mxp::tools
