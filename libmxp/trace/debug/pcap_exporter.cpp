#include "trace/debug/pcap_exporter.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "mxp/key_log_file.h"

namespace mxp {

namespace {

constexpr std::size_t kMostBytes = std::size_t{32} << 20;  // our choice
constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a, kInterface = 1, kEnhancedPacket = 6, kSecrets = 10;
constexpr std::uint32_t kSecretsOfMxp = 0x4d58504b;  // "MXPK"
constexpr std::uint16_t kRawIp = 101;                // LINKTYPE_RAW

// Blocks are written in the machine's order, which the section header tells.
template <typename Number>
void put(std::string& out, Number number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}
void put_big_endian(std::string& out, std::uint16_t number) {
  out += static_cast<char>(number >> 8);
  out += static_cast<char>(number & 0xff);
}
void pad(std::string& out) { out.append((4 - out.size() % 4) % 4, '\0'); }

void begin_block(std::string& block, std::uint32_t type) {
  block.clear();
  put(block, type);
  put(block, std::uint32_t{0});  // the length, once it is known
}
void end_block(std::string& block) {
  pad(block);
  const auto length = static_cast<std::uint32_t>(block.size() + 4);
  std::copy_n(reinterpret_cast<const char*>(&length), sizeof length, block.begin() + 4);
  put(block, length);
}

std::uint32_t sum_of_words(std::string_view bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    sum += static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[i])) << (i % 2 == 0 ? 8 : 0);
  return sum;
}
std::uint16_t checksum(std::uint32_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

void put_address(std::string& out, const SocketAddress& address) {
  const std::size_t size = address.family == AddressFamily::ipv4 ? 4 : 16;
  out.append(reinterpret_cast<const char*>(address.ip.data()), size);
}

// The headers that the system adds, with a UDP checksum where IPv6 asks for one.
void put_ip_packet(std::string& out, const SocketAddress& from, SocketAddress to, ByteView payload) {
  const auto udp_size = static_cast<std::uint16_t>(8 + payload.size());
  const bool v4 = to.family == AddressFamily::ipv4;
  if (v4) {
    std::string header;
    put_big_endian(header, 0x4500);
    put_big_endian(header, static_cast<std::uint16_t>(20 + udp_size));
    header += std::string_view("\0\0\x40\0\x40\x11\0\0", 8);
    put_address(header, from);
    put_address(header, to);
    const std::uint16_t sum = checksum(sum_of_words(header));
    header[10] = static_cast<char>(sum >> 8);
    header[11] = static_cast<char>(sum & 0xff);
    out += header;
  } else {
    out += std::string_view("\x60\0\0\0", 4);
    put_big_endian(out, udp_size);
    out += std::string_view("\x11\x40", 2);
    put_address(out, from);
    put_address(out, to);
  }
  std::string udp;
  put_big_endian(udp, from.port);
  put_big_endian(udp, to.port);
  put_big_endian(udp, udp_size);
  put_big_endian(udp, 0);
  udp.append(reinterpret_cast<const char*>(payload.data()), payload.size());
  if (!v4) {
    std::string pseudo;
    put_address(pseudo, from);
    put_address(pseudo, to);
    const std::uint16_t sum = checksum(sum_of_words(pseudo) + sum_of_words(udp) + udp_size + 17);
    const std::uint16_t told = sum == 0 ? 0xffff : sum;
    udp[6] = static_cast<char>(told >> 8);
    udp[7] = static_cast<char>(told & 0xff);
  }
  out += udp;
}

}  // namespace

PcapExporter::PcapExporter(int fd, TraceClock clock)
    : fd_(fd), clock_(clock), writer_(kMostBytes), file_(writer_.add({.open = fd})) {
  begin_block(block_, kSectionHeader);
  put(block_, std::uint32_t{0x1a2b3c4d});
  put(block_, std::uint16_t{1});
  put(block_, std::uint16_t{0});
  put(block_, ~std::uint64_t{0});  // the section's length: not told
  write_block();
  begin_block(block_, kInterface);
  put(block_, kRawIp);
  put(block_, std::uint16_t{0});
  put(block_, std::uint32_t{0});  // no snap length
  put(block_, std::uint16_t{9});  // if_tsresol: nanoseconds
  put(block_, std::uint16_t{1});
  put(block_, std::uint32_t{9});
  put(block_, std::uint32_t{0});  // the end of the options
  write_block();
}

PcapExporter::~PcapExporter() {
  writer_.flush();
  ::close(fd_);
}

void PcapExporter::write_block() {
  end_block(block_);
  if (!writer_.append(file_, block_)) ++dropped_;
}

void PcapExporter::add_secrets(const TraceSecrets& secrets) {
  std::string lines = key_log_lines(secrets);
  begin_block(block_, kSecrets);
  put(block_, kSecretsOfMxp);
  put(block_, static_cast<std::uint32_t>(lines.size()));
  block_ += lines;
  write_block();
  ::explicit_bzero(lines.data(), lines.size());
}

void PcapExporter::add_datagram(Timestamp now, const TraceDatagram& datagram) {
  SocketAddress local = datagram.local;
  if (local == SocketAddress{}) local.family = datagram.remote.family;  // not known: all zero
  const bool sent = datagram.way == TraceDatagram::Way::sent;
  std::string packet;
  put_ip_packet(packet, sent ? local : datagram.remote, sent ? datagram.remote : local, datagram.bytes);
  const std::uint64_t at = clock_.unix_time(now);
  begin_block(block_, kEnhancedPacket);
  put(block_, std::uint32_t{0});
  put(block_, static_cast<std::uint32_t>(at >> 32));
  put(block_, static_cast<std::uint32_t>(at));
  put(block_, static_cast<std::uint32_t>(packet.size()));
  put(block_, static_cast<std::uint32_t>(packet.size()));
  block_ += packet;
  pad(block_);
  put(block_, std::uint16_t{2});  // epb_flags: inbound or outbound
  put(block_, std::uint16_t{4});
  put(block_, std::uint32_t{sent ? 2u : 1u});
  put(block_, std::uint32_t{0});
  write_block();
}

void PcapExporter::on(Timestamp now, ConnectionId, const TraceEvent& event) {
  if (const auto* secrets = std::get_if<TraceSecrets>(&event)) add_secrets(*secrets);
  else if (const auto* datagram = std::get_if<TraceDatagram>(&event)) add_datagram(now, *datagram);
}

}  // namespace mxp
