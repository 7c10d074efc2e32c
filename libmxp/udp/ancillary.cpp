#include "udp/ancillary.h"

#include <netinet/in.h>
#include <netinet/udp.h>

#include <chrono>
#include <cstring>
#include <ctime>

#include "udp/socket_address.h"

namespace mxp {
namespace {

// Appends one control message; `used` counts the bytes so far.
template <typename Value>
void append(msghdr& message, AncillaryBuffer& buffer, std::size_t& used, int level, int type, const Value& value) {
  static_assert(CMSG_SPACE(sizeof(Value)) <= 64);
  message.msg_control = buffer.bytes;
  message.msg_controllen = kAncillaryBytes;
  auto* header = reinterpret_cast<cmsghdr*>(buffer.bytes + used);
  header->cmsg_level = level;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN(sizeof(Value));
  std::memcpy(CMSG_DATA(header), &value, sizeof(Value));
  used += CMSG_SPACE(sizeof(Value));
}

template <typename Value>
Value data_of(const cmsghdr& header) {
  Value value{};
  const std::size_t size = header.cmsg_len - CMSG_LEN(0);
  // Some values are one byte in one kernel path and an int in another (IP_TOS): whatever the byte order, a short value
  // is copied to the start of the type, and the missing bytes are zero.
  std::memcpy(&value, CMSG_DATA(&header), size < sizeof(value) ? size : sizeof(value));
  return value;
}

Ecn ecn_of(unsigned traffic_class) { return static_cast<Ecn>(traffic_class & 3); }

}  // namespace

void write_ancillary(msghdr& message, AncillaryBuffer& buffer, const OutgoingAncillary& ancillary,
                     AddressFamily socket_family) {
  std::size_t used = 0;
  message.msg_control = nullptr;
  if (ancillary.segment_size != 0) {
    append(message, buffer, used, SOL_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(ancillary.segment_size));
  }
  if (ancillary.source) {
    const SocketAddress& source = *ancillary.source;
    if (socket_family == AddressFamily::ipv6) {
      in6_pktinfo info{};
      info.ipi6_addr = to_in6(source);
      info.ipi6_ifindex = source.scope_id;
      append(message, buffer, used, IPPROTO_IPV6, IPV6_PKTINFO, info);
    } else {
      in_pktinfo info{};
      std::memcpy(&info.ipi_spec_dst.s_addr, source.ip.data(), 4);
      append(message, buffer, used, IPPROTO_IP, IP_PKTINFO, info);
    }
  }
  if (ancillary.ecn != Ecn::not_ect) {
    const int mark = static_cast<int>(ancillary.ecn);
    if (ancillary.packet_family == AddressFamily::ipv6) {
      append(message, buffer, used, IPPROTO_IPV6, IPV6_TCLASS, mark);
    } else {
      append(message, buffer, used, IPPROTO_IP, IP_TOS, mark);
    }
  }
  message.msg_controllen = used;
}

ReceivedAncillary read_ancillary(msghdr& message) {
  ReceivedAncillary out;
  for (const cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, const_cast<cmsghdr*>(header))) {
    const int type = header->cmsg_type;
    if (header->cmsg_level == SOL_UDP && type == UDP_GRO) {
      const int size = data_of<int>(*header);
      out.segment_size = size > 0 ? static_cast<std::size_t>(size) : 0;
    } else if (header->cmsg_level == IPPROTO_IP && type == IP_PKTINFO) {
      out.destination = from_in(data_of<in_pktinfo>(*header).ipi_addr, 0);
    } else if (header->cmsg_level == IPPROTO_IPV6 && type == IPV6_PKTINFO) {
      const auto info = data_of<in6_pktinfo>(*header);
      // The interface matters only for link-local addresses. Any other address would compare unequal to itself with it.
      out.destination = from_in6(info.ipi6_addr, 0, IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr) ? info.ipi6_ifindex : 0);
    } else if (header->cmsg_level == IPPROTO_IP && type == IP_TOS) {
      out.ecn = ecn_of(data_of<std::uint8_t>(*header));
    } else if (header->cmsg_level == IPPROTO_IPV6 && type == IPV6_TCLASS) {
      out.ecn = ecn_of(static_cast<unsigned>(data_of<int>(*header)));
    } else if (header->cmsg_level == SOL_SOCKET && type == SO_RXQ_OVFL) {
      out.overflows = data_of<std::uint32_t>(*header);
    } else if (header->cmsg_level == SOL_SOCKET && type == SCM_TIMESTAMPNS) {
      const auto stamp = data_of<timespec>(*header);
      out.stamp = std::chrono::seconds(stamp.tv_sec) + std::chrono::nanoseconds(stamp.tv_nsec);
    }
  }
  return out;
}

}  // namespace mxp
