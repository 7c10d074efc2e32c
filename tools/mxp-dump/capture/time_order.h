// The frames of a file in the order of their times. Captures of several interfaces, of several processors, and files
// that were put together, are not always in that order, and what they show depends on what came first.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <queue>
#include <vector>

#include "mxp-dump/capture/capture_reader.h"
#include "udp/unique_fd.h"

namespace mxp::dump {

// Holds frames back until none that is earlier can follow. No frame of the file may be older than the latest one before
// it by more than `lateness_ns`; this says how long each is held, so that a file with a few frames that come microseconds
// too late costs no more memory than one without.
class TimeOrder {
 public:
  // Our choice: this many held frames take 160 MiB. The frames of a file that needs more are taken in its own order, and
  // the user is told so.
  static constexpr std::size_t kMaxHeld = 4'000'000;

  struct Frame {
    std::uint64_t sort_ns = 0;  // its time; without one, that of the frame before
    std::uint64_t number = 0;   // CapturedPacket's frame
    std::uint64_t offset = 0;
    std::uint32_t size = 0;
    std::uint32_t original_length = 0;
    std::uint32_t link_type = 0;
    bool has_time = false;
  };

  explicit TimeOrder(std::uint64_t lateness_ns) : lateness_ns_(lateness_ns) {}

  // To be called in the order of the file; end() after the last one.
  void add(const CapturedPacket& packet);
  void end() { ended_ = true; }
  // The earliest frame, once it is certain that it is. Among equal times the file's order is kept.
  std::optional<Frame> take();
  std::size_t held() const { return held_.size(); }

 private:
  struct Later {
    bool operator()(const Frame& a, const Frame& b) const {
      return a.sort_ns != b.sort_ns ? a.sort_ns > b.sort_ns : a.number > b.number;
    }
  };

  std::uint64_t lateness_ns_;
  std::uint64_t before_ns_ = 0, latest_ns_ = 0;
  bool ended_ = false;
  std::priority_queue<Frame, std::deque<Frame>, Later> held_;
};

// The frames of `reader`, a reader of `file`, in the order of their times. Bytes of frames are read from the file once
// more; `base` is the offset in it at which the capture begins. Where the capture is damaged, that is said after all
// frames before the damage.
std::unique_ptr<CaptureReader> in_order_of_time(std::unique_ptr<CaptureReader> reader, UniqueFd file,
                                                std::uint64_t base, std::uint64_t lateness_ns);

}  // namespace mxp::dump
