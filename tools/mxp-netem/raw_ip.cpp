#include "mxp-netem/raw_ip.h"

namespace mxp::tools {
namespace {

constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kHopLimit = 64;
constexpr std::size_t kUdpHeader = 8;
constexpr std::size_t kIpv4Header = 20;
constexpr std::size_t kLargestIpv4 = 65535;

void append_u16(std::vector<std::uint8_t>& out, std::uint16_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value & 0xff));
}

void put_u16(std::vector<std::uint8_t>& out, std::size_t at, std::uint16_t value) {
  out[at] = static_cast<std::uint8_t>(value >> 8);
  out[at + 1] = static_cast<std::uint8_t>(value & 0xff);
}

ByteView ip_bytes(const SocketAddress& address) {
  return ByteView(address.ip).first(address.family == AddressFamily::ipv6 ? 16 : 4);
}

void append(std::vector<std::uint8_t>& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

void append_ipv4(std::vector<std::uint8_t>& out, const SocketAddress& source, const SocketAddress& destination, Ecn ecn,
                 std::size_t udp_size) {
  const std::size_t start = out.size();
  out.push_back(0x45);
  out.push_back(static_cast<std::uint8_t>(ecn));
  // What comes over IPv6 may be 20 bytes too long for IPv4. 0 is how readers of captures know a length that was left to
  // the network card: they take the captured one instead.
  const std::size_t total = kIpv4Header + udp_size;
  append_u16(out, total > kLargestIpv4 ? std::uint16_t{0} : static_cast<std::uint16_t>(total));
  append_u16(out, 0);  // identification
  append_u16(out, 0);  // flags and fragment offset
  out.push_back(kHopLimit);
  out.push_back(kUdp);
  append_u16(out, 0);  // checksum, below
  append(out, ip_bytes(source));
  append(out, ip_bytes(destination));
  put_u16(out, start + 10, fold_checksum(add_to_checksum(0, ByteView(out).subspan(start, kIpv4Header))));
}

void append_ipv6(std::vector<std::uint8_t>& out, const SocketAddress& source, const SocketAddress& destination, Ecn ecn,
                 std::size_t udp_size) {
  const auto traffic_class = static_cast<std::uint8_t>(ecn);
  out.push_back(static_cast<std::uint8_t>(0x60 | (traffic_class >> 4)));
  out.push_back(static_cast<std::uint8_t>(traffic_class << 4));
  append_u16(out, 0);  // flow label
  append_u16(out, static_cast<std::uint16_t>(udp_size));
  out.push_back(kUdp);
  out.push_back(kHopLimit);
  append(out, ip_bytes(source));
  append(out, ip_bytes(destination));
}

}  // namespace

std::uint64_t add_to_checksum(std::uint64_t sum, ByteView bytes) {
  std::size_t i = 0;
  for (; i + 1 < bytes.size(); i += 2) sum += static_cast<std::uint64_t>(bytes[i]) << 8 | bytes[i + 1];
  if (i < bytes.size()) sum += static_cast<std::uint64_t>(bytes[i]) << 8;
  return sum;
}

std::uint16_t fold_checksum(std::uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum & 0xffff);
}

void append_raw_ip(std::vector<std::uint8_t>& out, const SocketAddress& source, const SocketAddress& destination,
                   Ecn ecn, ByteView payload) {
  const std::size_t udp_size = kUdpHeader + payload.size();
  if (source.family == AddressFamily::ipv6) {
    append_ipv6(out, source, destination, ecn, udp_size);
  } else {
    append_ipv4(out, source, destination, ecn, udp_size);
  }
  const std::size_t udp_start = out.size();
  append_u16(out, source.port);
  append_u16(out, destination.port);
  append_u16(out, static_cast<std::uint16_t>(udp_size));
  append_u16(out, 0);  // checksum, below
  append(out, payload);

  // The pseudo header of RFC 768 and RFC 8200 §8.1: addresses, protocol, length.
  std::uint64_t sum = add_to_checksum(0, ip_bytes(source));
  sum = add_to_checksum(sum, ip_bytes(destination));
  sum += kUdp + udp_size;
  sum = add_to_checksum(sum, ByteView(out).subspan(udp_start));
  const std::uint16_t checksum = fold_checksum(sum);
  put_u16(out, udp_start + 6, checksum == 0 ? 0xffff : checksum);  // 0 would mean "no checksum"
}

}  // namespace mxp::tools
