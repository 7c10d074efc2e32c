// Frames of a file in the order of their times. Captures of several interfaces and files that were put together are not
// always in it, and what they show depends on what came first.
#pragma once

#include <cstdint>
#include <vector>

#include "mxp-dump/capture_reader.h"
#include "udp/unique_fd.h"

namespace mxp::dump {

class TimeOrder {
 public:
  // Our choice: they take 192 MiB. The frames of a larger file are taken in the order of the file, which is said.
  static constexpr std::size_t kMaxFrames = 4'000'000;

  // In the order of the file. False: there are too many.
  bool add(const CapturedPacket& packet);
  // A reader over these frames, which reads their bytes from `file` again; `base` is where the capture begins in it.
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
