// A datagram comes in:
//
//   1. judge its source: a client drops what is not from its server, and a server what is not from its client where
//      they may not move; count the bytes for the path that it came on. A connection that is draining drops the
//      datagram here
//   2. open: unmask the header, recover the number, decrypt, refuse duplicates; nothing changes before the tag has
//      verified
//   3. the first packet that a server opens decides where the client is
//   4. follow the peer into a new key phase (update_keys.cpp)
//   5. a closing connection looks for the peer's CLOSE only, follows it to a new address, and now and then answers with
//      its own
//   6. start the idle timer again; the first packet that a server opens confirms the keys
//   7. each frame visits its owner once; the first that breaks a rule closes the connection
//   8. the newest packet, if it is no path probe, says where the client is (migration.h)
//   9. note the packet for acknowledging
//
// The application is called from inside steps 6 and 7 and may close the connection there, so the state is looked at
// again before each frame.
#include <utility>

#include "connection/datagram_frames.h"
#include "connection/flows.h"
#include "connection/migration.h"
#include "connection/trace_packets.h"
#include "core/frame_reader.h"

namespace mxp {

namespace {

bool is_open(const Parts& parts) {
  return parts.lifecycle.state == ConnectionState::established || parts.lifecycle.state == ConnectionState::handshaking;
}

// Whether the peer says where it is by sending from there (migration.h).
bool leads_us(const Parts& parts) { return parts.role == Role::server && may_move(parts); }

void drop(Parts& parts, Timestamp now, DropReason reason, const ReceivedDatagram& datagram) {
  ++parts.stats.dropped[static_cast<std::size_t>(reason)];
  parts.trace(now, TracePacketDropped{reason, datagram.bytes.size(), datagram.remote});
}

// One visit of one frame to its owner. Each kind is named: a new one that nobody has thought of does not compile.
struct FrameVisitor {
  Parts& parts;
  Timestamp now;
  std::uint32_t phase;  // of the packet's keys
  const ReceivedDatagram& datagram;
  ConnectionId destination;  // of the packet

  using Result = std::expected<void, TransportError>;

  Result operator()(const PaddingFrame&) { return {}; }
  Result operator()(const PingFrame&) { return {}; }
  Result operator()(const AckFrame& frame) {
    if (frame.times) {
      if (auto wanted = check_times(*frame.times); !wanted) return wanted;
    }
    auto outcome = parts.recovery.on_ack(now, frame);
    if (!outcome) return std::unexpected(outcome.error());
    const auto keys = phase == parts.keys->sealer.phase() ? KeyUpdate::Under::our_phase : KeyUpdate::Under::older_phase;
    if (auto allowed = parts.key_update.on_ack(now, frame.ranges.begin()->last, keys); !allowed) return allowed;
    parts.path->amplification.on_acknowledged(frame.ranges.begin()->last);
    if (frame.times) measure_forward_delay(*outcome, *frame.times);
    settle(parts, now, *outcome);
    return {};
  }
  Result operator()(const CloseFrame& frame) {
    on_peer_close(parts, now, frame.application, frame.code, frame.frame_type, frame.reason);
    return {};
  }
  Result operator()(const AckFrequencyFrame& frame) { return parts.acks.on_request(frame); }
  Result operator()(const ImmediateAckFrame&) {
    parts.acks.on_immediate_ack();
    return {};
  }
  // What streams own.
  Result operator()(const ResetStreamFrame& frame) { return parts.streams.on_frame(frame); }
  Result operator()(const StopSendingFrame& frame) { return parts.streams.on_frame(frame); }
  Result operator()(const StreamFrame& frame) { return parts.streams.on_frame(frame); }
  Result operator()(const MaxDataFrame& frame) {
    parts.credit.on_frame(frame);
    return {};
  }
  Result operator()(const MaxStreamDataFrame& frame) { return parts.streams.on_frame(frame); }
  Result operator()(const MaxStreamsFrame& frame) { return parts.streams.on_frame(frame); }
  Result operator()(const DataBlockedFrame& frame) {
    parts.credit.on_frame(frame);
    return {};
  }
  Result operator()(const StreamDataBlockedFrame& frame) { return parts.streams.on_frame(frame); }
  Result operator()(const StreamsBlockedFrame& frame) { return parts.streams.on_frame(frame); }
  // What a peer may send only where both sides have announced that they take it (docs/protocol.md §4.1).
  Result operator()(const NewConnectionIdFrame& frame) {
    return may_move(parts) ? on_new_connection_id(parts, frame) : not_announced();
  }
  Result operator()(const RetireConnectionIdFrame& frame) {
    return may_move(parts) ? on_retire_connection_id(parts, now, frame, destination) : not_announced();
  }
  Result operator()(const MessageFrame& frame) {
    const bool compact = frame.form == MessageFrame::Form::compact;
    const bool taken =
        parts.messages.are_taken() && (!compact || parts.environment.config.transport.messages.compaction);
    return taken ? parts.messages.on_frame(frame) : not_announced();
  }
  Result operator()(const MessagePartFrame& frame) {
    const bool compact = frame.form == MessageFrame::Form::compact;
    const bool taken =
        parts.messages.long_ones_are_taken() && (!compact || parts.environment.config.transport.messages.compaction);
    return taken ? parts.messages.on_frame(frame) : not_announced();
  }
  Result operator()(const ExpiredFrame& frame) {
    return parts.messages.are_taken() ? parts.messages.on_frame(frame) : not_announced();
  }
  Result operator()(const MessagesBlockedFrame& frame) {
    if (!parts.messages.are_taken()) return not_announced();
    parts.messages.on_frame(frame);
    return {};
  }
  Result operator()(const MaxMessagesFrame& frame) {
    if (!parts.messages.are_sent()) return not_announced();
    parts.messages.on_frame(frame);
    return {};
  }
  Result operator()(const PathChallengeFrame& frame) {
    if (!may_move(parts)) return not_announced();
    on_path_challenge(parts, datagram, frame.data);
    return {};
  }
  Result operator()(const PathResponseFrame& frame) {
    if (!may_move(parts)) return not_announced();
    on_path_response(parts, now, frame.data);
    return {};
  }
  Result operator()(const DrainFrame& frame) {
    on_drain_frame(parts, now, frame);
    return {};
  }
  Result operator()(const DatagramFrame& frame) {
    return parts.environment.config.transport.datagrams.max_payload == 0 ? not_announced()
                                                                         : on_datagram_frame(parts, frame);
  }

