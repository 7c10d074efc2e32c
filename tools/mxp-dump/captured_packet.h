// One packet as a capture holds it, before anything is known about it.
#pragma once

#include <cstdint>
#include <optional>

#include "mxp/bytes.h"

namespace mxp::dump {

struct CapturedPacket {
  std::uint64_t frame = 0;               // from 1, over the whole capture
  std::optional<std::uint64_t> time_ns;  // since 1970; a simple packet block of pcapng has none
  std::uint32_t link_type = 0;           // LINKTYPE_ number
  std::uint32_t original_length = 0;     // on the wire
  ByteView bytes;                        // captured part; valid until the next read
  std::uint64_t offset = 0;              // of `bytes` in what was read; live captures have none
};

}  // namespace mxp::dump
