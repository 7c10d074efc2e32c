// The frames of docs/protocol.md §4 as plain values. Payloads are views into the packet they were read from, or into
// the memory of whoever has them written.
#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <optional>
#include <variant>

#include "core/cursor.h"
#include "mxp/bytes.h"
#include "mxp/error.h"
#include "mxp/ids.h"
#include "mxp/message.h"
#include "mxp/time.h"

namespace mxp {

namespace frame_type {
inline constexpr std::uint64_t kPadding = 0x00, kPing = 0x01, kAck = 0x02, kAckEcn = 0x03, kAckFrequency = 0x05,
                               kResetStream = 0x06, kStopSending = 0x07, kStream = 0x08, kStreamLast = 0x0f,
                               kMaxData = 0x10, kMaxStreamData = 0x11, kMaxStreamsBidi = 0x12, kMaxStreamsUni = 0x13,
                               kDataBlocked = 0x14, kStreamDataBlocked = 0x15, kStreamsBlockedBidi = 0x16,
                               kStreamsBlockedUni = 0x17, kNewConnectionId = 0x18, kRetireConnectionId = 0x19,
                               kPathChallenge = 0x1a, kPathResponse = 0x1b, kCloseTransport = 0x1c,
                               kCloseApplication = 0x1d, kImmediateAck = 0x1f, kAckTimes = 0x20, kAckEcnTimes = 0x21,
                               kDatagram = 0x30, kDatagramWithLength = 0x31, kMessage = 0x32, kExpired = 0x33,
                               kMaxMessages = 0x34, kDrain = 0x36, kCompactMessage = 0x37, kMessagesBlocked = 0x38,
                               kMessagePart = 0x39, kCompactMessagePart = 0x3a, kOrdered = 0x3b;
inline constexpr std::uint64_t kStreamFinBit = 1, kStreamLengthBit = 2, kStreamOffsetBit = 4;
}  // namespace frame_type

// Ranges beyond the first that an ACK may carry: bounds the receiver's work and memory (threat t03).
inline constexpr std::size_t kMaxAckRanges = 64;
// Receive times that an ACK may carry, and how many a side may ask for: bounds work and memory of both
// (docs/protocol.md §4.2).
inline constexpr std::size_t kMaxReceiveTimes = 64;
// The latest receive time, counted from the receiver's epoch: 35 years. Twice as much is still far from what a Duration
// holds, so the difference of any two times is never in danger of overflowing.
inline constexpr Duration kLatestReceiveTime = std::chrono::microseconds(std::uint64_t{1} << 50);
// Messages that may be under way at once: the receiver keeps a bit for each (docs/protocol.md §5.2).
inline constexpr std::uint64_t kMaxMessageWindow = std::uint64_t{1} << 20;
// A whole message: 16 MiB of payload, header and checksum (docs/protocol.md §1).
inline constexpr std::uint64_t kMaxMessageLength = (std::uint64_t{16} << 20) + 40;
// Credit that a message in parts uses beside the size of its body (docs/protocol.md §5.2).
inline constexpr std::uint64_t kPartsCharge = 40;
inline constexpr std::uint64_t kMaxMessageCharge = kMaxMessageLength + kPartsCharge;
// The longest time that a DRAIN frame tells: about 49 days (docs/protocol.md §4). It is far from what a Duration holds.
inline constexpr Duration kLongestDrain = std::chrono::milliseconds((std::uint64_t{1} << 32) - 1);
inline constexpr std::size_t kMaxCloseReason = 256;
inline constexpr Duration kLongestAckDelay = std::chrono::milliseconds((1u << 14) - 1);  // RFC 9000 §18.2
inline constexpr std::uint64_t kMaxStreamCount = std::uint64_t{1} << 60;                 // RFC 9000 §4.6

// Packet numbers first..last, both included.
struct AckRange {
  PacketNumber first;
  PacketNumber last;
  bool operator==(const AckRange&) const = default;
};

// The ranges of an ACK frame from the highest to the lowest, decoded on the fly from bytes that the frame reader has
// already checked (no underflow, all there).
class AckRanges {
 public:
  class Iterator {
   public:
    using value_type = AckRange;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    Iterator(AckRange current, ByteView rest, std::uint64_t left) : current_(current), rest_(rest), left_(left) {}
    const AckRange& operator*() const { return current_; }
    const AckRange* operator->() const { return &current_; }
    Iterator& operator++() {
      if (left_ == 0) {
        done_ = true;
        return *this;
      }
      --left_;
      const std::uint64_t gap = *rest_.varint();
      const std::uint64_t length = *rest_.varint();
      const std::uint64_t last = current_.first.value() - gap - 2;  // RFC 9000 §19.3.1
      current_ = {PacketNumber(last - length), PacketNumber(last)};
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return done_; }

