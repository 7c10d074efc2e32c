// The words for every enum of the public headers that core owns.
#include <fmt/format.h>

#include <string_view>

#include "mxp/connection.h"
#include "mxp/datagram.h"
#include "mxp/drain.h"
#include "mxp/endpoint.h"
#include "mxp/error.h"
#include "mxp/message_options.h"
#include "mxp/trace.h"

namespace mxp {

std::string_view to_string(TransportErrorCode code) {
  switch (code) {
    case TransportErrorCode::no_error: return "no error";
    case TransportErrorCode::internal_error: return "internal error";
    case TransportErrorCode::not_authorized: return "not authorized";
    case TransportErrorCode::flow_control_error: return "flow control error";
    case TransportErrorCode::stream_limit_error: return "stream limit error";
    case TransportErrorCode::stream_state_error: return "stream state error";
    case TransportErrorCode::final_size_error: return "final size error";
    case TransportErrorCode::frame_encoding_error: return "frame encoding error";
    case TransportErrorCode::transport_parameter_error: return "transport parameter error";
    case TransportErrorCode::connection_refused: return "connection refused";
    case TransportErrorCode::protocol_violation: return "protocol violation";
    case TransportErrorCode::reassembly_limit_error: return "reassembly limit error";
    case TransportErrorCode::downgrade: return "downgrade";
    case TransportErrorCode::key_update_error: return "key update error";
    case TransportErrorCode::aead_limit_reached: return "aead limit reached";
    case TransportErrorCode::unknown_frame: return "unknown frame";
    case TransportErrorCode::idle_timeout: return "idle timeout";
    case TransportErrorCode::handshake_timeout: return "handshake timeout";
    case TransportErrorCode::unreachable: return "unreachable";
    case TransportErrorCode::connection_id_limit_error: return "connection id limit error";
    case TransportErrorCode::message_limit_error: return "message limit error";
    case TransportErrorCode::message_encoding_error: return "message encoding error";
    case TransportErrorCode::drain_deadline: return "drain deadline";
  }
  return "unknown error";  // a peer may send any number
}

std::string_view to_string(DropReason reason) {
  switch (reason) {
    case DropReason::malformed_header: return "malformed header";
    case DropReason::unknown_version: return "unknown version";
    case DropReason::wrong_size: return "wrong size";
    case DropReason::bad_mac1: return "bad mac1";
    case DropReason::not_accepting: return "not accepting";
    case DropReason::unknown_connection: return "unknown connection";
    case DropReason::half_open_limit: return "half-open limit";
    case DropReason::handshake_rate: return "handshake rate";
    case DropReason::handshake_failed: return "handshake failed";
    case DropReason::bad_low_order_key: return "low-order key";
    case DropReason::unexpected_in_state: return "unexpected in this state";
    case DropReason::authentication_failed: return "authentication failed";
    case DropReason::duplicate_packet: return "duplicate packet";
    case DropReason::replay_window_passed: return "replay window passed";
    case DropReason::wrong_path: return "wrong path";
    case DropReason::key_unavailable: return "key unavailable";
  }
  return "unknown reason";
}

std::string_view to_string(TraceFrameKind kind) {
  switch (kind) {
    case TraceFrameKind::padding: return "padding";
    case TraceFrameKind::ping: return "ping";
    case TraceFrameKind::ack: return "ack";
    case TraceFrameKind::stream: return "stream";
    case TraceFrameKind::reset_stream: return "reset_stream";
    case TraceFrameKind::stop_sending: return "stop_sending";
    case TraceFrameKind::max_data: return "max_data";
    case TraceFrameKind::max_stream_data: return "max_stream_data";
    case TraceFrameKind::max_streams_bidi: return "max_streams_bidi";
    case TraceFrameKind::max_streams_uni: return "max_streams_uni";
    case TraceFrameKind::data_blocked: return "data_blocked";
    case TraceFrameKind::stream_data_blocked: return "stream_data_blocked";
    case TraceFrameKind::streams_blocked_bidi: return "streams_blocked_bidi";
    case TraceFrameKind::streams_blocked_uni: return "streams_blocked_uni";
    case TraceFrameKind::ack_frequency: return "ack_frequency";
    case TraceFrameKind::immediate_ack: return "immediate_ack";
    case TraceFrameKind::new_connection_id: return "new_connection_id";
    case TraceFrameKind::retire_connection_id: return "retire_connection_id";
    case TraceFrameKind::path_challenge: return "path_challenge";
    case TraceFrameKind::path_response: return "path_response";
    case TraceFrameKind::datagram: return "datagram";
    case TraceFrameKind::message: return "message";
    case TraceFrameKind::message_part: return "message_part";
    case TraceFrameKind::expired: return "expired";
    case TraceFrameKind::max_messages: return "max_messages";
    case TraceFrameKind::messages_blocked: return "messages_blocked";
    case TraceFrameKind::drain: return "drain";
    case TraceFrameKind::close: return "close";
  }
  return "unknown";
}

std::string_view to_string(StreamError error) {
  switch (error) {
    case StreamError::unknown_stream: return "unknown stream";
    case StreamError::limit_reached: return "stream limit reached";
    case StreamError::wrong_direction: return "wrong direction";
    case StreamError::finished: return "stream already finished";
    case StreamError::reset: return "stream was reset";
    case StreamError::connection_closed: return "connection closed";
    case StreamError::draining: return "connection is draining";
  }
  return "unknown error";
}

std::string_view to_string(DrainStage stage) {
  switch (stage) {
    case DrainStage::none: return "none";
    case DrainStage::begun: return "begun";
    case DrainStage::done: return "done";
    case DrainStage::agreed: return "agreed";
  }
  return "unknown stage";
}

std::string_view to_string(DrainError error) {
  switch (error) {
    case DrainError::connection_closed: return "connection closed";
  }
  return "unknown error";
}

std::string_view to_string(MigrationError error) {
  switch (error) {
    case MigrationError::not_connected: return "not connected";
    case MigrationError::not_allowed: return "migration is not allowed";
    case MigrationError::no_connection_id: return "the peer has given no connection id for another path yet";
  }
  return "unknown error";
}

std::string_view to_string(DatagramOutcome outcome) {
  switch (outcome) {
    case DatagramOutcome::delivered: return "delivered";
    case DatagramOutcome::lost: return "lost";
    case DatagramOutcome::expired: return "expired";
    case DatagramOutcome::dropped: return "dropped";
    case DatagramOutcome::too_large: return "too large";
  }
  return "unknown outcome";
}

std::string to_string(const DatagramError& error) {
  switch (error.kind) {
    case DatagramError::Kind::too_large:
      return fmt::format("larger than the {} bytes that a datagram may have now", error.limit);
    case DatagramError::Kind::queue_full: return "the queue of datagrams is full";
    case DatagramError::Kind::expired: return "its time has passed already";
    case DatagramError::Kind::not_taken_by_peer: return "the peer takes no datagrams";
    case DatagramError::Kind::connection_closed: return "connection closed";
    case DatagramError::Kind::draining: return "connection is draining";
  }
  return "unknown error";
}

std::string_view to_string(ConnectError error) {
  switch (error) {
    case ConnectError::too_many_connections: return "too many connections";
    case ConnectError::invalid_server_key: return "invalid server key";
  }
  return "unknown error";
}

std::string_view to_string(ConnectionState state) {
  switch (state) {
    case ConnectionState::handshaking: return "handshaking";
    case ConnectionState::established: return "established";
    case ConnectionState::closing: return "closing";
    case ConnectionState::draining: return "draining";
    case ConnectionState::closed: return "closed";
  }
  return "unknown state";
}

std::string_view to_string(BlockedBy reason) {
  switch (reason) {
    case BlockedBy::nothing: return "nothing";
    case BlockedBy::congestion: return "congestion";
    case BlockedBy::pacing: return "pacing";
    case BlockedBy::amplification: return "amplification";
    case BlockedBy::connection_credit: return "connection credit";
    case BlockedBy::stream_credit: return "stream credit";
    case BlockedBy::message_credit: return "message credit";
    case BlockedBy::traffic_class: return "class";
    case BlockedBy::application: return "application";
    case BlockedBy::handshake: return "handshake";
  }
  return "unknown reason";
}

std::string_view to_string(MessageOutcome outcome) {
  switch (outcome) {
    case MessageOutcome::delivered: return "delivered";
    case MessageOutcome::not_sent: return "not sent";
    case MessageOutcome::expired: return "expired";
    case MessageOutcome::unknown: return "unknown";
  }
  return "unknown reason";
}

std::string_view to_string(SendMessageError error) {
  switch (error) {
    case SendMessageError::too_large: return "message too large";
    case SendMessageError::invalid: return "invalid message";
    case SendMessageError::not_taken: return "the peer takes no messages";
    case SendMessageError::queue_full: return "queue full";
    case SendMessageError::connection_closed: return "connection closed";
    case SendMessageError::draining: return "connection is draining";
    case SendMessageError::order_not_taken: return "the peer takes messages in any order only";
  }
  return "unknown reason";
}

std::string_view to_string(CallError error) {
  switch (error) {
    case CallError::not_enabled: return "calls are not enabled";
    case CallError::invalid_timeout: return "the timeout is not more than zero";
    case CallError::too_large: return "too large";
    case CallError::too_many: return "too many calls wait for their answers";
    case CallError::not_taken: return "the peer takes no messages";
    case CallError::queue_full: return "queue full";
    case CallError::connection_closed: return "connection closed";
    case CallError::draining: return "connection is draining";
  }
  return "unknown error";
}

std::string_view to_string(CallOutcome outcome) {
  switch (outcome) {
    case CallOutcome::answered: return "answered";
    case CallOutcome::failed: return "failed";
    case CallOutcome::timed_out: return "timed out";
    case CallOutcome::not_sent: return "not sent";
    case CallOutcome::unknown: return "unknown";
  }
  return "unknown outcome";
}

std::string_view to_string(CallEnd end) {
  switch (end) {
    case CallEnd::cancelled: return "cancelled";
    case CallEnd::timed_out: return "timed out";
  }
  return "unknown end";
}

std::string_view to_string(AnswerError error) {
  switch (error) {
    case AnswerError::unknown_call: return "unknown call";
    case AnswerError::too_large: return "too large";
    case AnswerError::invalid: return "invalid reason or text";
    case AnswerError::not_taken: return "the peer takes no messages";
    case AnswerError::queue_full: return "queue full";
    case AnswerError::connection_closed: return "connection closed";
  }
  return "unknown error";
}

}  // namespace mxp
