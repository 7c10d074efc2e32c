// Inbound. A STREAM frame goes through these steps:
//   1. find or open its stream; a frame of a forgotten stream ends here
//   2. check the final size and the limits, of the stream and of the connection
//   3. if the data are in order and not held back, hand the packet's own bytes to the application, and then what was
//      waiting behind them; otherwise keep a copy
//   4. what the application took frees credit
// The application may do anything in between. `delivering` says that one of its frames on the call stack looks at the
// stream's bytes.
#include <algorithm>
#include <limits>
#include <tuple>

#include "scheduler/streams.h"

namespace mxp {

std::expected<void, TransportError> Streams::on_frame(const StreamFrame& frame) {
  const auto found = find_for_frame(frame.stream, frame_type::kStream, true);
  if (!found) return std::unexpected(found.error());
  if (*found == nullptr) return {};
  Stream& stream = **found;
  ReceiveStream& receive = stream.receive;

  const auto grown = receive.on_data(frame.offset, frame.data.size(), frame.fin);
  if (!grown) return std::unexpected(grown.error());
  if (const auto allowed = credit_.on_received(*grown, frame_type::kStream); !allowed) return allowed;
  if (frame.fin) drop_control(stream, Stream::kMaxStreamData);

  if (receive.state() == ReceiveStream::State::discarding) {
    credit_.consume(*grown);
    if (receive.final_size()) end_receiving(stream);
    return {};
  }
  if (receive.done()) return {};

  const std::uint64_t end = frame.offset + frame.data.size();
  const bool in_order = frame.offset <= receive.delivered() && end >= receive.delivered();
  if (in_order && !receive.paused) {
    const ByteView fresh = frame.data.subspan(static_cast<std::size_t>(receive.delivered() - frame.offset));
    if (!fresh.empty() || receive.ends_at(end)) deliver_view(stream, fresh);
  } else if (!insert(stream, frame.offset, frame.data)) {
    return std::unexpected(
        TransportError{TransportErrorCode::reassembly_limit_error, frame_type::kStream, "too many gaps in a stream"});
  }
  return {};
}

void Streams::deliver_view(Stream& stream, ByteView view) {
  if (deliver_piece(stream, view, true) && !stream.receive.reassembler().empty()) deliver_buffered(stream);
}

void Streams::deliver_buffered(Stream& stream) {
  const ReceiveStream& receive = stream.receive;
  while (receive.state() == ReceiveStream::State::receiving) {
    const ByteView piece = receive.reassembler().front();
    if (piece.empty() && !receive.ends_at(receive.delivered())) return;
    if (!deliver_piece(stream, piece, false)) return;
  }
}

bool Streams::deliver_piece(Stream& stream, ByteView piece, bool in_packet) {
  ReceiveStream& receive = stream.receive;
  const bool fin = receive.ends_at(receive.delivered() + piece.size());
  receive.delivering = true;
  receive.resume_requested = false;
  std::size_t taken = 0;
  {
    const EventScope scope = events_.enter();
    taken = std::min(events_.on_stream_data(stream.id, piece, fin), piece.size());
  }
  receive.delivering = false;
  if (dropped_) return false;
  if (receive.state() == ReceiveStream::State::discarding) {  // stop_sending was called from inside
    discard_rest(stream);
    if (receive.final_size()) end_receiving(stream);
    return false;
  }

  counters_.bytes_delivered += taken;
  consume(stream, taken);
  advance(stream);
  if (taken == piece.size()) {
    if (fin) end_receiving(stream);
    return !fin;
  }
  // A resume from inside counts only after progress. Otherwise an application that takes nothing and asks again would
  // never return.
  receive.paused = !receive.resume_requested || taken == 0;
  // The bytes are at the front, so this never fails for want of spans.
  if (in_packet) std::ignore = insert(stream, receive.delivered(), piece.subspan(taken));
  return !receive.paused;
}

bool Streams::insert(Stream& stream, std::uint64_t offset, ByteView data) {
  const BufferUse use(*this, stream);
  return stream.receive.reassembler().insert(offset, data, config_.max_reassembly_spans);
}

void Streams::advance(Stream& stream) {
  Reassembler& reassembler = stream.receive.reassembler();
  // The usual case: everything came in order, and nothing is stored.
  if (reassembler.memory() == 0) return reassembler.advance(stream.receive.delivered());
  const BufferUse use(*this, stream);
  // Rings stay as large as they were, so that a gap now and then allocates nothing, but not on every stream.
  const bool much = receive_memory_ > config_.connection_window / 4;
  reassembler.advance(stream.receive.delivered(), much ? kKeptBytes : std::numeric_limits<std::size_t>::max());
}

void Streams::consume(Stream& stream, std::uint64_t count) {
  ReceiveStream& receive = stream.receive;
  receive.window().consume(count, now_, smoothed_rtt_);
  if (receive.wants_credit() && receive.window().raise_due()) want_control(stream, Stream::kMaxStreamData);
  credit_.consume(count);
}

// Nobody will read what is left. It counts as consumed, so that the connection's window does not leak (RFC 9000 §4.5).
void Streams::discard_rest(Stream& stream) {
  credit_.consume(stream.receive.highest() - stream.receive.delivered());
  const BufferUse use(*this, stream);
  stream.receive.reassembler().discard();
}

void Streams::end_receiving(Stream& stream) {
  stream.receive.finish();
  drop_control(stream, Stream::kMaxStreamData | Stream::kStopSending);
  finish_if_done(stream);
}

std::expected<void, TransportError> Streams::on_frame(const ResetStreamFrame& frame) {
  const auto found = find_for_frame(frame.stream, frame_type::kResetStream, true);
  if (!found) return std::unexpected(found.error());
  if (*found == nullptr) return {};
  Stream& stream = **found;
  ReceiveStream& receive = stream.receive;
  // RFC 9000 §3.2: after everything has arrived, a reset may be ignored. The application gets its data.
  const bool was_complete = receive.complete();
  const auto grown = receive.on_final_size(frame.final_size);
  if (!grown) return std::unexpected(grown.error());
  if (const auto allowed = credit_.on_received(*grown, frame_type::kResetStream); !allowed) return allowed;
  if (was_complete) return {};
  if (receive.state() == ReceiveStream::State::discarding) {
    credit_.consume(*grown);
    end_receiving(stream);
    return {};
  }
  discard_rest(stream);
  end_receiving(stream);
  const EventScope scope = events_.enter();
  events_.on_stream_reset(frame.stream, frame.code);
  return {};
}

std::expected<void, TransportError> Streams::on_frame(const StopSendingFrame& frame) {
  const auto found = find_for_frame(frame.stream, frame_type::kStopSending, false);
  if (!found) return std::unexpected(found.error());
  if (*found == nullptr) return {};
  SendStream& send = (*found)->send;
  if (send.is_reset() || send.done()) return {};
  abandon_sending(**found, frame.code);  // RFC 9000 §3.5
  const EventScope scope = events_.enter();
  events_.on_stop_sending(frame.stream, frame.code);
  return {};
}

std::expected<void, TransportError> Streams::on_frame(const MaxStreamDataFrame& frame) {
  const auto found = find_for_frame(frame.stream, frame_type::kMaxStreamData, false);
  if (!found) return std::unexpected(found.error());
  if (*found == nullptr) return {};
  Stream& stream = **found;
  if (!stream.send.credit().raise(frame.limit)) return {};
  drop_control(stream, Stream::kStreamDataBlocked);
  refresh_sending(stream);
  return {};
}

std::expected<void, TransportError> Streams::on_frame(const MaxStreamsFrame& frame) {
  const std::uint64_t type =
      frame.type == StreamType::bidirectional ? frame_type::kMaxStreamsBidi : frame_type::kMaxStreamsUni;
  if (frame.limit > kMaxStreamCount)
    return std::unexpected(TransportError{TransportErrorCode::frame_encoding_error, type, "more than 2^60 streams"});
  if (local_ids(frame.type).raise(frame.limit)) tell_streams_available(frame.type);
  return {};
}

std::expected<void, TransportError> Streams::on_frame(const StreamDataBlockedFrame& frame) {
  const auto found = find_for_frame(frame.stream, frame_type::kStreamDataBlocked, true);
  if (!found) return std::unexpected(found.error());
  if (*found == nullptr) return {};
  ReceiveStream& receive = (*found)->receive;
  receive.window().on_peer_blocked(frame.limit);
  if (receive.wants_credit() && receive.window().raise_due()) want_control(**found, Stream::kMaxStreamData);
  return {};
}

std::expected<void, TransportError> Streams::on_frame(const StreamsBlockedFrame& frame) {
  remote_ids(frame.type).on_peer_blocked(frame.limit);
  return {};
}

std::expected<void, StreamError> Streams::stop_sending(StreamId id, AppErrorCode code) {
  const auto found = find_for_verb(id, true);
  if (!found) return std::unexpected(found.error());
  Stream& stream = **found;
  if (stream.receive.state() != ReceiveStream::State::receiving) return {};
  stream.receive.stop(code);
  drop_control(stream, Stream::kMaxStreamData);
  // With a known final size there is nothing left to stop but retransmissions.
  if (!stream.receive.final_size()) want_control(stream, Stream::kStopSending);
  if (stream.receive.delivering) return {};  // the application is looking at the bytes; deliver_piece does the rest
  discard_rest(stream);
  if (stream.receive.final_size()) end_receiving(stream);
  return {};
}

std::expected<void, StreamError> Streams::resume(StreamId id) {
  const auto found = find_for_verb(id, true);
  if (!found) return std::unexpected(found.error());
  Stream& stream = **found;
  if (stream.receive.delivering) {
    stream.receive.resume_requested = true;
    return {};
  }
  if (!stream.receive.paused) return {};
  if (!events_.is_telling()) {
    resumed_.push_back(stream);
    return {};
  }
  resumed_.remove(stream);
  stream.receive.paused = false;
  deliver_buffered(stream);
  return {};
}

void Streams::deliver_resumed() {
  // Each stream that waits now is served once; what is resumed from inside is delivered there.
  while (!resumed_.empty() && !dropped_) {
    Stream& stream = resumed_.front();
    resumed_.remove(stream);
    if (!stream.receive.paused) continue;
    stream.receive.paused = false;
    deliver_buffered(stream);
  }
}

}  // namespace mxp
