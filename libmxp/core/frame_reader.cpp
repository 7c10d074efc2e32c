// One function for each frame layout; next() picks it by the type, the two frequent ones first.
#include "core/frame_reader.h"

#include <algorithm>
#include <chrono>

namespace mxp {
namespace {

using Result = std::expected<std::optional<Frame>, TransportError>;

// Delays are bounded so that later sums of times cannot overflow; max_ack_delay is at most 2^14 ms anyway.
constexpr std::uint64_t kLongestAckDelayUs = std::uint64_t{1} << 40;

std::unexpected<TransportError> malformed(std::uint64_t type, std::string_view reason) {
  return std::unexpected(TransportError{TransportErrorCode::frame_encoding_error, type, reason});
}

Result read_stream(Reader& in, std::uint64_t type) {
  const auto stream = in.varint();
  if (!stream) return malformed(type, "STREAM frame cut off in its stream id");
  std::uint64_t offset = 0;
  if ((type & frame_type::kStreamOffsetBit) != 0) {
    const auto value = in.varint();
    if (!value) return malformed(type, "STREAM frame cut off in its offset");
    offset = *value;
  }
  std::uint64_t length = in.remaining();
  if ((type & frame_type::kStreamLengthBit) != 0) {
    const auto value = in.varint();
    if (!value) return malformed(type, "STREAM frame cut off in its length");
    length = *value;
  }
  if (length > kMaxVarint - offset) return malformed(type, "STREAM frame ends beyond 2^62 - 1");  // RFC 9000 §19.8
  const auto data = in.bytes(length);
  if (!data) return malformed(type, "STREAM frame longer than the packet");
  return StreamFrame{StreamId(*stream), offset, *data, (type & frame_type::kStreamFinBit) != 0};
}

// docs/protocol.md §4.2. Returns what is wrong, or the times.
std::expected<ReceiveTimes, std::string_view> read_times(Reader& in, std::uint64_t largest) {
  constexpr std::string_view kCutOff = "ACK frame cut off in its receive times";
  const auto ranges = in.varint();
  if (!ranges) return std::unexpected(kCutOff);
  const ByteView before = in.rest();
  std::size_t size = 0;
  std::uint64_t at_us = static_cast<std::uint64_t>(kLatestReceiveTime / std::chrono::microseconds(1));
  for (std::uint64_t i = 0; i < *ranges; ++i) {
    const auto distance = in.varint();
    if (!distance) return std::unexpected(kCutOff);
    const auto count = in.varint();
    if (!count) return std::unexpected(kCutOff);
    if (*count == 0) return std::unexpected("range of receive times without a time");
    if (*count > kMaxReceiveTimes - size) return std::unexpected("ACK frame with too many receive times");
    if (*distance > largest || *count - 1 > largest - *distance)
      return std::unexpected("receive time of a packet below number 0");
    for (std::uint64_t j = 0; j < *count; ++j, ++size) {
      const auto step = in.varint();
      if (!step) return std::unexpected(kCutOff);
      if (*step > at_us)
        return std::unexpected(size == 0 ? "receive time out of bounds" : "receive time before the epoch");
      at_us = size == 0 ? *step : at_us - *step;
    }
  }
  return ReceiveTimes(PacketNumber(largest), before.first(before.size() - in.remaining()), size);
}

Result read_ack(Reader& in, std::uint64_t type) {
  const auto largest = in.varint();
  if (!largest) return malformed(type, "ACK frame cut off");
  const auto delay_us = in.varint();
  if (!delay_us) return malformed(type, "ACK frame cut off");
  const auto count = in.varint();
  if (!count) return malformed(type, "ACK frame cut off");
  const auto first_length = in.varint();
  if (!first_length) return malformed(type, "ACK frame cut off");
  if (*count > kMaxAckRanges) return malformed(type, "ACK frame with too many ranges");
  if (*first_length > *largest) return malformed(type, "ACK range below packet number 0");
  const AckRange first{PacketNumber(*largest - *first_length), PacketNumber(*largest)};

  const ByteView before = in.rest();
  std::uint64_t smallest = first.first.value();
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto gap = in.varint();
    if (!gap) return malformed(type, "ACK frame cut off in its ranges");
    const auto length = in.varint();
    if (!length) return malformed(type, "ACK frame cut off in its ranges");
    // RFC 9000 §19.3.1: the next range ends gap + 2 below the last one's smallest number.
    if (smallest < 2 || *gap > smallest - 2) return malformed(type, "ACK range below packet number 0");
    const std::uint64_t last = smallest - 2 - *gap;
    if (*length > last) return malformed(type, "ACK range below packet number 0");
    smallest = last - *length;
  }
  AckFrame frame;
  frame.largest = PacketNumber(*largest);
  frame.delay = std::chrono::microseconds(std::min(*delay_us, kLongestAckDelayUs));
  frame.ranges = AckRanges(first, before.first(before.size() - in.remaining()), *count);
  if (type == frame_type::kAckEcn || type == frame_type::kAckEcnTimes) {
    EcnCounts counts;
    for (std::uint64_t* value : {&counts.ect0, &counts.ect1, &counts.ce}) {
      const auto count_read = in.varint();
      if (!count_read) return malformed(type, "ACK frame cut off in its ECN counts");
      *value = *count_read;
    }
    frame.ecn = counts;
  }
  if (type == frame_type::kAckTimes || type == frame_type::kAckEcnTimes) {
    const auto times = read_times(in, *largest);
    if (!times) return malformed(type, times.error());
    frame.times = *times;
  }
  return frame;
}

Result read_close(Reader& in, std::uint64_t type) {
  CloseFrame frame;
  frame.application = type == frame_type::kCloseApplication;
  const auto code = in.varint();
  if (!code) return malformed(type, "CLOSE frame cut off in its code");
  frame.code = *code;
  if (!frame.application) {
    const auto cause = in.varint();
    if (!cause) return malformed(type, "CLOSE frame cut off in its frame type");
    frame.frame_type = *cause;
  }
  const auto length = in.varint();
  if (!length) return malformed(type, "CLOSE frame cut off in its reason length");
  if (*length > kMaxCloseReason) return malformed(type, "CLOSE frame with too long a reason");
  const auto reason = in.bytes(*length);
  if (!reason) return malformed(type, "CLOSE frame longer than the packet");
  frame.reason = *reason;
  return frame;
}

Result read_reset_stream(Reader& in, std::uint64_t type) {
  const auto stream = in.varint();
  if (!stream) return malformed(type, "RESET_STREAM frame cut off");
  const auto code = in.varint();
  if (!code) return malformed(type, "RESET_STREAM frame cut off");
  const auto final_size = in.varint();
  if (!final_size) return malformed(type, "RESET_STREAM frame cut off");
  return ResetStreamFrame{StreamId(*stream), *code, *final_size};
}

Result read_ack_frequency(Reader& in, std::uint64_t type) {
  AckFrequencyFrame frame;
  std::uint64_t delay_us = 0;
  for (std::uint64_t* value : {&frame.sequence, &frame.threshold, &delay_us, &frame.reordering_threshold}) {
    const auto read = in.varint();
    if (!read) return malformed(type, "ACK_FREQUENCY frame cut off");
    *value = *read;
  }
  constexpr auto kMost = std::chrono::duration_cast<std::chrono::microseconds>(kLongestAckDelay).count();
  if (delay_us > static_cast<std::uint64_t>(kMost)) return malformed(type, "ACK_FREQUENCY frame with too long a delay");
  frame.max_ack_delay = std::chrono::microseconds(delay_us);
  return frame;
}

Result read_new_connection_id(Reader& in, std::uint64_t type) {
  const auto sequence = in.varint();
  if (!sequence) return malformed(type, "NEW_CONNECTION_ID frame cut off");
  const auto retire_prior_to = in.varint();
  if (!retire_prior_to) return malformed(type, "NEW_CONNECTION_ID frame cut off");
  const auto id = in.bytes(ConnectionId::kSize);
  if (!id) return malformed(type, "NEW_CONNECTION_ID frame cut off in its id");
  // RFC 9000 §19.15.
  if (*retire_prior_to > *sequence) return malformed(type, "NEW_CONNECTION_ID frame retires its own id");
  ConnectionId::Bytes bytes;
  std::copy(id->begin(), id->end(), bytes.begin());
  return NewConnectionIdFrame{*sequence, *retire_prior_to, ConnectionId(bytes)};
}

template <typename F>
Result read_path_data(Reader& in, std::uint64_t type) {
  F frame;
  const auto data = in.bytes(frame.data.size());
  if (!data) return malformed(type, "frame cut off");
  std::copy(data->begin(), data->end(), frame.data.begin());
  return frame;
}

Result read_datagram(Reader& in, std::uint64_t type) {
  std::uint64_t length = in.remaining();
  if (type == frame_type::kDatagramWithLength) {
    const auto value = in.varint();
    if (!value) return malformed(type, "DATAGRAM frame cut off in its length");
    length = *value;
  }
  const auto data = in.bytes(length);
  if (!data) return malformed(type, "DATAGRAM frame longer than the packet");
  return DatagramFrame{*data};
}

Result read_message(Reader& in, std::uint64_t type, MessageFrame::Form form) {
  const auto sequence = in.varint();
  if (!sequence) return malformed(type, "MESSAGE frame cut off");
  const auto length = in.varint();
  if (!length) return malformed(type, "MESSAGE frame cut off in its length");
  const auto body = in.bytes(*length);
  if (!body) return malformed(type, "MESSAGE frame longer than the packet");
  return MessageFrame{form, *sequence, *body};
}

Result read_message_part(Reader& in, std::uint64_t type, MessageFrame::Form form) {
  const auto sequence = in.varint();
  if (!sequence) return malformed(type, "MESSAGE_PART frame cut off");
  const auto body_size = in.varint();
  if (!body_size) return malformed(type, "MESSAGE_PART frame cut off");
  const auto offset = in.varint();
  if (!offset) return malformed(type, "MESSAGE_PART frame cut off");
  const auto length = in.varint();
  if (!length) return malformed(type, "MESSAGE_PART frame cut off in its length");
  if (*body_size > kMaxMessageLength) return malformed(type, "MESSAGE_PART frame of a message that is too long");
  if (*offset > *body_size || *length > *body_size - *offset)
    return malformed(type, "MESSAGE_PART frame beyond the end of its message");
  if (*length == 0) return malformed(type, "MESSAGE_PART frame without data");
  const auto data = in.bytes(*length);
  if (!data) return malformed(type, "MESSAGE_PART frame longer than the packet");
  return MessagePartFrame{form, *sequence, *body_size, *offset, *data};
}

Result read_messages_blocked(Reader& in, std::uint64_t type) {
  const auto bytes = in.varint();
  if (!bytes) return malformed(type, "MESSAGES_BLOCKED frame cut off");
  const auto needed = in.varint();
  if (!needed) return malformed(type, "MESSAGES_BLOCKED frame cut off");
  return MessagesBlockedFrame{*bytes, *needed};
}

Result read_expired(Reader& in, std::uint64_t type) {
  const auto first = in.varint();
  if (!first) return malformed(type, "EXPIRED frame cut off");
  const auto more = in.varint();
  if (!more) return malformed(type, "EXPIRED frame cut off");
  const auto length = in.varint();
  if (!length) return malformed(type, "EXPIRED frame cut off");
  if (*more >= kMaxMessageWindow) return malformed(type, "EXPIRED frame of more messages than can be under way");
  if (*first > kMaxVarint - *more) return malformed(type, "EXPIRED frame beyond the last sequence");
  if (*length > kMaxMessageCharge) return malformed(type, "EXPIRED frame of messages that are too long");
  return ExpiredFrame{*first, *more + 1, *length};
}

Result read_max_messages(Reader& in, std::uint64_t type) {
  const auto window = in.varint();
  if (!window) return malformed(type, "MAX_MESSAGES frame cut off");
  if (*window > kMaxMessageWindow) return malformed(type, "MAX_MESSAGES frame with too large a window");
  const auto bytes = in.varint();
  if (!bytes) return malformed(type, "MAX_MESSAGES frame cut off");
  return MaxMessagesFrame{*window, *bytes};
}

Result read_drain(Reader& in, std::uint64_t type) {
  const auto state = in.varint();
  if (!state) return malformed(type, "DRAIN frame cut off");
  if (*state > static_cast<std::uint64_t>(DrainFrame::State::agrees))
    return malformed(type, "DRAIN frame with a state that is not known");
  DrainFrame frame{static_cast<DrainFrame::State>(*state)};
  if (frame.state != DrainFrame::State::begins) return frame;
  const auto time_ms = in.varint();
  if (!time_ms) return malformed(type, "DRAIN frame cut off in its time");
  constexpr auto kMost = std::chrono::duration_cast<std::chrono::milliseconds>(kLongestDrain).count();
  if (*time_ms > static_cast<std::uint64_t>(kMost)) return malformed(type, "DRAIN frame with too long a time");
  frame.time = std::chrono::milliseconds(*time_ms);
  return frame;
}

// Errors as FrameReader::next. REQUIRES: !in.empty().
std::expected<std::uint64_t, TransportError> read_type(Reader& in) {
  const auto first_byte = in.rest().front();
  const auto type = in.varint();
  if (!type) return malformed(first_byte, "frame type cut off");
  if (varint_size(*type) != varint_size_from_first_byte(first_byte))
    return malformed(*type, "frame type not in its shortest form");
  return *type;
}

// What ORDERED may stand before.
Result read_message_frame(Reader& in, std::uint64_t type) {
  switch (type) {
    case frame_type::kMessage: return read_message(in, type, MessageFrame::Form::full);
    case frame_type::kCompactMessage: return read_message(in, type, MessageFrame::Form::compact);
    case frame_type::kMessagePart: return read_message_part(in, type, MessageFrame::Form::full);
    case frame_type::kCompactMessagePart: return read_message_part(in, type, MessageFrame::Form::compact);
    case frame_type::kExpired: return read_expired(in, type);
    default: return malformed(frame_type::kOrdered, "ORDERED frame before one that is of no message");
  }
}

// The link of ORDERED, and then the frame that it is of.
Result read_ordered(Reader& in, std::uint64_t ordered) {
  constexpr unsigned kChannelBits = 2;
  static_assert(kMessageClasses == 1u << kChannelBits);
  const auto value = in.varint();
  if (!value) return malformed(ordered, "ORDERED frame cut off");
  const std::uint64_t distance = *value >> kChannelBits;
  if (distance >= kMaxMessageWindow) return malformed(ordered, "ORDERED frame that points further than a window");
  const OrderLink link{static_cast<MessageClass>(*value & (kMessageClasses - 1)), static_cast<std::uint32_t>(distance)};
  const auto with_link = [&](auto frame, std::uint64_t sequence) -> Result {
    if (distance > sequence) return malformed(ordered, "ORDERED frame that points before the first message");
    frame.order = link;
    return frame;
  };
  if (in.empty()) return malformed(ordered, "ORDERED frame without the frame that it is of");
  const auto type = read_type(in);
  if (!type) return std::unexpected(type.error());
  const Result frame = read_message_frame(in, *type);
  if (!frame) return frame;
  if (const auto* message = std::get_if<MessageFrame>(&**frame)) return with_link(*message, message->sequence);
  if (const auto* part = std::get_if<MessagePartFrame>(&**frame)) return with_link(*part, part->sequence);
  const auto& expired = std::get<ExpiredFrame>(**frame);
  // What was sent has used credit, and what was never sent is not in a channel.
  if (expired.length < kMessageOverhead) return malformed(ordered, "ORDERED frame of EXPIRED without credit");
  return with_link(expired, expired.first);
}

// Frames of one number and of a stream id and a number.
template <typename F>
Result read_limit(Reader& in, std::uint64_t type) {
  const auto limit = in.varint();
  if (!limit) return malformed(type, "frame cut off");
  return F{*limit};
}
template <typename F>
Result read_stream_value(Reader& in, std::uint64_t type) {
  const auto stream = in.varint();
  if (!stream) return malformed(type, "frame cut off");
  const auto value = in.varint();
  if (!value) return malformed(type, "frame cut off");
  return F{StreamId(*stream), *value};
}
template <typename F>
Result read_stream_count(Reader& in, std::uint64_t frame_type, StreamType type) {
  const auto limit = in.varint();
  if (!limit) return malformed(frame_type, "frame cut off");
  if (*limit > kMaxStreamCount) return malformed(frame_type, "more than 2^60 streams");
  return F{type, *limit};
}

}  // namespace

