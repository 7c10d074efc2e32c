// One packet as a capture holds it, before anything is known about it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "mxp/bytes.h"
#include "mxp/ids.h"

namespace mxp::dump {

// Times are of 1970 to 2116, so that sums and differences of two of them fit into 64 bits with a sign.
inline constexpr std::uint64_t kLatestTimeNs = (std::uint64_t{1} << 62) - 1;

// A packet within a frame that was opened before its turn (dissect/ahead_opener.h).
struct OpenedAhead {
  std::uint64_t source = 0;  // whose keys and numbers it was opened with
  ByteView packet;
  PacketNumber number;
  std::uint32_t phase = 0;
  std::uint8_t first_byte = 0;  // and the number as they stand in the packet, in the clear
  std::size_t number_size = 0;
  std::uint64_t truncated = 0;
  MutableBytes payload;
};

struct CapturedPacket {
  std::uint64_t frame = 0;  // from 1, over the whole capture
  // Since 1970, up to kLatestTimeNs. A simple packet block of pcapng has none, nor does one whose time is out of range.
  std::optional<std::uint64_t> time_ns;
  std::uint32_t link_type = 0;               // LINKTYPE_ number
  std::uint32_t original_length = 0;         // on the wire
  ByteView bytes;                            // captured part; valid until the next read
  std::uint64_t offset = 0;                  // of `bytes` in what was read; live captures have none
  std::span<const OpenedAhead> opened = {};  // as valid as `bytes`
};

}  // namespace mxp::dump
