// Which stream a call or a frame means, the verbs of the application, and how streams come and go.
#include "scheduler/streams.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace mxp {
namespace {

std::unexpected<TransportError> refuse(TransportErrorCode code, std::uint64_t frame_type, std::string_view reason) {
  return std::unexpected(TransportError{code, frame_type, reason});
}

}  // namespace

Streams::Streams(Role role, const FlowControlConfig& config, ConnectionCredit& credit, StreamEvents& events,
                 std::uint64_t hash_key)
    : role_(role),
      config_(config),
      credit_(credit),
      events_(events),
      table_(hash_key),
      remote_ids_{RemoteStreamIds(config.max_streams_bidirectional),
                  RemoteStreamIds(config.max_streams_unidirectional)} {}

Streams::~Streams() = default;

void Streams::announce(const FlowControlConfig& config, TransportParameters& out) {
  out.initial_max_data = std::min(config.connection_window, kMaxVarint);
  const std::uint64_t stream_window = std::min(config.stream_window, kMaxVarint);
  out.initial_max_stream_data_bidi_local = stream_window;
  out.initial_max_stream_data_bidi_remote = stream_window;
  out.initial_max_stream_data_uni = stream_window;
  out.initial_max_streams_bidi = std::min(config.max_streams_bidirectional, kMaxStreamCount);
  out.initial_max_streams_uni = std::min(config.max_streams_unidirectional, kMaxStreamCount);
}

void Streams::on_peer_parameters(const TransportParameters& parameters) {
  // "local" and "remote" are the peer's words: a stream that we open is remote to the peer.
  initial_limit_bidi_local_ = parameters.initial_max_stream_data_bidi_remote;
  initial_limit_bidi_remote_ = parameters.initial_max_stream_data_bidi_local;
  initial_limit_uni_ = parameters.initial_max_stream_data_uni;
  if (local_ids(StreamType::bidirectional).raise(parameters.initial_max_streams_bidi))
    tell_streams_available(StreamType::bidirectional);
  if (local_ids(StreamType::unidirectional).raise(parameters.initial_max_streams_uni))
    tell_streams_available(StreamType::unidirectional);
}

void Streams::tell_streams_available(StreamType type) {
  if (dropped_) return;
  const EventScope scope = events_.enter();
  events_.on_streams_available(type);
}

Stream& Streams::create(StreamId id) {
  Stream& stream = table_.insert(id);
  const std::uint64_t send_limit = id.type() == StreamType::unidirectional ? initial_limit_uni_
                                   : id.initiator() == role_               ? initial_limit_bidi_local_
                                                                           : initial_limit_bidi_remote_;
  send_memory_ += stream.send.buffer().capacity();  // memory that an earlier stream left it
  receive_memory_ += stream.receive.reassembler().memory();
  stream.send.start(sends(id), send_limit);
  stream.receive.start(receives(id), config_.stream_window, config_.max_stream_window);
  return stream;
}

std::expected<Stream*, TransportError> Streams::find_for_frame(StreamId id, std::uint64_t frame_type,
                                                               bool on_receiving_side) {
  if (dropped_) return nullptr;
  if (Stream* known = table_.find(id); known != nullptr && (on_receiving_side ? receives(id) : sends(id))) return known;
  // RFC 9000 §19.4, §19.5, §19.8, §19.10, §19.13
  if (on_receiving_side ? !receives(id) : !sends(id))
    return refuse(TransportErrorCode::stream_state_error, frame_type, "frame that the stream's direction forbids");
  if (id.initiator() == role_) {
    if (id.index() >= local_ids(id.type()).opened())
      return refuse(TransportErrorCode::stream_state_error, frame_type, "frame of a stream that was never opened");
    return nullptr;
  }
  RemoteStreamIds& ids = remote_ids(id.type());
  switch (ids.state_of(id.index())) {
    case RemoteStreamIds::State::beyond_limit:
      return refuse(TransportErrorCode::stream_limit_error, frame_type, "stream beyond the announced limit");
    case RemoteStreamIds::State::touched: return nullptr;
    case RemoteStreamIds::State::unopened:
    case RemoteStreamIds::State::untouched: break;
  }
  ids.touch(id.index());
  Stream& stream = create(id);
  if (sends(id)) stream.held.start(now_);
  const EventScope scope = events_.enter();
  events_.on_stream_opened(id);
  return dropped_ ? nullptr : &stream;
}

std::expected<Stream*, StreamError> Streams::find_for_verb(StreamId id, bool on_receiving_side) const {
  if (dropped_) return std::unexpected(StreamError::connection_closed);
  Stream* stream = table_.find(id);
  if (stream == nullptr) return std::unexpected(StreamError::unknown_stream);
  if (on_receiving_side ? !receives(id) : !sends(id)) return std::unexpected(StreamError::wrong_direction);
  return stream;
}

std::expected<StreamId, StreamError> Streams::open(StreamType type) {
  if (dropped_) return std::unexpected(StreamError::connection_closed);
  const std::optional<std::uint64_t> index = local_ids(type).open();
  if (!index) return std::unexpected(StreamError::limit_reached);
  ++open_local_;
  Stream& stream = create(StreamId::make(role_, type, *index));
  held().on_changed(stream);  // who opens streams between two drives does not know the time, so its account begins then
  return stream.id;
}

