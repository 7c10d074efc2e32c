#include "mxp-dump/output/upper_pdu.h"

#include <fmt/format.h>

#include <cerrno>

namespace mxp::dump {
namespace {

constexpr std::uint16_t kUpperPduLinkType = 252;
// Of a section header, an interface with its snap length, an enhanced packet.
constexpr std::uint32_t kSectionBlock = 0x0a0d0d0a, kInterfaceBlock = 1, kPacketBlock = 6, kByteOrder = 0x1a2b3c4d;
constexpr std::uint16_t kTimeResolutionOption = 9, kNanosecondResolution = 9;
// Tags of Wireshark's epan/exported_pdu.h.
constexpr std::uint16_t kDissectorName = 12, kIpv4Source = 20, kIpv4Destination = 21, kIpv6Source = 22,
                        kIpv6Destination = 23, kPortType = 24, kSourcePort = 25, kDestinationPort = 26,
                        kOriginalFrame = 30, kProtocolColumn = 33;
constexpr std::uint32_t kUdpPort = 3;

// Blocks are in the byte order that the section header tells: ours is always little-endian.
template <typename T>
void put_little(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out += static_cast<char>(value >> 8 * i & 0xff);
}
// Tags and their values are big-endian.
template <typename T>
void put_big(std::string& out, T value) {
  for (std::size_t i = sizeof(T); i-- > 0;) out += static_cast<char>(value >> 8 * i & 0xff);
}

std::string finished_block(std::uint32_t kind, std::string body) {
  body.resize((body.size() + 3) / 4 * 4);
  const auto size = static_cast<std::uint32_t>(body.size() + 12);
  std::string block;
  put_little(block, kind);
  put_little(block, size);
  block += body;
  put_little(block, size);
  return block;
}

ByteView bytes_of(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

std::string preamble() {
  std::string section, interface;
  put_little(section, kByteOrder);
  put_little(section, std::uint32_t{1});   // version 1.0
  put_little(section, ~std::uint64_t{0});  // of unknown length
  put_little(interface, kUpperPduLinkType);
  put_little(interface, std::uint16_t{0});
  put_little(interface, std::uint32_t{0});  // no snap length
  put_little(interface, kTimeResolutionOption);
  put_little(interface, std::uint16_t{1});
  put_little(interface, std::uint32_t{kNanosecondResolution});
  put_little(interface, std::uint32_t{0});  // end of options
  return finished_block(kSectionBlock, section) + finished_block(kInterfaceBlock, interface);
}

}  // namespace

tools::Result<UpperPduWriter> UpperPduWriter::open(const std::string& path, const tools::OutputRules& rules) {
  auto file = tools::open_output_file(path, rules);
  if (!file) return std::unexpected(file.error());
  UpperPduWriter writer;
  writer.path_ = path;
  writer.file_.reset(::fdopen(file->get(), "w"));
  if (writer.file_ == nullptr)
    return tools::fail_errno(tools::ErrorKind::io, fmt::format("cannot write {}", path), errno);
  static_cast<void>(file->release());
  writer.block_ = preamble();
  if (auto done = writer.put(); !done) return std::unexpected(done.error());
  return writer;
}

tools::Result<void> UpperPduWriter::put() {
  if (std::fwrite(block_.data(), 1, block_.size(), file_.get()) == block_.size()) return {};
  return tools::fail_errno(tools::ErrorKind::io, fmt::format("cannot write {}", path_), errno);
}

tools::Result<void> UpperPduWriter::finish() {
  if (std::fflush(file_.get()) == 0) return {};
  return tools::fail_errno(tools::ErrorKind::io, fmt::format("cannot write {}", path_), errno);
}

// Values are filled up to whole words.
void UpperPduWriter::tag(std::uint16_t number, ByteView value) {
  const std::size_t size = (value.size() + 3) / 4 * 4;
  put_big(packet_, number);
  put_big(packet_, static_cast<std::uint16_t>(size));
  packet_.append(reinterpret_cast<const char*>(value.data()), value.size());
  packet_.append(size - value.size(), '\0');
}

tools::Result<void> UpperPduWriter::write(const PacketRecord& record) {
  const bool opened = record.protection == Protection::opened && record.number && record.destination_id;
  packet_.clear();
  tag(kDissectorName, bytes_of(opened ? "mxp_decrypted" : "mxp"));
  tag(kProtocolColumn, bytes_of("MXP"));
  const auto address = [&](const SocketAddress& from, std::uint16_t four, std::uint16_t six) {
    const bool small = from.family == AddressFamily::ipv4;
    tag(small ? four : six, ByteView(from.ip).first(small ? 4 : 16));
  };
  address(record.source, kIpv4Source, kIpv6Source);
  address(record.destination, kIpv4Destination, kIpv6Destination);
  const auto number = [&](std::uint16_t kind, std::uint32_t value) {
    std::string bytes;
    put_big(bytes, value);
    tag(kind, bytes_of(bytes));
  };
  number(kPortType, kUdpPort);
  number(kSourcePort, record.source.port);
  number(kDestinationPort, record.destination.port);
  number(kOriginalFrame, static_cast<std::uint32_t>(record.frame));
  tag(0, {});
  if (opened) {
    packet_ += '\1';
    packet_ += record.direction == TrafficDirection::client_to_server ? '\0' : '\1';
    packet_.append(reinterpret_cast<const char*>(record.destination_id->bytes().data()),
                   record.destination_id->bytes().size());
    put_big(packet_, record.number->value());
  }
  const ByteView data = opened ? record.plain : record.bytes;
  packet_.append(reinterpret_cast<const char*>(data.data()), data.size());

  std::string body;
  const std::uint64_t time = record.time_ns.value_or(0);
  put_little(body, std::uint32_t{0});  // of the first interface
  put_little(body, static_cast<std::uint32_t>(time >> 32));
  put_little(body, static_cast<std::uint32_t>(time));
  const auto missing = opened ? 0 : record.length - record.captured;
  put_little(body, static_cast<std::uint32_t>(packet_.size()));
  put_little(body, static_cast<std::uint32_t>(packet_.size() + missing));
  block_ = finished_block(kPacketBlock, body + packet_);
  return put();
}

}  // namespace mxp::dump
