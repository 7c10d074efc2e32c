#include "mxp-dump/capture/time_order.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace mxp::dump {
namespace {

// Parts of a file that are asked for in nearly the order in which they lie there: a system call for each of them would
// cost more than all else that is done with a frame.
class ReadAhead {
 public:
  ReadAhead(UniqueFd file, std::uint64_t base)
      : file_(std::move(file)), base_(base), ahead_(kMaxCapturedBytes), single_(kMaxCapturedBytes) {}

  // Valid until the next call. The error is errno's, or 0 where the file is too short.
  std::expected<ByteView, int> read(std::uint64_t offset, std::uint32_t size) {
    if (offset >= start_ && offset - start_ + size <= filled_) return ByteView(ahead_).subspan(offset - start_, size);
    const bool follows = offset >= start_ && offset - start_ <= filled_ + ahead_.size();
    if (!follows) return fill(single_, offset, size, size);
    start_ = offset;
    filled_ = 0;
    const auto got = fill(ahead_, offset, ahead_.size(), size);
    if (!got) return got;
    filled_ = got->size();
    return got->first(size);
  }

 private:
  // As much as is wanted, or as the file has, but no less than is needed.
  std::expected<ByteView, int> fill(std::vector<std::uint8_t>& into, std::uint64_t offset, std::size_t wanted,
                                    std::size_t needed) {
    std::size_t done = 0;
    while (done < wanted) {
      const ssize_t got =
          ::pread(file_.get(), into.data() + done, wanted - done, static_cast<off_t>(base_ + offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return std::unexpected(errno);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    if (done < needed) return std::unexpected(0);
    return ByteView(into).first(done);
  }

  UniqueFd file_;
  std::uint64_t base_;
  std::uint64_t start_ = 0;  // of what `ahead_` holds
  std::size_t filled_ = 0;
  std::vector<std::uint8_t> ahead_, single_;
};

// The latest bytes of the file that were read as frames: where frames are out of order by little, all that are asked
// for are here. The bytes of offset n are at place n modulo kSize; a frame that goes beyond that end is kept in one
// piece.
class LatestBytes {
 public:
  // Frames come in the order of their offsets.
  void add(std::uint64_t offset, ByteView bytes) {
    std::ranges::copy(bytes, bytes_.begin() + static_cast<std::ptrdiff_t>(offset % kSize));
    end_ = offset + bytes.size();
  }
  // Valid until the next call. Of a frame that was added.
  std::optional<ByteView> find(std::uint64_t offset, std::uint32_t size) const {
    if (end_ - offset > kSize) return std::nullopt;
    return ByteView(bytes_).subspan(offset % kSize, size);
  }

 private:
  static constexpr std::size_t kSize = 2 * std::size_t{kMaxCapturedBytes};  // our choice: it stays in the cache
  std::vector<std::uint8_t> bytes_ = std::vector<std::uint8_t>(kSize + kMaxCapturedBytes);
  std::uint64_t end_ = 0;
};

class OrderedReader final : public CaptureReader {
 public:
  OrderedReader(std::unique_ptr<CaptureReader> reader, UniqueFd file, std::uint64_t base, std::uint64_t lateness_ns)
      : reader_(std::move(reader)), order_(lateness_ns), bytes_(std::move(file), base) {}

  std::expected<std::optional<CapturedPacket>, CaptureError> next() override {
    for (;;) {
      if (const auto frame = order_.take()) return with_bytes(*frame);
      if (ended_) {
        if (damage_) return std::unexpected(*damage_);
        return std::nullopt;
      }
      const auto packet = reader_->next();
      if (packet && *packet) {
        latest_.add((*packet)->offset, (*packet)->bytes);
        order_.add(**packet);
        continue;
      }
      if (!packet) damage_ = packet.error();
      ended_ = true;
      order_.end();
    }
  }

 private:
  std::expected<std::optional<CapturedPacket>, CaptureError> with_bytes(const TimeOrder::Frame& frame) {
    std::expected<ByteView, int> bytes;
    if (const auto latest = latest_.find(frame.offset, frame.size)) bytes = *latest;
    else bytes = bytes_.read(frame.offset, frame.size);
    if (!bytes) {
      return std::unexpected(
          CaptureError{CaptureError::Kind::unreadable, frame.offset, frame.number,
                       bytes.error() == 0 ? "it became shorter while it was read" : std::strerror(bytes.error())});
    }
    CapturedPacket packet;
    packet.frame = frame.number;
    if (frame.has_time) packet.time_ns = frame.sort_ns;
    packet.link_type = frame.link_type;
    packet.original_length = frame.original_length;
    packet.bytes = *bytes;
    packet.offset = frame.offset;
    return packet;
  }

  std::unique_ptr<CaptureReader> reader_;
  TimeOrder order_;
  LatestBytes latest_;
  ReadAhead bytes_;
  bool ended_ = false;
  std::optional<CaptureError> damage_;
};

}  // namespace

void TimeOrder::add(const CapturedPacket& packet) {
  Frame frame;
  frame.sort_ns = before_ns_ = packet.time_ns.value_or(before_ns_);
  frame.number = packet.frame;
  frame.offset = packet.offset;
  frame.size = static_cast<std::uint32_t>(packet.bytes.size());
  frame.original_length = packet.original_length;
  frame.link_type = packet.link_type;
  frame.has_time = packet.time_ns.has_value();
  latest_ns_ = std::max(latest_ns_, frame.sort_ns);
  held_.push(frame);
}

std::optional<TimeOrder::Frame> TimeOrder::take() {
  if (held_.empty()) return std::nullopt;
  // All that follow are of latest_ns_ - lateness_ns_ or later.
  if (!ended_ && latest_ns_ - held_.top().sort_ns < lateness_ns_) return std::nullopt;
  const Frame frame = held_.top();
  held_.pop();
  return frame;
}

std::unique_ptr<CaptureReader> in_order_of_time(std::unique_ptr<CaptureReader> reader, UniqueFd file,
                                                std::uint64_t base, std::uint64_t lateness_ns) {
  return std::make_unique<OrderedReader>(std::move(reader), std::move(file), base, lateness_ns);
}

}  // namespace mxp::dump
