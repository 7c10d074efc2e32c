#include "mxp-dump/time_order.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace mxp::dump {

class TimeOrder::Reader final : public CaptureReader {
 public:
  Reader(std::vector<Frame> frames, UniqueFd file, std::uint64_t base)
      : frames_(std::move(frames)), file_(std::move(file)), base_(base), bytes_(kMaxCapturedBytes) {}

  std::expected<std::optional<CapturedPacket>, CaptureError> next() override {
    if (at_ == frames_.size()) return std::nullopt;
    const Frame& frame = frames_[at_++];
    std::size_t done = 0;
    while (done < frame.size) {
      const ssize_t got = ::pread(file_.get(), bytes_.data() + done, frame.size - done,
                                  static_cast<off_t>(base_ + frame.packet.offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) {
        return std::unexpected(CaptureError{CaptureError::Kind::unreadable, frame.packet.offset, frame.packet.frame,
                                            got == 0 ? "it became shorter while it was read" : std::strerror(errno)});
      }
      done += static_cast<std::size_t>(got);
    }
    CapturedPacket packet = frame.packet;
    packet.bytes = ByteView(bytes_).first(frame.size);
    return packet;
  }

 private:
  std::vector<Frame> frames_;
  std::size_t at_ = 0;
  UniqueFd file_;
  std::uint64_t base_;
  std::vector<std::uint8_t> bytes_;
};

bool TimeOrder::add(const CapturedPacket& packet) {
  if (frames_.size() == kMaxFrames) return false;
  const std::uint64_t before = frames_.empty() ? 0 : frames_.back().sort_ns;
  Frame frame{packet.time_ns.value_or(before), packet, static_cast<std::uint32_t>(packet.bytes.size())};
  frame.packet.bytes = {};
  frames_.push_back(frame);
  return true;
}

std::unique_ptr<CaptureReader> TimeOrder::reader(UniqueFd file, std::uint64_t base) && {
  std::stable_sort(frames_.begin(), frames_.end(),
                   [](const Frame& a, const Frame& b) { return a.sort_ns < b.sort_ns; });
  return std::make_unique<Reader>(std::move(frames_), std::move(file), base);
}

}  // namespace mxp::dump