   private:
    AckRange current_;
    Reader rest_;
    std::uint64_t left_;
    bool done_ = false;
  };

  AckRanges() = default;
  AckRanges(AckRange first, ByteView encoded, std::uint64_t count) : first_(first), encoded_(encoded), count_(count) {}
  Iterator begin() const { return {first_, encoded_, count_}; }
  std::default_sentinel_t end() const { return {}; }
  std::size_t size() const { return static_cast<std::size_t>(count_) + 1; }

 private:
  AckRange first_{};
  ByteView encoded_;         // count_ × (gap, length)
  std::uint64_t count_ = 0;  // ranges beyond the first
};

// When a packet arrived, by its receiver's clock.
struct ReceiveTime {
  PacketNumber number;
  Duration at{};  // since an epoch of the receiver's choice; whole microseconds on the wire, 0..kLatestReceiveTime
  bool operator==(const ReceiveTime&) const = default;
};

// The receive times of an ACK frame from the latest to the earliest, decoded on the fly from bytes that the frame
// reader has already checked (no underflow, no range without times, all there).
class ReceiveTimes {
 public:
  class Iterator {
   public:
    using value_type = ReceiveTime;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    Iterator(PacketNumber largest, ByteView encoded, std::size_t left)
        : largest_(largest.value()), rest_(encoded), left_(left) {
      if (left_ > 0) read();
    }
    const ReceiveTime& operator*() const { return current_; }
    const ReceiveTime* operator->() const { return &current_; }
    Iterator& operator++() {
      if (--left_ > 0) read();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return left_ == 0; }

   private:
    void read() {
      if (left_in_range_ == 0) {
        current_.number = PacketNumber(largest_ - *rest_.varint());
        left_in_range_ = *rest_.varint();
      } else {
        current_.number = PacketNumber(current_.number.value() - 1);
      }
      --left_in_range_;
      // The first one counts from the epoch, all others back from the one before.
      const Duration step = std::chrono::microseconds(*rest_.varint());
      current_.at = first_ ? step : current_.at - step;
      first_ = false;
    }

    std::uint64_t largest_;
    Reader rest_;
    std::size_t left_;
    std::uint64_t left_in_range_ = 0;
    ReceiveTime current_;
    bool first_ = true;
  };

  ReceiveTimes() = default;
  // `encoded`: ranges, each with its packet number as a distance from `largest`; `size` times in all.
  ReceiveTimes(PacketNumber largest, ByteView encoded, std::size_t size)
      : largest_(largest), encoded_(encoded), size_(size) {}
  Iterator begin() const { return {largest_, encoded_, size_}; }
  std::default_sentinel_t end() const { return {}; }
  std::size_t size() const { return size_; }  // 0..kMaxReceiveTimes

