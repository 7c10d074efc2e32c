// The verbs of mxp/connection.h: each changes state and tells the endpoint that there may be something to send.
#include <algorithm>

#include "connection/access.h"
#include "connection/datagram_frames.h"
#include "connection/flows.h"
#include "connection/migration.h"

namespace mxp {

Connection::Connection() = default;
Connection::~Connection() = default;

std::unique_ptr<Connection> ConnectionAccess::create(Role role, const ConnectionEnvironment& environment,
                                                     ReadySignal& ready, Timestamp now) {
  std::unique_ptr<Connection> connection(new Connection());
  connection->impl_.reset(new Connection::Impl{Parts(*connection, role, environment, ready, now)});
  return connection;
}

namespace {

// An application may give any 64-bit number as its code; the wire has room for 62 bits.
AppErrorCode that_fits(AppErrorCode code) { return std::min(code, kMaxVarint); }

// What answers the peer may still be sent by a side that begins nothing new (docs/protocol.md §7.1).
bool is_answer(const Message& message) {
  return message.type == MessageType::response || message.type == MessageType::error ||
         message.type == MessageType::ack;
}

bool usable(const Parts& parts) { return parts.lifecycle.state == ConnectionState::established; }

// Runs a verb of the application on a live connection, and marks the connection ready.
template <typename Error, typename Verb>
auto on_live(Parts& parts, Error closed, Verb verb) -> decltype(verb(parts)) {
  if (!usable(parts)) return std::unexpected(closed);
  auto result = verb(parts);
  parts.ready.on_ready();
  return result;
}
// The same for a verb that begins new work.
template <typename Error, typename Verb>
auto on_live_and_not_draining(Parts& parts, Error closed, Error draining, Verb verb) -> decltype(verb(parts)) {
  if (usable(parts) && parts.drain.is_on()) return std::unexpected(draining);
  return on_live(parts, closed, verb);
}
// The same for a verb of streams.
template <typename Verb>
auto with_streams(Parts& parts, Verb verb) -> decltype(verb(parts.streams)) {
  return on_live(parts, StreamError::connection_closed, [&](Parts& live) { return verb(live.streams); });
}

}  // namespace

std::expected<StreamId, StreamError> Connection::open_stream(StreamType type) {
  return on_live_and_not_draining(impl_->parts, StreamError::connection_closed, StreamError::draining,
                                  [&](Parts& parts) {
                                    const auto opened = parts.streams.open(type);
                                    if (opened) parts.trace(parts.told_at, TraceStreamsOpened{false, 1, *opened});
                                    return opened;
                                  });
}

std::expected<std::size_t, StreamError> Connection::write(StreamId id, ByteView data) {
  return with_streams(impl_->parts, [&](Streams& streams) { return streams.write(id, data); });
}

std::expected<void, StreamError> Connection::finish(StreamId id) {
  return with_streams(impl_->parts, [&](Streams& streams) { return streams.finish(id); });
}

std::expected<void, StreamError> Connection::reset(StreamId id, AppErrorCode code) {
  return with_streams(impl_->parts, [&](Streams& streams) { return streams.reset(id, that_fits(code)); });
}

std::expected<void, StreamError> Connection::stop_sending(StreamId id, AppErrorCode code) {
  return with_streams(impl_->parts, [&](Streams& streams) { return streams.stop_sending(id, that_fits(code)); });
}

std::expected<void, StreamError> Connection::resume(StreamId id) {
  // This works on a connection that has ended as well, until on_closed has returned: received data stays readable until
  // then.
  impl_->parts.events.unmute_data();
  impl_->parts.ready.on_ready();
  return impl_->parts.streams.resume(id);
}

std::size_t Connection::writable_bytes(StreamId id) const {
  return usable(impl_->parts) ? impl_->parts.streams.writable_bytes(id) : 0;
}

std::expected<void, StreamError> Connection::set_priority(StreamId id, const StreamPriority& priority) {
  StreamPriority in_range = priority;
  in_range.urgency = std::min<std::uint8_t>(priority.urgency, 7);
  in_range.weight = std::max<std::uint8_t>(priority.weight, 1);
  return with_streams(impl_->parts, [&](Streams& streams) { return streams.set_priority(id, in_range); });
}

std::expected<MessageTicket, SendMessageError> Connection::send_message(const Message& message,
                                                                        const MessageOptions& options) {
  Parts& parts = impl_->parts;
  if (usable(parts) && parts.drain.is_on() && !is_answer(message)) return std::unexpected(SendMessageError::draining);
  return on_live(parts, SendMessageError::connection_closed,
                 [&](Parts& live) { return live.message_wrapper.send(message, options); });
}

std::optional<MessageOutcome> Connection::cancel_message(MessageTicket ticket) {
  const auto cancelled = impl_->parts.messages.cancel(ticket);
  if (cancelled) impl_->parts.ready.on_ready();
  return cancelled;
}

void Connection::resume_messages() {
  impl_->parts.messages.resume();
  impl_->parts.ready.on_ready();
}

std::expected<CallId, CallError> Connection::call(const Uuid& target, ByteView data, const CallOptions& options) {
  return on_live_and_not_draining(impl_->parts, CallError::connection_closed, CallError::draining,
                                  [&](Parts& parts) { return parts.calls.call(target, data, options); });
}

bool Connection::cancel_call(CallId id) {
  // Also on a connection that has ended, until on_closed has told of the end: then nothing is told of this call.
  const bool waited = impl_->parts.calls.cancel(id);
  impl_->parts.ready.on_ready();
  return waited;
}

std::expected<void, AnswerError> Connection::answer(IncomingCallId id, ByteView data, const AnswerOptions& options) {
  return on_live(impl_->parts, AnswerError::connection_closed,
                 [&](Parts& parts) { return parts.calls.answer(id, data, options); });
}

std::expected<void, AnswerError> Connection::answer_error(IncomingCallId id, ErrorReason reason,
                                                          std::string_view text) {
  return on_live(impl_->parts, AnswerError::connection_closed,
                 [&](Parts& parts) { return parts.calls.answer_error(id, reason, text); });
}

void Connection::set_send_buffer(std::size_t bytes) { impl_->parts.streams.set_send_buffer(bytes); }

void Connection::cork() {
  impl_->parts.coalescer.cork();
  impl_->parts.ready.on_ready();  // the drive that notes until when it holds
}
void Connection::uncork() {
  impl_->parts.coalescer.uncork();
  impl_->parts.ready.on_ready();
}

std::expected<void, DatagramError> Connection::send_datagram(ByteView data, const DatagramOptions& options) {
  Parts& parts = impl_->parts;
  if (!usable(parts)) return std::unexpected(DatagramError{DatagramError::Kind::connection_closed});
  if (parts.drain.is_on()) return std::unexpected(DatagramError{DatagramError::Kind::draining});
  if (!parts.datagrams) return std::unexpected(DatagramError{DatagramError::Kind::not_taken_by_peer});
  parts.datagrams->queue.set_path_limit(datagram_room(parts));
  auto taken = parts.datagrams->queue.send(data, options);
  parts.ready.on_ready();
  return taken;
}

std::size_t Connection::max_datagram_size() const {
  Parts& parts = impl_->parts;
  if (!usable(parts) || !parts.datagrams) return 0;
  parts.datagrams->queue.set_path_limit(datagram_room(parts));
  return parts.datagrams->queue.largest();
}

void Connection::close(AppErrorCode code, std::string_view reason) {
  close_by_application(impl_->parts, that_fits(code), reason);
  impl_->parts.ready.on_ready();
}

std::expected<void, DrainError> Connection::drain(Timestamp deadline) {
  return on_live(impl_->parts, DrainError::connection_closed, [&](Parts& parts) -> std::expected<void, DrainError> {
    parts.drain.begin(deadline);
    return {};
  });
}

std::expected<void, MigrationError> Connection::migrate(const SocketAddress& local) {
  Parts& parts = impl_->parts;
  if (auto possible = can_migrate(parts); !possible) return possible;
  parts.migration_due = local;
  parts.ready.on_ready();
  return {};
}

ConnectionState Connection::state() const { return impl_->parts.lifecycle.state; }
Role Connection::role() const { return impl_->parts.role; }
const SocketAddress& Connection::remote_address() const { return impl_->parts.path->remote; }
const PublicKey& Connection::peer_key() const { return impl_->parts.peer_key; }
Suite Connection::suite() const { return impl_->parts.suite; }
ConnectionId Connection::local_id() const { return impl_->parts.local_id; }
ConnectionId Connection::remote_id() const { return impl_->parts.path->remote_id; }
ByteView Connection::handshake_hash() const { return impl_->parts.handshake_hash; }

namespace {

void add_to(DatagramStats& stats, const Datagrams& queue) {
  const DatagramCounters& counters = queue.counters();
  stats.queued = queue.queued();
  stats.sent = counters.sent;
  stats.delivered = counters.acknowledged;
  stats.lost = counters.lost;
  stats.expired = counters.expired;
  stats.dropped = counters.dropped;
  stats.too_large = counters.too_large;
}

}  // namespace

ConnectionStats Connection::stats() const {
  const Parts& parts = impl_->parts;
  ConnectionStats stats;
  parts.stats.copy_to(stats);
  parts.held.copy_to(stats, parts.told_at);
  stats.has_rtt = parts.path->control.rtt().has_sample();
  stats.smoothed_rtt = parts.path->control.rtt().smoothed();
  stats.min_rtt = parts.path->control.rtt().min();
  stats.latest_rtt = parts.path->control.rtt().latest();
  stats.forward_queue_delay = parts.path->forward.queue();
  stats.congestion_window = parts.path->control.congestion_window();
  stats.bytes_in_flight = parts.path->control.bytes_in_flight();
  stats.datagram_size = parts.path->control.datagram_size();
  stats.ecn_marked_sent = parts.recovery.ecn_marked_sent();
  stats.ecn_ce_reported = parts.recovery.ecn_ce_reported();
  stats.ecn = parts.path->control.ecn().state();
  stats.path_mtu_black_holes = parts.path->sizes.black_holes();
  stats.drain = {parts.drain.here(), parts.drain.peer()};
  if (parts.datagrams) add_to(stats.datagrams, parts.datagrams->queue);
  const StreamCounters& counters = parts.streams.counters();
  stats.stream_bytes_sent = counters.bytes_sent;
  stats.stream_bytes_retransmitted = counters.bytes_retransmitted;
  stats.stream_bytes_delivered = counters.bytes_delivered;
  stats.stream_bytes_acknowledged = counters.bytes_acknowledged;
  const MessageSender::Counters sent = parts.messages.sent();
  const MessageReceiver::Counters received = parts.messages.received();
  stats.messages_sent = sent.sent;
  stats.messages_retransmitted = sent.repeated;
  stats.messages_acknowledged = sent.acknowledged;
  stats.messages_expired = sent.expired;
  stats.messages_received = received.received;
  stats.messages_expired_by_peer = received.expired;
  stats.messages_kept = parts.messages.kept();
  stats.payloads_opened = parts.message_opener.counters().opened;
  stats.payloads_not_opened = parts.message_opener.counters().not_opened;
  const Caller::Counters made = parts.calls.made();
  const Callee::Counters taken = parts.calls.taken();
  stats.calls_made = made.made;
  stats.calls_answered = made.answered;
  stats.calls_timed_out = made.timed_out;
  stats.answers_unmatched = made.answers_unmatched;
  stats.calls_received = taken.taken;
  stats.calls_refused = taken.refused;
  stats.calls_malformed = taken.malformed + parts.calls.malformed_errors();
  return stats;
}

std::expected<StreamStats, StreamError> Connection::stream_stats(StreamId id) const {
  if (!usable(impl_->parts)) return std::unexpected(StreamError::connection_closed);
  return impl_->parts.streams.stats(id);
}

}  // namespace mxp
