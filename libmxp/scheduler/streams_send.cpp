// Outbound. A stream is in a list exactly while it has something of that kind to send: control frames, data that were
// lost, or new data. refresh_sending keeps that true. What goes first is the outbox's decision, but among the streams
// of one class it is pick_next's.
#include <algorithm>

#include "core/frame_writer.h"
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
  UrgentList& urgent = urgent_of(stream.priority.traffic_class);
  const bool was_urgent = UrgentList::contains(stream), was_ready = ReadyList::contains(stream);
  if (!send.has_urgent()) urgent.remove(stream);
  else urgent.push_back(stream);
  if (!send.has_new_data()) {
    ready_.remove(stream);
  } else if (!was_ready) {
    stream.quantum_left = 0;
    ready_.push_back(stream);
  }
  if (was_urgent != UrgentList::contains(stream) || was_ready != ReadyList::contains(stream) ||
      send.starved() != stream.starved)
    held().on_changed(stream);
  if (const bool starved = send.starved(); starved != stream.starved) {
    stream.starved = starved;
    starved ? ++starved_beside(stream) : --starved_beside(stream);
    if (starved && send.credit().note_blocked()) want_control(stream, Stream::kStreamDataBlocked);
  }
  if (!ready_.empty()) credit_.note_blocked();
}

void Streams::leave_sending_lists(Stream& stream) {
  urgent_of(stream.priority.traffic_class).remove(stream);
  ready_.remove(stream);
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

void Streams::note_held(Timestamp now, BlockedBy reason, const BlockedTime& connection,
                        HeldStreams::Run::Carried carried) {
  if (!held_) return;
  const auto credit = credit_.available() == 0 ? HeldStreams::Run::Credit::none : HeldStreams::Run::Credit::left;
  held_->note({now, reason, connection, carried, credit});
}

bool Streams::has_control() const {
  if (dropped_) return false;
  if (!control_.empty()) return true;
  for (const RemoteStreamIds& ids : remote_ids_)
    if (ids.raise_due()) return true;
  for (const LocalStreamIds& ids : local_ids_)
    if (ids.blocked_pending()) return true;
  return false;
}

void Streams::write_control(Writer& out, SentFrameSink sent) {
  write_stream_limits(out, sent);
  while (!control_.empty()) {
    Stream& stream = control_.front();
    stream.write_control(out, sent);
    if (stream.control != 0) return;  // the packet is full
    control_.remove(stream);
  }
}

void Streams::write_stream_limits(Writer& out, SentFrameSink sent) {
  // The limit is raised and told only if its longest form fits, because it must not be raised without being told.
  constexpr std::size_t kLongest = 1 + 8;
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
}

void Streams::write_lost_data(MessageClass traffic_class, Writer& out, SentFrameSink sent) {
  const UrgentList& urgent = urgent_of(traffic_class);
  while (!urgent.empty()) {
    Stream& stream = urgent.front();
    // Asked with the stream's largest offset, so that the answer is right for any offset.
    const auto capacity = stream_frame_capacity(out.space(), stream.id, stream.send.sent_end());
    if (!capacity) return;
    const SendStream::Chunk chunk = stream.send.urgent_chunk(*capacity);
    if (chunk.length == *capacity && chunk.length < kSmallestPiece && !chunk.fin) return;
    write_chunk(out, sent, stream, chunk);
    counters_.bytes_retransmitted += chunk.length;
  }
}

// Whose turn it is.
Stream& Streams::pick_next(MessageClass traffic_class, std::size_t space) {
  Stream& stream = ready_.front(traffic_class);
  if (stream.quantum_left == 0)
    stream.quantum_left = std::max(kQuantumBytes * stream.priority.weight / StreamPriority{}.weight, space);
  return stream;
}

void Streams::write_new_data(MessageClass traffic_class, Writer& out, SentFrameSink sent, std::size_t max_bytes) {
  std::size_t written = 0;
  while (has_new_data(traffic_class) && written < max_bytes) {
    Stream& stream = pick_next(traffic_class, out.space());
    const auto capacity = stream_frame_capacity(out.space(), stream.id, stream.send.sent_end());
    if (!capacity) return;
    // A stream that is alone needs no turns.
    const bool takes_turns = stream.priority.incremental && !ready_.front_is_alone(traffic_class);
    const std::uint64_t turn = takes_turns ? std::min(*capacity, stream.quantum_left) : *capacity;
    const SendStream::Chunk chunk = stream.send.new_chunk(std::min(turn, credit_.available()));
    if (chunk.length == *capacity && chunk.length < kSmallestPiece && !chunk.fin) return;
    credit_.use(chunk.length);
    counters_.bytes_sent += chunk.length;
    unsent_ -= chunk.length;
    written += chunk.length;
    stream.quantum_left -= std::min(stream.quantum_left, chunk.length);
    write_chunk(out, sent, stream, chunk);
    if (stream.quantum_left == 0 && stream.priority.incremental && ReadyList::contains(stream))
      ready_.move_to_back(stream);
  }
}

void Streams::write_chunk(Writer& out, SentFrameSink sent, Stream& stream, const SendStream::Chunk& chunk) {
  const auto slot = begin_stream_frame(out, stream.id, chunk.offset, chunk.length, chunk.fin);
  stream.send.copy_out(chunk, slot->data);
  stream.send.on_sent(chunk);
  held().on_served(stream);
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
    if (stream->send.done()) {
      stream->held.stop(now_);
      drop_control(*stream, Stream::kResetStream);
    }
    finish_if_done(*stream);
    return;
  }
  on_sent_data_acknowledged(*stream, frame);
  refresh_sending(*stream);
  const EventScope scope = events_.enter();
  if (stream->send.done()) {
    stream->held.stop(now_);
    events_.on_stream_finished(frame.stream);
    finish_if_done(*stream);
  } else if (stream->send.take_writable(send_limit(stream->send))) {
    events_.on_stream_writable(frame.stream);
  }
}

void Streams::on_frame_lost(const SentFrame& frame) {
  switch (frame.kind) {
    case SentFrame::Kind::max_streams_bidi: return remote_ids(StreamType::bidirectional).on_raise_lost(frame.value);
    case SentFrame::Kind::max_streams_uni: return remote_ids(StreamType::unidirectional).on_raise_lost(frame.value);
    case SentFrame::Kind::streams_blocked_bidi:
      return local_ids(StreamType::bidirectional).on_blocked_lost(frame.value);
    case SentFrame::Kind::streams_blocked_uni:
      return local_ids(StreamType::unidirectional).on_blocked_lost(frame.value);
    default: break;
  }
  Stream* stream = dropped_ ? nullptr : table_.find(frame.stream);
  if (stream == nullptr) return;
  if (frame.kind == SentFrame::Kind::stream) {
    stream->send.on_lost(frame.value, frame.length, frame.fin);
    return refresh_sending(*stream);
  }
  if (const std::uint8_t again = stream->control_to_repeat(frame); again != 0) want_control(*stream, again);
}

}  // namespace mxp