std::expected<std::optional<Frame>, TransportError> FrameReader::next() {
  if (reader_.empty()) return std::optional<Frame>();
  const auto read = read_type(reader_);
  if (!read) return std::unexpected(read.error());
  const std::uint64_t type = *read;
  last_type_ = type;
  if (type >= frame_type::kStream && type <= frame_type::kStreamLast) return read_stream(reader_, type);
  switch (type) {
    case frame_type::kAck:
    case frame_type::kAckEcn: return read_ack(reader_, type);
    case frame_type::kPadding: return PaddingFrame{1 + reader_.skip_run(0)};
    case frame_type::kPing: return PingFrame{};
    case frame_type::kResetStream: return read_reset_stream(reader_, type);
    case frame_type::kStopSending: return read_stream_value<StopSendingFrame>(reader_, type);
    case frame_type::kMaxData: return read_limit<MaxDataFrame>(reader_, type);
    case frame_type::kMaxStreamData: return read_stream_value<MaxStreamDataFrame>(reader_, type);
    case frame_type::kMaxStreamsBidi:
      return read_stream_count<MaxStreamsFrame>(reader_, type, StreamType::bidirectional);
    case frame_type::kMaxStreamsUni:
      return read_stream_count<MaxStreamsFrame>(reader_, type, StreamType::unidirectional);
    case frame_type::kDataBlocked: return read_limit<DataBlockedFrame>(reader_, type);
    case frame_type::kStreamDataBlocked: return read_stream_value<StreamDataBlockedFrame>(reader_, type);
    case frame_type::kStreamsBlockedBidi:
      return read_stream_count<StreamsBlockedFrame>(reader_, type, StreamType::bidirectional);
    case frame_type::kStreamsBlockedUni:
      return read_stream_count<StreamsBlockedFrame>(reader_, type, StreamType::unidirectional);
    case frame_type::kAckFrequency: return read_ack_frequency(reader_, type);
    case frame_type::kAckTimes:
    case frame_type::kAckEcnTimes: return read_ack(reader_, type);
    case frame_type::kImmediateAck: return ImmediateAckFrame{};
    case frame_type::kNewConnectionId: return read_new_connection_id(reader_, type);
    case frame_type::kRetireConnectionId: return read_limit<RetireConnectionIdFrame>(reader_, type);
    case frame_type::kPathChallenge: return read_path_data<PathChallengeFrame>(reader_, type);
    case frame_type::kPathResponse: return read_path_data<PathResponseFrame>(reader_, type);
    case frame_type::kDatagram:
    case frame_type::kDatagramWithLength: return read_datagram(reader_, type);
    case frame_type::kMessage:
    case frame_type::kCompactMessage:
    case frame_type::kMessagePart:
    case frame_type::kCompactMessagePart:
    case frame_type::kExpired: return read_message_frame(reader_, type);
    case frame_type::kOrdered: return read_ordered(reader_, type);
    case frame_type::kMaxMessages: return read_max_messages(reader_, type);
    case frame_type::kMessagesBlocked: return read_messages_blocked(reader_, type);
    case frame_type::kDrain: return read_drain(reader_, type);
    case frame_type::kCloseTransport:
    case frame_type::kCloseApplication: return read_close(reader_, type);
    default: return std::unexpected(TransportError{TransportErrorCode::unknown_frame, type, "frame type not known"});
  }
}

}  // namespace mxp
