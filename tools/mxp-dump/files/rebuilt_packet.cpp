#include "mxp-dump/files/rebuilt_packet.h"

#include <algorithm>
#include <array>

namespace mxp::dump {
namespace {

using Packet = std::vector<std::uint8_t>;

void put_be(Packet& out, std::uint64_t value, int size) {
  while (size-- > 0) out.push_back(static_cast<std::uint8_t>(value >> (8 * size)));
}

std::uint32_t add_words(ByteView bytes, std::uint32_t sum) {
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += std::uint32_t{bytes[i]} << (i % 2 == 0 ? 8 : 0);
  return sum;
}
// RFC 1071.
std::uint16_t folded(std::uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}
void put_at(Packet& out, std::size_t at, std::uint16_t value) {
  out[at] = static_cast<std::uint8_t>(value >> 8);
  out[at + 1] = static_cast<std::uint8_t>(value);
}

void put_ipv4(Packet& out, std::uint8_t protocol, std::size_t body, ByteView source, ByteView destination, bool more) {
  put_be(out, 0x4500, 2);
  put_be(out, std::min<std::size_t>(20 + body, 0xffff), 2);
  put_be(out, 0, 2);
  put_be(out, more ? 0x2000 : 0x4000, 2);  // the first fragment of several; or not to be fragmented
  put_be(out, 64, 1);
  put_be(out, protocol, 1);
  put_be(out, 0, 2);
  out.insert(out.end(), source.begin(), source.end());
  out.insert(out.end(), destination.begin(), destination.end());
  put_at(out, 10, folded(add_words(out, 0)));
}

void put_ipv6(Packet& out, std::size_t body, ByteView source, ByteView destination, bool more) {
  constexpr std::uint8_t kFragmentHeader = 44, kUdpProtocol = 17;
  put_be(out, 6u << 28, 4);
  put_be(out, std::min<std::size_t>(body + (more ? 8 : 0), 0xffff), 2);
  put_be(out, more ? kFragmentHeader : kUdpProtocol, 1);
  put_be(out, 64, 1);
  out.insert(out.end(), source.begin(), source.end());
  out.insert(out.end(), destination.begin(), destination.end());
  if (!more) return;
  put_be(out, kUdpProtocol, 1);
  put_be(out, 0x000001, 3);  // offset 0, more follow
  put_be(out, 0, 4);
}

}  // namespace

RebuiltPacket rebuild(const UdpDatagram& datagram, ByteView payload) {
  const bool v4 = datagram.source.family == AddressFamily::ipv4;
  const ByteView source = ByteView(datagram.source.ip).first(v4 ? 4 : 16);
  const ByteView destination = ByteView(datagram.destination.ip).first(v4 ? 4 : 16);
  const std::size_t udp_length = 8 + std::size_t{datagram.length};
  // A fragment's IP header speaks of what is in the fragment.
  const std::size_t body = datagram.fragment ? (8 + payload.size()) & ~std::size_t{7} : udp_length;
  RebuiltPacket packet;
  if (v4) put_ipv4(packet.bytes, 17, body, source, destination, datagram.fragment);
  else put_ipv6(packet.bytes, body, source, destination, datagram.fragment);
  const std::size_t udp = packet.bytes.size();
  put_be(packet.bytes, datagram.source.port, 2);
  put_be(packet.bytes, datagram.destination.port, 2);
  put_be(packet.bytes, std::min<std::size_t>(udp_length, 0xffff), 2);
  put_be(packet.bytes, 0, 2);
  packet.bytes.insert(packet.bytes.end(), payload.begin(), payload.end());
  packet.original_length =
      static_cast<std::uint32_t>(std::max(packet.bytes.size(), udp + (datagram.fragment ? body : udp_length)));
  if (datagram.truncated()) return packet;  // the checksum of what is not there cannot be known: none
  std::uint32_t sum = add_words(source, 0);
  sum = add_words(destination, sum);
  sum += 17 + static_cast<std::uint32_t>(udp_length & 0xffff) + static_cast<std::uint32_t>(udp_length >> 16);
  const std::uint16_t checksum = folded(add_words(ByteView(packet.bytes).subspan(udp), sum));
  put_at(packet.bytes, udp + 6, checksum == 0 ? 0xffff : checksum);
  return packet;
}

RebuiltPacket placeholder(std::uint32_t length) {
  constexpr std::uint8_t kExperiment = 253;  // RFC 3692
  RebuiltPacket packet;
  const std::array<std::uint8_t, 4> nowhere{};
  const std::size_t body = length > 20 ? std::min<std::uint32_t>(length, 0xffff) - 20 : 0;
  put_ipv4(packet.bytes, kExperiment, body, nowhere, nowhere, false);
  packet.original_length = static_cast<std::uint32_t>(20 + body);
  return packet;
}

}  // namespace mxp::dump
