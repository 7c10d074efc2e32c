// The frames of a file in the order of their times. Captures of several interfaces, and files that were put together,
// are not always in that order, and what they show depends on what came first.
#pragma once

#include <cstdint>
#include <vector>

#include "mxp-dump/capture_reader.h"
#include "udp/unique_fd.h"

namespace mxp::dump {

class TimeOrder {
 public:
  // Our choice: this many take 192 MiB. The frames of a larger file are taken in the order of the file, and the user is
  // told so.
  static constexpr std::size_t kMaxFrames = 4'000'000;

  // To be called in the order of the file. False if there are too many.
  bool add(const CapturedPacket& packet);
  // A reader over these frames, which reads their bytes from `file` once more. `base` is the offset in it at which the
  // capture begins.
  std::unique_ptr<CaptureReader> reader(UniqueFd file, std::uint64_t base) &&;

 private:
  struct Frame {
    std::uint64_t sort_ns = 0;  // its time; without one, that of the frame before
    CapturedPacket packet;      // `bytes` are not there
    std::uint32_t size = 0;
  };
  class Reader;

  std::vector<Frame> frames_;
};

}  // namespace mxp::dump
