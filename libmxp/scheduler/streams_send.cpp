// Outbound. A packet is filled in this order:
//   1. control frames of the connection: MAX_DATA, MAX_STREAMS, DATA_BLOCKED, STREAMS_BLOCKED
//   2. control frames of streams, in the order in which they came up
//   3. lost data and ends without data: they cost no connection credit, and the peer waits for them
//   4. new data, streams taking turns; a probe may ask for them before 3
// A stream is in a list exactly while it has something of that kind to send; refresh_sending keeps that true.
#include <algorithm>

#include "core/frame_writer.h"
#include "scheduler/event_scope.h"
#include "scheduler/streams.h"

namespace mxp {
namespace {

// How much new data a stream may send before another has its turn, if several have some: at least this, and at least a
// packet. It is large enough that turns cost nothing, and small enough that 100 streams have each had one within half a
// megabyte.
constexpr std::size_t kQuantumBytes = 4800;
// Data are not cut into pieces smaller than this to fill the last bytes of a packet.
constexpr std::size_t kSmallestPiece = 32;

SentFrame::Kind max_streams_kind(StreamType type) {
  return type == StreamType::bidirectional ? SentFrame::Kind::max_streams_bidi : SentFrame::Kind::max_streams_uni;
}
SentFrame::Kind streams_blocked_kind(StreamType type) {
  return type == StreamType::bidirectional ? SentFrame::Kind::streams_blocked_bidi
                                           : SentFrame::Kind::streams_blocked_uni;
}

}  // namespace

void Streams::refresh_sending(Stream& stream) {
  SendStream& send = stream.send;
  if (!send.has_urgent()) urgent_.remove(stream);
  else urgent_.push_back(stream);
  if (!send.has_new_data()) {
    ready_.remove(stream);
  } else if (!ReadyList::contains(stream)) {
    stream.quantum_left = 0;
    ready_.push_back(stream);
  }
  if (const bool starved = send.starved(); starved != stream.starved) {
    stream.starved = starved;
    starved ? ++starved_streams_ : --starved_streams_;
    if (starved && send.credit().note_blocked()) want_control(stream, Stream::kStreamDataBlocked);
  }
  note_connection_blocked();
}

void Streams::note_connection_blocked() {
  if (blocked_by_connection_credit() && send_credit_.note_blocked()) data_blocked_pending_ = true;
}

void Streams::want_control(Stream& stream, std::uint8_t frames) {
  stream.control = static_cast<std::uint8_t>(stream.control | frames);
  control_.push_back(stream);
}

void Streams::drop_control(Stream& stream, std::uint8_t frames) {
  stream.control = static_cast<std::uint8_t>(stream.control & ~frames);
  if (stream.control == 0) control_.remove(stream);
}

void Streams::abandon_sending(Stream& stream, AppErrorCode code) {
  {
    const BufferUse use(*this, stream);
    stream.send.reset(code);
  }
  drop_control(stream, Stream::kStreamDataBlocked);
  want_control(stream, Stream::kResetStream);
  refresh_sending(stream);
}

bool Streams::has_pending() const {
  if (dropped_) return false;
  if (!control_.empty() || !urgent_.empty() || (!ready_.empty() && send_credit_.available() != 0)) return true;
  if (max_data_pending_ || data_blocked_pending_) return true;
  for (const RemoteStreamIds& ids : remote_ids_)
    if (ids.raise_due()) return true;
  for (const LocalStreamIds& ids : local_ids_)
    if (ids.blocked_pending()) return true;
  return false;
}

bool Streams::write_frames(Writer& out, SentFrameSink sent, DataOrder order) {
  if (dropped_) return false;
  const std::size_t before = out.written();
  write_connection_control(out, sent);
  if (!control_.empty()) write_stream_control(out, sent);
  if (order == DataOrder::new_first) write_new(out, sent);
  if (!urgent_.empty()) write_urgent(out, sent);
  if (!ready_.empty()) write_new(out, sent);
  return out.written() != before;
}

void Streams::write_connection_control(Writer& out, SentFrameSink sent) {
  // The limit is raised and told only if its longest form fits, because it must not be raised without being told.
  constexpr std::size_t kLongest = 1 + 8;
  if (max_data_pending_ && out.space() >= kLongest) {
    const MaxDataFrame frame{receive_window_.raise(now_, smoothed_rtt_)};
    write_frame(out, frame);
    sent({.kind = SentFrame::Kind::max_data, .value = frame.limit});
    max_data_pending_ = false;
  }
  for (const StreamType type : {StreamType::bidirectional, StreamType::unidirectional}) {
    if (RemoteStreamIds& ids = remote_ids(type); ids.raise_due() && out.space() >= kLongest) {
      const MaxStreamsFrame frame{type, ids.raise()};
      write_frame(out, frame);
      sent({.kind = max_streams_kind(type), .value = frame.limit});
    }
    if (LocalStreamIds& ids = local_ids(type);
        ids.blocked_pending() && write_frame(out, StreamsBlockedFrame{type, ids.limit()})) {
      sent({.kind = streams_blocked_kind(type), .value = ids.limit()});
      ids.on_blocked_sent();
    }
  }
  if (data_blocked_pending_ && write_frame(out, DataBlockedFrame{send_credit_.limit()})) {
    sent({.kind = SentFrame::Kind::data_blocked, .value = send_credit_.limit()});
    data_blocked_pending_ = false;
  }
}

void Streams::write_stream_control(Writer& out, SentFrameSink sent) {
  constexpr std::size_t kLongestRaise = 1 + 8 + 8;
  while (!control_.empty()) {
    Stream& stream = control_.front();
    const StreamId id = stream.id;
    if ((stream.control & Stream::kResetStream) != 0) {
      if (!write_frame(out, ResetStreamFrame{id, stream.send.reset_code(), stream.send.sent_end()})) return;
      sent({.kind = SentFrame::Kind::reset_stream, .stream = id});
      stream.control &= static_cast<std::uint8_t>(~Stream::kResetStream);
    }
    if ((stream.control & Stream::kStopSending) != 0) {
      if (!write_frame(out, StopSendingFrame{id, stream.receive.stop_code()})) return;
      sent({.kind = SentFrame::Kind::stop_sending, .stream = id});
      stream.control &= static_cast<std::uint8_t>(~Stream::kStopSending);
    }
    if ((stream.control & Stream::kMaxStreamData) != 0) {
      if (out.space() < kLongestRaise) return;
      const MaxStreamDataFrame frame{id, stream.receive.window().raise(now_, smoothed_rtt_)};
      write_frame(out, frame);
      sent({.kind = SentFrame::Kind::max_stream_data, .stream = id, .value = frame.limit});
      stream.control &= static_cast<std::uint8_t>(~Stream::kMaxStreamData);
    }
    if ((stream.control & Stream::kStreamDataBlocked) != 0) {
      const std::uint64_t limit = stream.send.credit().limit();
      if (!write_frame(out, StreamDataBlockedFrame{id, limit})) return;
      sent({.kind = SentFrame::Kind::stream_data_blocked, .stream = id, .value = limit});
      stream.control &= static_cast<std::uint8_t>(~Stream::kStreamDataBlocked);
    }
    control_.remove(stream);
  }
}

void Streams::write_urgent(Writer& out, SentFrameSink sent) {
  while (!urgent_.empty()) {
    Stream& stream = urgent_.front();
    // Asked with the stream's largest offset, so that the answer is right for any offset.
    const auto capacity = stream_frame_capacity(out.space(), stream.id, stream.send.sent_end());
    if (!capacity) return;
    const SendStream::Chunk chunk = stream.send.urgent_chunk(*capacity);
    if (chunk.length == *capacity && chunk.length < kSmallestPiece && !chunk.fin) return;
    write_chunk(out, sent, stream, chunk);
    counters_.bytes_retransmitted += chunk.length;
  }
}

// Whose turn it is. Priorities would go here and nowhere else.
Stream& Streams::pick_next(std::size_t space) {
  Stream& stream = ready_.front();
  if (stream.quantum_left == 0) stream.quantum_left = std::max(kQuantumBytes, space);
  return stream;
}

void Streams::write_new(Writer& out, SentFrameSink sent) {
  while (!ready_.empty() && send_credit_.available() != 0) {
    Stream& stream = pick_next(out.space());
    const auto capacity = stream_frame_capacity(out.space(), stream.id, stream.send.sent_end());
    if (!capacity) return;
    // A stream that is alone needs no turns.
    const std::uint64_t turn = ready_.has_one() ? *capacity : std::min(*capacity, stream.quantum_left);
    const SendStream::Chunk chunk = stream.send.new_chunk(std::min(turn, send_credit_.available()));
    if (chunk.length == *capacity && chunk.length < kSmallestPiece && !chunk.fin) return;
    send_credit_.use(chunk.length);
    counters_.bytes_sent += chunk.length;
    stream.quantum_left -= std::min(stream.quantum_left, chunk.length);
    write_chunk(out, sent, stream, chunk);
    if (stream.quantum_left == 0 && ReadyList::contains(stream)) ready_.move_to_back(stream);
  }
}

void Streams::write_chunk(Writer& out, SentFrameSink sent, Stream& stream, const SendStream::Chunk& chunk) {
  const auto slot = begin_stream_frame(out, stream.id, chunk.offset, chunk.length, chunk.fin);
  stream.send.copy_out(chunk, slot->data);
  stream.send.on_sent(chunk);
  sent({.kind = SentFrame::Kind::stream,
        .fin = chunk.fin,
        .length = static_cast<std::uint32_t>(chunk.length),
        .stream = stream.id,
        .value = chunk.offset});
  refresh_sending(stream);
}

// How much may be written ahead? What was sent is kept until it is acknowledged, however long losses hold it: about one
// round trip of it while all goes well. To keep the path full, there need be no more beside it than what the congestion
// window lets go at once; whatever else a hasty application wrote would only wait, and age. So a connection takes one
// window beyond what it has sent, twice what the path holds in all, as Linux sizes the send buffers of TCP
// (tcp_sndbuf_expand): a connection on a thin path holds little, and one on a fat path is given more as its window
// grows. A window that shrinks takes nothing back.
void Streams::on_congestion_window(std::uint64_t bytes) {
  // Our choice, for paths with small windows, among them each new one: an application that is woken late, or that reads
  // its data in large pieces, still keeps up.
  constexpr std::uint64_t kLeast = 256 * 1024;
  unsent_bound_ = static_cast<std::size_t>(std::max(bytes, kLeast));
}

SendStream::Limit Streams::send_limit(const SendStream& send) const {
  // Many streams must not multiply a peer's slowness into memory. A share that shrinks takes nothing back: a stream
  // that holds more than its share writes again once it has drained, and until then the others have the rest. Every
  // stream has a little, so that none waits for another.
  constexpr std::size_t kMinShare = 16 * 1024;
  const std::size_t total = std::min(config_.connection_send_buffer, send_buffer_bound_);
  const std::size_t share = total / std::max<std::size_t>(table_.size(), 1);
  const std::size_t others = send_buffered_ - send.buffer().size();
  const std::size_t left = total - std::min(total, others);
  // The window is shared by those that have something to send; streams that are silent leave it to the others.
  const std::size_t rivals = holding_streams_ - (send.buffer().size() != 0 ? 1 : 0);
  return {.held = std::min(config_.stream_send_buffer, std::max(std::min(share, left), kMinShare)),
          .unsent = std::max(unsent_bound_ / (rivals + 1), kMinShare)};
}

void Streams::on_sent_data_acknowledged(Stream& stream, const SentFrame& frame) {
  const BufferUse use(*this, stream);
  counters_.bytes_acknowledged += stream.send.on_acknowledged(frame.value, frame.length, frame.fin);
  // Rings stay as large as they were, so that bulk data allocate nothing. But this does not hold for every stream that
  // once had much to send, nor for the rings of a path that has become much thinner: while a window stays as it is, two
  // of it are held, in a ring of less than four.
  if (send_memory_ > config_.connection_send_buffer / 4 || send_memory_ / 16 > unsent_bound_) stream.send.trim();
}

void Streams::on_frame_acknowledged(const SentFrame& frame) {
  if (dropped_ || (frame.kind != SentFrame::Kind::stream && frame.kind != SentFrame::Kind::reset_stream)) return;
  Stream* stream = table_.find(frame.stream);
  if (stream == nullptr || stream->send.done()) return;
  if (frame.kind == SentFrame::Kind::reset_stream) {
    stream->send.on_reset_acknowledged();
    if (stream->send.done()) drop_control(*stream, Stream::kResetStream);
    finish_if_done(*stream);
    return;
  }
  on_sent_data_acknowledged(*stream, frame);
  refresh_sending(*stream);
  const EventScope scope(event_depth_);
  if (stream->send.done()) {
    events_.on_stream_finished(frame.stream);
    finish_if_done(*stream);
  } else if (stream->send.take_writable(send_limit(stream->send))) {
    events_.on_stream_writable(frame.stream);
  }
}

void Streams::on_frame_lost(const SentFrame& frame) {
  if (dropped_) return;
  using Kind = SentFrame::Kind;
  switch (frame.kind) {
    // A limit that was announced again since is not repeated; otherwise the newest is told.
    case Kind::max_data:
      if (frame.value == receive_window_.limit()) max_data_pending_ = true;
      return;
    case Kind::max_streams_bidi: return remote_ids(StreamType::bidirectional).on_raise_lost(frame.value);
    case Kind::max_streams_uni: return remote_ids(StreamType::unidirectional).on_raise_lost(frame.value);
    case Kind::data_blocked:
      if (send_credit_.still_blocked_at(frame.value) && !ready_.empty()) data_blocked_pending_ = true;
      return;
    case Kind::streams_blocked_bidi: return local_ids(StreamType::bidirectional).on_blocked_lost(frame.value);
    case Kind::streams_blocked_uni: return local_ids(StreamType::unidirectional).on_blocked_lost(frame.value);
    case Kind::ping:
    case Kind::ack: return;
    default: break;
  }
  Stream* stream = table_.find(frame.stream);
  if (stream == nullptr) return;
  switch (frame.kind) {
    case Kind::stream: stream->send.on_lost(frame.value, frame.length, frame.fin); return refresh_sending(*stream);
    case Kind::reset_stream:
      if (stream->send.state() == SendStream::State::reset) want_control(*stream, Stream::kResetStream);
      return;
    case Kind::stop_sending:
      if (stream->receive.state() == ReceiveStream::State::discarding) want_control(*stream, Stream::kStopSending);
      return;
    case Kind::max_stream_data:
      if (stream->receive.wants_credit() && stream->receive.window().limit() == frame.value)
        want_control(*stream, Stream::kMaxStreamData);
      return;
    case Kind::stream_data_blocked:
      if (stream->starved && stream->send.credit().still_blocked_at(frame.value))
        want_control(*stream, Stream::kStreamDataBlocked);
      return;
    default: return;
  }
}

}  // namespace mxp
