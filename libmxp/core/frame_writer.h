// Writes frames; each function returns false and writes nothing when the frame does not fit.
#pragma once

#include <cstdint>
#include <span>

#include "core/frames.h"

namespace mxp {

bool write_padding(Writer& out, std::size_t count);
bool write_ping(Writer& out);
// `ranges` from the highest to the lowest, disjoint and not adjacent, at least one, at most 1 + kMaxAckRanges; as many
// as fit are written, always the highest first, and false only if not even one fits.
// Receive times are written as far as they fit behind the ranges, always the latest first, in a frame of the types that
// carry them. Where none is written, the frame is of the plain types.
struct TimesForAck {
  // From the earliest to the latest, each in 0..kLatestReceiveTime, of packets up to the largest number.
  std::span<const ReceiveTime> times;
  std::size_t most_bytes = SIZE_MAX;  // that they may take
};
bool write_ack(Writer& out, std::span<const AckRange> ranges, Duration delay, const std::optional<EcnCounts>& ecn,
               const TimesForAck& times = {});
bool write_frame(Writer& out, const ResetStreamFrame& frame);
bool write_frame(Writer& out, const StopSendingFrame& frame);
bool write_frame(Writer& out, const MaxDataFrame& frame);
bool write_frame(Writer& out, const MaxStreamDataFrame& frame);
bool write_frame(Writer& out, const MaxStreamsFrame& frame);
bool write_frame(Writer& out, const DataBlockedFrame& frame);
bool write_frame(Writer& out, const StreamDataBlockedFrame& frame);
bool write_frame(Writer& out, const StreamsBlockedFrame& frame);
// REQUIRES: 0 <= max_ack_delay <= kLongestAckDelay; parts of a microsecond are left out.
bool write_frame(Writer& out, const AckFrequencyFrame& frame);
bool write_frame(Writer& out, const ImmediateAckFrame& frame);
// REQUIRES: retire_prior_to <= sequence.
bool write_frame(Writer& out, const NewConnectionIdFrame& frame);
bool write_frame(Writer& out, const RetireConnectionIdFrame& frame);
bool write_frame(Writer& out, const PathChallengeFrame& frame);
bool write_frame(Writer& out, const PathResponseFrame& frame);
// With its length, so that more frames may follow. Where only the length does not fit, without it: PADDING then comes
// first, so that the frame ends where the packet does, and no other can follow it by mistake.
bool write_frame(Writer& out, const DatagramFrame& frame);
// What takes an order writes ORDERED before itself, if it has one.
// REQUIRES: 1 <= count <= kMaxMessageWindow.
bool write_frame(Writer& out, const ExpiredFrame& frame);
bool write_frame(Writer& out, const MaxMessagesFrame& frame);
bool write_frame(Writer& out, const MessagesBlockedFrame& frame);
bool write_frame(Writer& out, const MessageFrame& frame);
// Bytes that a MESSAGE frame takes beside its body.
std::size_t message_frame_overhead(std::uint64_t sequence, std::size_t body_size,
                                   const std::optional<OrderLink>& order = {});
bool write_frame(Writer& out, const MessagePartFrame& frame);
// Bytes of data that a MESSAGE_PART frame at this offset could carry in `space` bytes; 0: none.
std::size_t message_part_capacity(std::size_t space, std::uint64_t sequence, std::uint64_t body_size,
                                  std::uint64_t offset, const std::optional<OrderLink>& order = {});
// REQUIRES: with `begins`, 0 <= time <= kLongestDrain; parts of a millisecond are left out.
bool write_frame(Writer& out, const DrainFrame& frame);
// The reason is cut to what fits, and to kMaxCloseReason.
bool write_frame(Writer& out, const CloseFrame& frame);

// A STREAM frame in two steps, so that its data are copied once, straight into the packet. The length field is always
// written, in the shortest form for the data that the frame gets, so that more frames may follow.
struct StreamFrameSlot {
  MutableBytes data;  // where exactly this many bytes of the stream go
};
// Bytes of data that a STREAM frame could carry in `space` bytes; nothing if not even an empty frame fits.
std::optional<std::size_t> stream_frame_capacity(std::size_t space, StreamId stream, std::uint64_t offset);
// Writes the header for `length` bytes (0 is fine) and reserves their place. Nothing if it does not fit.
std::optional<StreamFrameSlot> begin_stream_frame(Writer& out, StreamId stream, std::uint64_t offset,
                                                  std::size_t length, bool fin);

// The same for DATAGRAM: the header, and where exactly `length` bytes go. Nothing if it does not fit.
std::optional<MutableBytes> begin_datagram_frame(Writer& out, std::size_t length);

}  // namespace mxp