std::expected<std::size_t, StreamError> Streams::write(StreamId id, ByteView data) {
  const auto stream = find_for_verb(id, false);
  if (!stream) return std::unexpected(stream.error());
  SendStream& send = (*stream)->send;
  if (send.is_reset()) return std::unexpected(StreamError::reset);
  if (send.state() != SendStream::State::open) return std::unexpected(StreamError::finished);
  std::size_t taken = 0;
  {
    const BufferUse use(*this, **stream);
    taken = send.write(data, send_limit(send));
  }
  refresh_sending(**stream);
  return taken;
}

std::expected<void, StreamError> Streams::finish(StreamId id) {
  const auto stream = find_for_verb(id, false);
  if (!stream) return std::unexpected(stream.error());
  SendStream& send = (*stream)->send;
  if (send.is_reset()) return std::unexpected(StreamError::reset);
  if (send.state() != SendStream::State::open) return {};
  send.finish();
  refresh_sending(**stream);
  return {};
}

std::expected<void, StreamError> Streams::reset(StreamId id, AppErrorCode code) {
  const auto stream = find_for_verb(id, false);
  if (!stream) return std::unexpected(stream.error());
  const SendStream& send = (*stream)->send;
  if (send.is_reset()) return std::unexpected(StreamError::reset);
  if (send.done()) return std::unexpected(StreamError::finished);
  abandon_sending(**stream, code);
  return {};
}

std::size_t Streams::writable_bytes(StreamId id) const {
  const auto stream = find_for_verb(id, false);
  return stream ? (*stream)->send.writable(send_limit((*stream)->send)) : 0;
}

std::expected<void, StreamError> Streams::set_priority(StreamId id, const StreamPriority& priority) {
  const auto stream = find_for_verb(id, false);
  if (!stream) return std::unexpected(stream.error());
  leave_sending_lists(**stream);
  if ((*stream)->starved) --starved_beside(**stream);
  (*stream)->priority = priority;
  if ((*stream)->starved) ++starved_beside(**stream);
  refresh_sending(**stream);
  return {};
}

void Streams::finish_if_done(Stream& stream) {
  if (!stream.done() || FinishedList::contains(stream)) return;
  drop_control(stream, stream.control);
  finished_.push_back(stream);
  // This happens now and not when the object is freed: a resume outside of any flow may end a stream, and the peer may
  // wait for its place.
  if (stream.id.initiator() != role_) remote_ids(stream.id.type()).on_closed();
  else --open_local_;
}

void Streams::collect() {
  if (dropped_) {
    free_all();
    return;
  }
  while (!finished_.empty()) {
    Stream& stream = finished_.front();
    const StreamId id = stream.id;
    finished_.remove(stream);
    leave_sending_lists(stream);
    control_.remove(stream);
    resumed_.remove(stream);
    if (held_) held_->forget(stream);
    if (stream.starved) --starved_beside(stream);
    send_memory_ -= stream.send.buffer().capacity();
    receive_memory_ -= stream.receive.reassembler().memory();
    table_.erase(id);
  }
}

void Streams::shrink() {
  table_.drop_stock();
  ready_.release();
  bool held_is_needed = held_ && held_->is_needed();
  table_.for_each([&](Stream& stream) {
    held_is_needed |= held_ && held_->is_needed_by(stream);
    const BufferUse use(*this, stream);
    stream.send.shrink();
    stream.receive.reassembler().shrink();
  });
  if (!held_is_needed) held_.reset();
}

void Streams::drop_all() {
  dropped_ = true;
  // While an event is told, the caller's frame still looks at streams and at buffers. Then collect() frees them later.
  if (!events_.is_telling()) free_all();
}

void Streams::free_all() {
  control_ = {};
  urgent_ = {};
  ready_.clear();
  finished_ = {};
  resumed_ = {};
  held_.reset();
  starved_streams_ = {};
  open_local_ = 0;
  holding_streams_ = send_buffered_ = send_memory_ = receive_memory_ = 0;
  unsent_ = 0;
  table_.clear();
}

StreamStats Streams::stats_of(const Stream& stream) const {
  const TimeByReason blocked = stream.held.until(now_);
  return {.open_time = std::accumulate(blocked.begin(), blocked.end(), Duration{}),
          .blocked_time = blocked,
          .bytes_sent = stream.send.sent_end(),
          .bytes_unsent = stream.send.unsent()};
}

std::expected<StreamStats, StreamError> Streams::stats(StreamId id) const {
  const auto stream = find_for_verb(id, false);
  if (!stream) return std::unexpected(stream.error());
  return stats_of(**stream);
}

StreamUsage Streams::usage() const {
  StreamUsage usage;
  usage.objects = table_.size();
  usage.memory = table_.stock_memory();
  table_.for_each([&](const Stream& stream) {
    if (stream.id.initiator() == role_ && !stream.done()) ++usage.open_local;
    usage.send_buffered += stream.send.buffer().size();
    usage.receive_buffered += stream.receive.reassembler().buffered();
    usage.memory += stream.send.memory() + stream.receive.reassembler().memory();
  });
  for (const RemoteStreamIds& ids : remote_ids_) usage.open_remote += static_cast<std::size_t>(ids.open_count());
  return usage;
}

}  // namespace mxp