 private:
  PacketNumber largest_;
  ByteView encoded_;
  std::size_t size_ = 0;
};

struct EcnCounts {
  std::uint64_t ect0 = 0, ect1 = 0, ce = 0;
  bool operator==(const EcnCounts&) const = default;
};

struct PaddingFrame {
  std::size_t length = 1;
};  // a whole run of padding bytes
struct PingFrame {};
struct AckFrame {
  PacketNumber largest;
  Duration delay{};
  AckRanges ranges;
  std::optional<EcnCounts> ecn;
  std::optional<ReceiveTimes> times{};  // of the frame types that carry them; there may be none
};
struct ResetStreamFrame {
  StreamId stream;
  AppErrorCode code = 0;
  std::uint64_t final_size = 0;
};
struct StopSendingFrame {
  StreamId stream;
  AppErrorCode code = 0;
};
struct StreamFrame {
  StreamId stream;
  std::uint64_t offset = 0;
  ByteView data;
  bool fin = false;
};
struct MaxDataFrame {
  std::uint64_t limit = 0;
};
struct MaxStreamDataFrame {
  StreamId stream;
  std::uint64_t limit = 0;
};
struct MaxStreamsFrame {
  StreamType type = StreamType::bidirectional;
  std::uint64_t limit = 0;
};
struct DataBlockedFrame {
  std::uint64_t limit = 0;
};
struct StreamDataBlockedFrame {
  StreamId stream;
  std::uint64_t limit = 0;
};
struct StreamsBlockedFrame {
  StreamType type = StreamType::bidirectional;
  std::uint64_t limit = 0;
};
// A request about our ACKs, as draft-ietf-quic-ack-frequency. A later sequence replaces an earlier one.
struct AckFrequencyFrame {
  std::uint64_t sequence = 0;
  std::uint64_t threshold = 0;             // ack-eliciting packets that may arrive before an ACK has to be sent
  Duration max_ack_delay{};                // whole microseconds, 0..kLongestAckDelay
  std::uint64_t reordering_threshold = 0;  // an ACK is due at once for a gap of so many packets; 0: never for a gap
};
// The packet that it travels in is to be acknowledged at once.
struct ImmediateAckFrame {};
struct NewConnectionIdFrame {
  std::uint64_t sequence = 0;
  std::uint64_t retire_prior_to = 0;  // at most `sequence`
  ConnectionId id;
};
struct RetireConnectionIdFrame {
  std::uint64_t sequence = 0;
};
// Eight bytes that cannot be guessed, and that come back in the response.
using PathData = std::array<std::uint8_t, 8>;
struct PathChallengeFrame {
  PathData data{};
};
struct PathResponseFrame {
  PathData data{};
};
// Bytes of the application that are never sent again (RFC 9221).
struct DatagramFrame {
  ByteView data;
};
// What ORDERED says of the frame behind it: that its message belongs to an ordered channel, and which one is before it
// there (docs/protocol.md §5.2).
struct OrderLink {
  MessageClass channel = MessageClass::critical;
  std::uint32_t distance =
      0;  // back to that one's sequence, less than kMaxMessageWindow; 0: no other need be waited for
  bool operator==(const OrderLink&) const = default;
};
// One whole message, as docs/protocol.md §1 has it or compacted (§1.1).
struct MessageFrame {
  enum class Form : std::uint8_t { full, compact };
  Form form = Form::full;
  std::uint64_t sequence = 0;  // of all messages of this direction, from 0
  ByteView body;
  std::optional<OrderLink> order{};
};
// A piece of a message that is too long for one frame. All of its parts name its sequence and say the same of its size.
struct MessagePartFrame {
  MessageFrame::Form form = MessageFrame::Form::full;
  std::uint64_t sequence = 0;
  std::uint64_t body_size = 0;  // of the whole message, at most kMaxMessageLength
  std::uint64_t offset = 0;     // of the data in it; they end within it
  ByteView data;                // at least one byte
  std::optional<OrderLink> order{};
};
// Their types, by their form; with an order, ORDERED stands before them.
constexpr std::uint64_t type_of(const MessageFrame& frame) {
  return frame.form == MessageFrame::Form::compact ? frame_type::kCompactMessage : frame_type::kMessage;
}
constexpr std::uint64_t type_of(const MessagePartFrame& frame) {
  return frame.form == MessageFrame::Form::compact ? frame_type::kCompactMessagePart : frame_type::kMessagePart;
}
// Messages that are not sent, or not sent again: each of these sequences has used `length` bytes of credit.
struct ExpiredFrame {
  std::uint64_t first = 0;
  std::uint64_t count = 1;   // 1 to kMaxMessageWindow
  std::uint64_t length = 0;  // of each
  // Of the first; each other one follows the one before it in the same channel. `length` is not 0 then.
  std::optional<OrderLink> order{};
};
struct MaxMessagesFrame {
  std::uint64_t window = 0;  // sequences that may be in use above the lowest unsettled one, at most kMaxMessageWindow
  std::uint64_t bytes = 0;   // a limit from the start
};
struct MessagesBlockedFrame {
  std::uint64_t bytes = 0;   // the limit
  std::uint64_t needed = 0;  // the window that would let the largest message that waits go, at most kMaxVarint
};
// How far its sender has come towards an orderly end (docs/protocol.md §7.1).
struct DrainFrame {
  enum class State : std::uint8_t { begins, done, agrees };
  State state = State::begins;
  Duration time{};  // begins: until the sender closes in any case; whole milliseconds, 0..kLongestDrain
};
struct CloseFrame {
  bool application = false;
  std::uint64_t code = 0;
  std::uint64_t frame_type = 0;
  ByteView reason;
};

using Frame =
    std::variant<PaddingFrame, PingFrame, AckFrame, ResetStreamFrame, StopSendingFrame, StreamFrame, MaxDataFrame,
                 MaxStreamDataFrame, MaxStreamsFrame, DataBlockedFrame, StreamDataBlockedFrame, StreamsBlockedFrame,
                 AckFrequencyFrame, ImmediateAckFrame, NewConnectionIdFrame, RetireConnectionIdFrame,
                 PathChallengeFrame, PathResponseFrame, DatagramFrame, MessageFrame, MessagePartFrame, ExpiredFrame,
                 MaxMessagesFrame, MessagesBlockedFrame, DrainFrame, CloseFrame>;

// PADDING, ACK and CLOSE are not (docs/protocol.md §4).
bool is_ack_eliciting(const Frame& frame);
// A packet of nothing but these only asks whether a path works, and moves nobody (RFC 9000 §9.1).
bool is_probing(const Frame& frame);

}  // namespace mxp
