#include "mxp-netem/capture.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>

#include "common/write_all.h"
#include "mxp-netem/raw_ip.h"
#include "mxp/version.h"

namespace mxp::tools {
namespace {

constexpr std::uint32_t kSectionHeader = 0x0A0D0D0A;
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::uint32_t kByteOrderMagic = 0x1A2B3C4D;
// https://www.tcpdump.org/linktypes.html
constexpr std::uint16_t kLinkTypeLoop = 108;
constexpr std::uint16_t kLinkTypeIpv4 = 228;
constexpr std::uint16_t kLinkTypeIpv6 = 229;
// The four bytes in front of a packet of LINKTYPE_LOOP: OpenBSD's address families in network byte order.
constexpr std::array<std::uint8_t, 4> kLoopIpv4 = {0, 0, 0, 2};
constexpr std::array<std::uint8_t, 4> kLoopIpv6 = {0, 0, 0, 24};
// More than any IP packet has. 0 would mean "no limit" as well, but not every reader takes it so.
constexpr std::uint32_t kSnapshotLength = 262144;

constexpr std::uint16_t kEndOfOptions = 0;
constexpr std::uint16_t kComment = 1;
constexpr std::uint16_t kUserApplication = 4;  // section header
constexpr std::uint16_t kInterfaceName = 2;    // interface description
constexpr std::uint16_t kTimeResolution = 9;   // interface description
constexpr std::uint16_t kPacketFlags = 2;      // enhanced packet

constexpr std::size_t kFlushAt = 256 * 1024;

std::uint16_t link_type_of(IpVersions versions) {
  switch (versions) {
    case IpVersions::ipv4: return kLinkTypeIpv4;
    case IpVersions::ipv6: return kLinkTypeIpv6;
    case IpVersions::both: return kLinkTypeLoop;
  }
  return kLinkTypeLoop;
}

}  // namespace

// A section says its byte order, so the machine's own is right.
void Capture::u16(std::uint16_t value) {
  const auto bytes = std::bit_cast<std::array<std::uint8_t, 2>>(value);
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

void Capture::u32(std::uint32_t value) {
  const auto bytes = std::bit_cast<std::array<std::uint8_t, 4>>(value);
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

void Capture::pad() {
  while (buffer_.size() % 4 != 0) buffer_.push_back(0);
}

void Capture::begin_block(std::uint32_t type) {
  block_start_ = buffer_.size();
  u32(type);
  u32(0);  // total length, known at the end
}

void Capture::end_block() {
  const auto length = static_cast<std::uint32_t>(buffer_.size() - block_start_ + 4);
  u32(length);
  std::memcpy(buffer_.data() + block_start_ + 4, &length, sizeof length);
}

void Capture::option(std::uint16_t code, ByteView value) {
  u16(code);
  u16(static_cast<std::uint16_t>(value.size()));
  buffer_.insert(buffer_.end(), value.begin(), value.end());
  pad();
}

void Capture::option(std::uint16_t code, std::string_view value) {
  value = value.substr(0, 0xffff);
  const std::vector<std::uint8_t> bytes(value.begin(), value.end());
  option(code, ByteView(bytes));
}

Result<Capture> Capture::open(UniqueFd file, std::string path, IpVersions versions, std::string_view comment,
                              Duration wall_clock_offset) {
  Capture capture(std::move(file), std::move(path), versions, wall_clock_offset);
  capture.begin_block(kSectionHeader);
  capture.u32(kByteOrderMagic);
  capture.u16(1);  // version 1.0
  capture.u16(0);
  capture.u32(0xffffffff);  // section length: not said
  capture.u32(0xffffffff);
  capture.option(kComment, comment);
  capture.option(kUserApplication, fmt::format("mxp-netem {}", kLibraryVersion));
  capture.option(kEndOfOptions, ByteView());
  capture.end_block();
  for (const std::string_view name : {"client side", "server side"}) {
    capture.begin_block(kInterfaceDescription);
    capture.u16(link_type_of(versions));
    capture.u16(0);
    capture.u32(kSnapshotLength);
    capture.option(kInterfaceName, name);
    const std::uint8_t nanoseconds = 9;
    capture.option(kTimeResolution, ByteView(&nanoseconds, 1));
    capture.option(kEndOfOptions, ByteView());
    capture.end_block();
  }
  capture.flush();
  if (!capture.status_) return std::unexpected(capture.status_.error());
  return capture;
}

void Capture::add(const CapturedDatagram& datagram, Timestamp at, std::string_view comment) {
  packet_.clear();
  if (versions_ == IpVersions::both) {
    const auto& family = datagram.source.family == AddressFamily::ipv6 ? kLoopIpv6 : kLoopIpv4;
    packet_.insert(packet_.end(), family.begin(), family.end());
  }
  append_raw_ip(packet_, datagram.source, datagram.destination, datagram.ecn, datagram.payload);
  const auto since_epoch = static_cast<std::uint64_t>((at.time_since_epoch() + wall_clock_offset_).count());

  begin_block(kEnhancedPacket);
  u32(static_cast<std::uint32_t>(datagram.side));
  u32(static_cast<std::uint32_t>(since_epoch >> 32));
  u32(static_cast<std::uint32_t>(since_epoch & 0xffffffff));
  u32(static_cast<std::uint32_t>(packet_.size()));
  u32(static_cast<std::uint32_t>(packet_.size()));
  buffer_.insert(buffer_.end(), packet_.begin(), packet_.end());
  pad();
  const auto flags = std::bit_cast<std::array<std::uint8_t, 4>>(static_cast<std::uint32_t>(datagram.sense));
  option(kPacketFlags, ByteView(flags));
  if (!comment.empty()) option(kComment, comment);
  option(kEndOfOptions, ByteView());
  end_block();
  if (buffer_.size() >= kFlushAt) flush();
}

void Capture::flush() {
  if (status_) {
    status_ =
        write_all(file_.get(), std::string_view(reinterpret_cast<const char*>(buffer_.data()), buffer_.size()), path_);
  }
  buffer_.clear();
}

}  // namespace mxp::tools