  // docs/protocol.md §4.2.
  Result check_times(const ReceiveTimes& times) const {
    const std::size_t announced = parts.environment.config.transport.recovery.receive_times_per_ack;
    if (announced == 0) return not_announced();
    if (times.size() <= announced) return {};
    return std::unexpected(
        TransportError{TransportErrorCode::frame_encoding_error, 0, "more receive times than asked"});
  }
  void measure_forward_delay(const Outcome& outcome, const ReceiveTimes& times) {
    ForwardDelay& forward = parts.path->forward;
    if (forward.on_ack(now, parts.path->control.id(), outcome.acknowledged, times))
      parts.trace(now, TraceForwardDelay{*forward.queue()});
  }

  static Result opened_late() {
    return std::unexpected(
        TransportError{TransportErrorCode::protocol_violation, 0, "a new stream of a peer that was done"});
  }
  // The type is added where the error is seen.
  static Result not_announced() {
    return std::unexpected(TransportError{TransportErrorCode::unknown_frame, 0, "frame that was not announced"});
  }
};

// The first packet that a server opens decides where the client is, because only the holder of the keys can have made
// it. Whether the client hears us there is another question (amplification.h).
void settle_address(Parts& parts, const ReceivedDatagram& datagram) {
  const bool moved = datagram.remote != parts.path->remote;
  parts.address_settled = true;
  parts.path->remote = datagram.remote;
  parts.path->local = datagram.local;
  if (!moved && !parts.path->amplification.answered_elsewhere()) return parts.path->amplification.lift();
  if (moved) parts.path->amplification.move_to_new_address(datagram.bytes.size());
  parts.numbers.skip_far();
  parts.path->amplification.await_proof(parts.numbers.next());
  parts.ping_due = true;
}

ConnectionId destination_of(ByteView packet) {
  ConnectionId::Bytes bytes;
  std::copy_n(packet.begin() + 1, bytes.size(), bytes.begin());
  return ConnectionId(bytes);
}

// Answers a packet in the closing state with our CLOSE again, at exponentially growing distances (threat t55).
void answer_while_closing(Parts& parts) {
  Lifecycle& life = parts.lifecycle;
  // Packets that come before the first CLOSE has gone out are answered by it and get no other answer.
  if (!parts.keys || life.close_frame_due || ++life.packets_since_close < life.answer_at_packet) return;
  life.answer_at_packet *= 2;
  life.packets_since_close = 0;
  life.close_frame_due = true;
}

// Once we are closing, only the peer's CLOSE matters: with it both sides know. And where the peer is, because it may
// move before our CLOSE has reached it.
void receive_while_closing(Parts& parts, Timestamp now, const ReceivedDatagram& datagram, MutableBytes payload,
                           bool newest) {
  FrameReader frames(payload);
  bool probing = true;
  bool peer_closed = false;
  while (!peer_closed) {
    const auto frame = frames.next();
    if (!frame || !frame->has_value()) break;
    if (const auto* close = std::get_if<CloseFrame>(&**frame)) {
      on_peer_close(parts, now, close->application, close->code, close->frame_type, close->reason);
      peer_closed = true;
    }
    probing &= is_probing(**frame);
  }
  // Where our own CLOSE is still to come, it goes to where the peer's came from.
  const bool has_to_say = !peer_closed || parts.lifecycle.close_frame_due;
  const bool moved = newest && !probing && leads_us(parts) && datagram.remote != parts.path->remote;
  if (moved && has_to_say && parts.lifecycle.may_follow_while_closing()) {
    follow_client(parts, now, datagram);
    parts.lifecycle.on_moved_while_closing();
  }
  if (!peer_closed) answer_while_closing(parts);
}

}  // namespace

void receive_packet(Parts& parts, Timestamp now, const ReceivedDatagram& datagram) {
  const std::size_t size = datagram.bytes.size();
  const bool from_elsewhere = datagram.remote != parts.path->remote;
  // At first a server's connection has the address of the message 1 that came first, which may be an observer's copy.
  // The packet that opens decides, since only the holder of the keys can have sent it. From then on only a client
  // moves, by a packet that opens (threat t20), and only where both sides take what that needs.
  const bool settled = parts.address_settled;
  const bool moves = from_elsewhere && settled;
  if (moves && (parts.role == Role::client || !may_move(parts)))
    return drop(parts, now, DropReason::wrong_path, datagram);
  // The allowance belongs to one address: bytes that come from others do not add to it (threat t17).
  if (Path* path = path_of(parts, datagram)) path->amplification.on_received(size);
  if (!parts.keys) return drop(parts, now, DropReason::key_unavailable, datagram);
  if (parts.lifecycle.state == ConnectionState::draining || parts.lifecycle.state == ConnectionState::closed)
    return drop(parts, now, DropReason::unexpected_in_state, datagram);

  const auto newest_before = parts.replay.largest();
  const auto opened = parts.keys->opener.open(datagram.bytes, parts.replay);
  if (!opened) {
    drop(parts, now, opened.error(), datagram);
    if (parts.keys->opener.open_limit_reached())
      close_by_error(parts, {TransportErrorCode::aead_limit_reached, 0, "too many packets failed to open"});
    return;
  }
  if (!settled) settle_address(parts, datagram);
  const bool newest = !newest_before || opened->number > *newest_before;
  const auto followed = on_packet_phase(parts, now, *opened);
  if (parts.lifecycle.state == ConnectionState::closing) {
    // To turn keys costs as much while closing as before (threat t26), so we stop listening to a peer that does it
    // against the rules.
    if (!followed) return stop_listening(parts, now);
    return receive_while_closing(parts, now, datagram, opened->payload, newest);
  }
  if (!followed) return close_by_error(parts, followed.error());

  ++parts.stats.packets_received;
  parts.stats.last_received = now;
  parts.stats.bytes_received += size;
  trace_received(parts, now, {opened->number, size}, opened->payload);
  parts.idle.on_packet_received(now);
  // RFC 9000 §17.3.1: reserved bits are judged only once the tag has verified them.
  if ((opened->first_byte & packet_bits::kReserved) != 0)
    return close_by_error(parts, {TransportErrorCode::protocol_violation, 0, "reserved bits are set"});
  if (opened->payload.empty())
    return close_by_error(parts, {TransportErrorCode::protocol_violation, 0, "a packet without frames"});
  if (parts.lifecycle.state == ConnectionState::handshaking) confirm(parts, now);

  parts.tell_time(now);
  bool ack_eliciting = false;
  bool probing = true;
  const ConnectionId destination = destination_of(datagram.bytes);
  FrameReader frames(opened->payload);
  FrameVisitor visitor{parts, now, opened->phase, datagram, destination};
  const std::uint64_t opened_before = parts.streams.opened_by_peer();
  while (is_open(parts)) {
    const auto frame = frames.next();
    if (!frame) {
      close_by_error(parts, frame.error());
      break;
    }
    if (!frame->has_value()) break;
    ack_eliciting |= is_ack_eliciting(**frame);
    probing &= is_probing(**frame);
    auto visited = std::visit(visitor, **frame);
    if (visited && !parts.drain.may_have_opened(parts.streams.opened_by_peer())) visited = FrameVisitor::opened_late();
    if (!visited) {
      TransportError error = visited.error();
      if (error.frame_type == 0) error.frame_type = frames.last_type();
      close_by_error(parts, error);
    }
  }
  if (newest && parts.role == Role::client && datagram.local != SocketAddress{}) parts.arrival = datagram.local;
  // Where it has closed the connection, the answer goes there too.
  const bool has_to_say = is_open(parts) || parts.lifecycle.close_frame_due;
  if (newest && !probing && leads_us(parts) && has_to_say) follow_client(parts, now, datagram);
  if (const std::uint64_t count = parts.streams.opened_by_peer() - opened_before; count > 0)
    parts.trace(now, TraceStreamsOpened{true, count, StreamId()});
  tell_outbox(parts, now);
  parts.acks.on_packet_received(now, opened->number, ack_eliciting, datagram.ecn);
  parts.collect_streams(now);
}

void receive_response(Parts& parts, Timestamp now, const ReceivedDatagram& datagram, const ResponseHeader& header) {
  const std::size_t size = datagram.bytes.size();
  const ClientHandshake* attempt = parts.attempts ? parts.attempts->find(header.client_id) : nullptr;
  if (attempt == nullptr || datagram.remote != parts.path->remote)
    return drop(parts, now, DropReason::unexpected_in_state, datagram);
  if (size < kMinInitialSize || size > kMaxInitialSize) return drop(parts, now, DropReason::wrong_size, datagram);

  std::array<std::uint8_t, kMaxInitialSize> payload_buffer;
  const auto response = attempt->read_response(now, header, payload_buffer);
  if (!response) return drop(parts, now, response.error(), datagram);
  const bool given_up = parts.lifecycle.state == ConnectionState::closing;

  if (!*response) {
    // The server is authentic but breaks the rules. There is no connection id with which to tell it, so it times out by
    // itself.
    parts.attempts.reset();
    close_by_error(parts, response->error());
    arm_discard(parts, now);
    return;
  }
  const ClientHandshake::Accepted& accepted = **response;
  if (accepted.payload.close) {
    const CloseFrame& close = *accepted.payload.close;
    const bool full =
        !close.application && close.code == static_cast<std::uint64_t>(TransportErrorCode::connection_refused);
    if (full && parts.attempts->outlives_full_server(header.client_id, close.reason)) return;
    parts.attempts.reset();
    on_peer_close(parts, now, close.application, close.code, close.frame_type, close.reason);
    return;
  }
  parts.suite = attempt->suite();
  const ConnectionId former = std::exchange(parts.local_id, header.client_id);
  if (former != parts.local_id) parts.trace(now, TraceIdChanged{former});
  parts.client_id = header.client_id;
  parts.path->remote_id = parts.server_id = *accepted.payload.parameters.connection_id;
  install_keys(parts, now, accepted.noise);
  apply_peer_parameters(parts, now, accepted.payload.parameters);
  // The answer shows that the server hears us at its address. Besides, only a server must limit what it sends to an
  // address that may be forged.
  parts.path->amplification.lift();
  parts.address_settled = true;
  parts.arrival = datagram.local;
  if (accepted.round_trip) parts.path->control.seed_rtt(now, *accepted.round_trip);
  parts.attempts.reset();
  parts.stats.bytes_received += size;
  parts.stats.last_received = now;
  parts.idle.on_packet_received(now);
  if (given_up) {
    parts.lifecycle.close_frame_due = true;
  } else {
    // The first packet confirms the keys to the server (§2.3). It goes now, and the probe timer repeats it until it is
    // acknowledged.
    parts.ping_due = true;
    confirm(parts, now);
  }
}

}  // namespace mxp
