// A capture as the blocks of pcapng, for commands that pass most of it through as it is. A pcap file is given as the
// blocks that say the same.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <vector>

#include "mxp-dump/capture/capture_reader.h"
#include "mxp-dump/capture/record_input.h"

namespace mxp::dump {

namespace block_type {
inline constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a, kInterface = 1, kObsoletePacket = 2, kSimplePacket = 3,
                               kEnhancedPacket = 6, kDecryptionSecrets = 10;
}  // namespace block_type
// 'MXPK': the secrets of a block are lines of an MXP key log.
inline constexpr std::uint32_t kMxpSecrets = 0x4d58504b;
// Our choice: the largest block by far is a packet of 256 KiB, but secrets and names may be longer.
inline constexpr std::size_t kMaxBlockBytes = 16 * 1024 * 1024;

struct CaptureBlock {
  std::uint32_t type = 0;
  ByteOrder order = ByteOrder::little;
  std::vector<std::uint8_t> body;  // with its padding, without type and lengths

  bool is_packet() const {
    return type == block_type::kObsoletePacket || type == block_type::kSimplePacket ||
           type == block_type::kEnhancedPacket;
  }
  // As it stands in a file. The length of a section is given as unknown, since what is in it may have changed.
  std::vector<std::uint8_t> bytes() const;
};

// Appends an integer in a byte order.
template <std::unsigned_integral T>
void store(std::vector<std::uint8_t>& out, T value, ByteOrder order) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    const std::size_t shift = 8 * (order == ByteOrder::little ? i : sizeof(T) - 1 - i);
    out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

CaptureBlock section_block();
// Nanoseconds, without a snap length.
CaptureBlock interface_block(std::uint32_t link_type);
// A simple packet block if the packet has no time.
CaptureBlock packet_block(std::uint32_t interface, const CapturedPacket& packet);
CaptureBlock secrets_block(ByteView secrets, ByteOrder order);

class BlockStream {
 public:
  virtual ~BlockStream() = default;
  // nullopt at a clean end.
  virtual std::expected<std::optional<CaptureBlock>, CaptureError> next() = 0;
};
std::expected<std::unique_ptr<BlockStream>, CaptureError> open_blocks(ByteSource source);

}  // namespace mxp::dump
