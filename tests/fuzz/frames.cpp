// The payload of a packet: the reader ends, and each frame that it accepts is the same after writing and reading.
#include <array>

#include "core/frame_reader.h"
#include "require.h"
#include "support/frame_codec.h"

using namespace mxp;
using fuzz::require;

namespace {

void check(const AckFrame& ack) {
  require(ack.ranges.size() <= 1 + kMaxAckRanges, "ranges are bounded");
  std::optional<std::uint64_t> below;
  std::size_t count = 0;
  for (const AckRange& range : ack.ranges) {
    ++count;
    require(range.first <= range.last && range.last <= ack.largest, "a range is not empty and not above the largest");
    require(!below || range.last.value() + 1 < *below, "ranges descend and are not adjacent");
    below = range.first.value();
  }
  require(count == ack.ranges.size(), "the iteration visits what size() says");
  if (!ack.times) return;
  require(ack.times->size() <= kMaxReceiveTimes, "receive times are bounded");
  Duration later = kLatestReceiveTime;
  count = 0;
  for (const ReceiveTime& time : *ack.times) {
    ++count;
    require(time.number <= ack.largest, "a receive time is of a packet up to the largest");
    require(time.at >= Duration::zero() && time.at <= later, "receive times descend and are not before the epoch");
    later = time.at;
  }
  require(count == ack.times->size(), "the iteration visits what size() says of times");
}
void check(const StreamFrame& stream) {
  require(stream.offset + stream.data.size() <= kMaxVarint, "data end at 2^62 - 1");
}
void check(const MaxStreamsFrame& frame) { require(frame.limit <= kMaxStreamCount, "stream counts are bounded"); }
void check(const StreamsBlockedFrame& frame) { require(frame.limit <= kMaxStreamCount, "stream counts are bounded"); }
void check(const AckFrequencyFrame& frame) { require(frame.max_ack_delay <= kLongestAckDelay, "delays are bounded"); }
void check(const NewConnectionIdFrame& frame) {
  require(frame.retire_prior_to <= frame.sequence, "an id does not retire itself");
}
void check(const CloseFrame& close) { require(close.reason.size() <= kMaxCloseReason, "the reason is bounded"); }
template <typename F>
void check(const F&) {}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FrameReader reader(ByteView(data, size));
  // Every frame takes at least one byte.
  for (std::size_t i = 0; i <= size; ++i) {
    const auto frame = reader.next();
    if (!frame) {
      require(frame.error().code == TransportErrorCode::frame_encoding_error ||
                  frame.error().code == TransportErrorCode::unknown_frame,
              "one of two errors");
      require(!frame.error().reason.empty(), "with a reason");
      return 0;
    }
    if (!*frame) return 0;
    std::visit([](const auto& kind) { check(kind); }, **frame);
    std::vector<std::uint8_t> buffer(size + 128);
    Writer out(buffer);
    require(test::write_any(out, **frame), "what is read can be written");
    FrameReader again(out.so_far());
    const auto copy = again.next();
    require(copy && *copy && test::same_frame(**frame, **copy), "written and read again it is the same");
    const auto end = again.next();
    require(end && !*end, "and nothing follows it");
  }
  require(false, "the reader ends");
  return 0;
}
