#include "mxp-dump/capture/pcapng_reader.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>

#include "common/counted.h"
#include "mxp-dump/capture/pcap_reader.h"

namespace mxp::dump {
namespace {

constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;  // the same in both byte orders
constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr std::uint32_t kInterfaceDescription = 1, kObsoletePacket = 2, kSimplePacket = 3, kEnhancedPacket = 6,
                        kDecryptionSecrets = 10;
constexpr std::uint32_t kBlockOverhead = 12;  // type, length, and the length again at the end
constexpr std::uint16_t kOptionEnd = 0, kOptionTimeResolution = 9, kOptionTimeOffset = 14;

constexpr std::uint32_t kKeyLogSecrets = 0x4d58504b;  // "MXPK"
constexpr std::uint64_t kNanosecond = 1'000'000'000;

std::uint32_t padded(std::uint32_t size) { return (size + 3) & ~std::uint32_t{3}; }

}  // namespace

std::optional<std::uint64_t> PcapngReader::Interface::nanoseconds(std::uint64_t ticks) const {
  const unsigned exponent = resolution & 0x7f;
  __extension__ using Wide = unsigned __int128;
  Wide time = 0;
  if ((resolution & 0x80) != 0) {
    time = exponent >= 64 ? 0 : static_cast<Wide>(ticks) * kNanosecond >> exponent;
  } else if (exponent <= 9) {
    Wide factor = 1;
    for (unsigned i = exponent; i < 9; ++i) factor *= 10;
    time = static_cast<Wide>(ticks) * factor;
  } else {
    Wide divisor = 1;
    for (unsigned i = 9; i < std::min(exponent, 28u); ++i) divisor *= 10;
    time = ticks / divisor;
  }
  // At most 2^64 * 10^9, and 2^63 * 10^9 for the offset: far from overflow.
  __extension__ using Signed = __int128;
  const Signed since_1970 = static_cast<Signed>(time) + static_cast<Signed>(offset_s) * Signed{kNanosecond};
  if (since_1970 < 0 || since_1970 > Signed{kLatestTimeNs}) return std::nullopt;
  return static_cast<std::uint64_t>(since_1970);
}

bool PcapngReader::recognises(std::span<const std::uint8_t, 4> magic) {
  return load<std::uint32_t>(magic.data(), ByteOrder::little) == kSectionHeader;
}

std::expected<std::unique_ptr<CaptureReader>, CaptureError> PcapngReader::open(ByteSource source, TakeSecrets secrets) {
  std::unique_ptr<PcapngReader> reader(new PcapngReader(std::move(source), std::move(secrets)));
  reader->input_.start_record(0);
  auto block = reader->begin_section();
  if (!block) return std::unexpected(block.error());
  if (auto done = reader->end_block(*block); !done) return std::unexpected(done.error());
  return reader;
}

// Reads one block after the other: a packet block is the answer, an interface is remembered, and anything else is
// passed over.
std::expected<std::optional<CapturedPacket>, CaptureError> PcapngReader::next() {
  for (;;) {
    input_.start_record();
    std::array<std::uint8_t, 4> type{};
    const std::size_t got = input_.read_some(type);
    if (got == 0 && !input_.failed()) return end_of_file();
    if (got < type.size()) return std::unexpected(input_.ended());
    if (PcapReader::recognises(type))
      return std::unexpected(input_.malformed("is a pcapng file with a pcap file appended: give them one by one"));
    auto block = begin_block(type);
    if (!block) return std::unexpected(block.error());
    switch (block->type) {
      case kEnhancedPacket: return read_enhanced(*block);
      case kSimplePacket: return read_simple(*block);
      case kObsoletePacket: return read_obsolete(*block);
      case kInterfaceDescription:
        if (auto done = read_interface(*block); !done) return std::unexpected(done.error());
        break;
      case kDecryptionSecrets:
        if (auto done = read_secrets(*block); !done) return std::unexpected(done.error());
        break;
      default: break;
    }
    if (auto done = end_block(*block); !done) return std::unexpected(done.error());
  }
}

PcapngReader::Next PcapngReader::end_of_file() const {
  if (times_out_of_range_ == 0) return std::nullopt;
  return std::unexpected(CaptureError{CaptureError::Kind::times, input_.offset(), first_out_of_range_,
                                      tools::counted(times_out_of_range_, "packet whose time is out of range",
                                                     "packets whose times are out of range")});
}

std::expected<PcapngReader::Block, CaptureError> PcapngReader::begin_block(std::span<const std::uint8_t, 4> type) {
  if (recognises(type)) return begin_section();
  std::array<std::uint8_t, 4> length{};
  if (auto done = input_.read(length); !done) return std::unexpected(done.error());
  const auto total = load<std::uint32_t>(length.data(), order_);
  if (total < kBlockOverhead || total % 4 != 0)
    return std::unexpected(input_.malformed(fmt::format("has a block of impossible length {}", total)));
  return Block{load<std::uint32_t>(type.data(), order_), total - kBlockOverhead, total};
}

// A section can change the byte order, which already applies to its length field. Interfaces count from 0 again.
std::expected<PcapngReader::Block, CaptureError> PcapngReader::begin_section() {
  std::array<std::uint8_t, 12> head{};  // length, byte-order magic, version
  if (auto done = input_.read(head); !done) return std::unexpected(done.error());
  if (load<std::uint32_t>(head.data() + 4, ByteOrder::little) == kByteOrderMagic) {
    order_ = ByteOrder::little;
  } else if (load<std::uint32_t>(head.data() + 4, ByteOrder::big) == kByteOrderMagic) {
    order_ = ByteOrder::big;
  } else {
    return std::unexpected(input_.malformed("has a section without a byte order"));
  }
  const auto total = load<std::uint32_t>(head.data(), order_);
  if (total < 28 || total % 4 != 0)
    return std::unexpected(input_.malformed(fmt::format("has a section header of impossible length {}", total)));
  if (const auto major = load<std::uint16_t>(head.data() + 8, order_); major != 1) {
    return std::unexpected(input_.malformed(fmt::format("has a section of version {}, this reads version 1", major)));
  }
  interfaces_.clear();
  return Block{kSectionHeader, total - kBlockOverhead - 8, total};
}

PcapngReader::Done PcapngReader::read_body(Block& block, MutableBytes out) {
  if (block.left < out.size()) return std::unexpected(input_.malformed("has a block too short for its type"));
  block.left -= static_cast<std::uint32_t>(out.size());
  return input_.read(out);
}

PcapngReader::Done PcapngReader::end_block(const Block& block) {
  if (auto done = input_.skip(block.left); !done) return done;
  std::array<std::uint8_t, 4> length{};
  if (auto done = input_.read(length); !done) return done;
  if (load<std::uint32_t>(length.data(), order_) != block.total)
    return std::unexpected(input_.malformed("has a block with two different lengths"));
  return {};
}

PcapngReader::Done PcapngReader::read_interface(Block& block) {
  if (interfaces_.size() == kMaxInterfaces)
    return std::unexpected(input_.malformed(fmt::format("has more than {} interfaces in a section", kMaxInterfaces)));
  std::array<std::uint8_t, 8> fixed{};
  if (auto done = read_body(block, fixed); !done) return done;
  Interface interface;
  interface.link_type = load<std::uint16_t>(fixed.data(), order_);
  interface.snap_length = load<std::uint32_t>(fixed.data() + 4, order_);
  if (auto done = read_interface_options(block, interface); !done) return done;
  interfaces_.push_back(interface);
  return {};
}

// The secrets go through a small buffer, whatever their size, and are wiped from it. What is left of the reader's own
// buffer is overwritten by the packets that follow.
PcapngReader::Done PcapngReader::read_secrets(Block& block) {
  std::array<std::uint8_t, 8> head{};
  if (auto done = read_body(block, head); !done) return done;
  std::size_t left = load<std::uint32_t>(head.data() + 4, order_);
  if (left > block.left) return std::unexpected(input_.malformed("has secrets beyond the end of their block"));
  if (load<std::uint32_t>(head.data(), order_) != kKeyLogSecrets || !secrets_) return {};
  std::array<std::uint8_t, 4096> piece{};
  Done done;
  while (left > 0 && done) {
    const MutableBytes part = MutableBytes(piece).first(std::min(left, piece.size()));
    done = read_body(block, part);
    if (done) secrets_(part);
    left -= part.size();
  }
  secrets_({});
  OPENSSL_cleanse(piece.data(), piece.size());
  return done;
}

PcapngReader::Done PcapngReader::read_interface_options(Block& block, Interface& interface) {
  while (block.left >= 4) {
    std::array<std::uint8_t, 4> head{};
    if (auto done = read_body(block, head); !done) return done;
    const auto code = load<std::uint16_t>(head.data(), order_);
    const std::uint32_t size = load<std::uint16_t>(head.data() + 2, order_);
    if (code == kOptionEnd) return {};
    if (padded(size) > block.left)
      return std::unexpected(input_.malformed("has an option beyond the end of its block"));
    std::array<std::uint8_t, 8> value{};
    const auto kept = static_cast<std::uint32_t>(std::min<std::size_t>(padded(size), value.size()));
    if (auto done = read_body(block, MutableBytes(value).first(kept)); !done) return done;
    if (auto done = input_.skip(padded(size) - kept); !done) return done;
    block.left -= padded(size) - kept;
    if (code == kOptionTimeResolution && size == 1) interface.resolution = value[0];
    if (code == kOptionTimeOffset && size == 8)
      interface.offset_s = static_cast<std::int64_t>(load<std::uint64_t>(value.data(), order_));
  }
  return {};
}

PcapngReader::Next PcapngReader::read_enhanced(Block& block) {
  std::array<std::uint8_t, 20> fixed{};
  if (auto done = read_body(block, fixed); !done) return std::unexpected(done.error());
  const std::uint64_t ticks = std::uint64_t{load<std::uint32_t>(fixed.data() + 4, order_)} << 32 |
                              load<std::uint32_t>(fixed.data() + 8, order_);
  return finish_packet(block, load<std::uint32_t>(fixed.data(), order_), ticks,
                       load<std::uint32_t>(fixed.data() + 12, order_), load<std::uint32_t>(fixed.data() + 16, order_));
}

PcapngReader::Next PcapngReader::read_obsolete(Block& block) {
  std::array<std::uint8_t, 20> fixed{};
  if (auto done = read_body(block, fixed); !done) return std::unexpected(done.error());
  const std::uint64_t ticks = std::uint64_t{load<std::uint32_t>(fixed.data() + 4, order_)} << 32 |
                              load<std::uint32_t>(fixed.data() + 8, order_);
  return finish_packet(block, load<std::uint16_t>(fixed.data(), order_), ticks,
                       load<std::uint32_t>(fixed.data() + 12, order_), load<std::uint32_t>(fixed.data() + 16, order_));
}

// A simple block says neither its time nor its captured length. The length is the smallest of the original length, the
// snap length and the block.
PcapngReader::Next PcapngReader::read_simple(Block& block) {
  std::array<std::uint8_t, 4> fixed{};
  if (auto done = read_body(block, fixed); !done) return std::unexpected(done.error());
  const auto original = load<std::uint32_t>(fixed.data(), order_);
  std::uint32_t captured = std::min(original, block.left);
  if (!interfaces_.empty() && interfaces_.front().snap_length != 0)
    captured = std::min(captured, interfaces_.front().snap_length);
  return finish_packet(block, 0, std::nullopt, captured, original);
}

PcapngReader::Next PcapngReader::finish_packet(Block& block, std::size_t interface, std::optional<std::uint64_t> ticks,
                                               std::uint32_t captured, std::uint32_t original) {
  if (interface >= interfaces_.size())
    return std::unexpected(
        input_.malformed(fmt::format("has a packet of interface {}, which it does not describe", interface)));
  if (captured > block.left)
    return std::unexpected(
        input_.malformed(fmt::format("claims a packet of {} bytes in a block of {}", captured, block.total)));
  if (captured > kMaxCapturedBytes) {
    return std::unexpected(input_.malformed(
        fmt::format("claims a packet of {} bytes; {} is the most that is read", captured, kMaxCapturedBytes)));
  }
  const std::uint64_t offset = input_.offset();
  const auto bytes = input_.packet_copy(captured);
  if (!bytes) return std::unexpected(bytes.error());
  block.left -= captured;
  if (auto done = end_block(block); !done) return std::unexpected(done.error());
  const Interface& from = interfaces_[interface];
  CapturedPacket packet{.frame = input_.count_frame(),
                        .time_ns = {},
                        .link_type = from.link_type,
                        .original_length = std::max(original, captured),
                        .bytes = *bytes,
                        .offset = offset};
  if (ticks) {
    packet.time_ns = from.nanoseconds(*ticks);
    if (!packet.time_ns && times_out_of_range_++ == 0) first_out_of_range_ = packet.frame;
  }
  return packet;
}

}  // namespace mxp::dump
