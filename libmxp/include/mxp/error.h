// The three kinds of outcome that are not success, each a type of its own (docs/architecture.md, "Errors"):
// a datagram that is not for us is dropped and counted (DropReason); a peer that breaks the rules is answered with a
// transport error (TransportError); a call that lost a race with the peer returns a value that says so (StreamError).
// What the operating system refuses, a socket or a file, is an IoError.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mxp/ids.h"

#pragma GCC visibility push(default)
namespace mxp {

// Codes of a CLOSE frame sent by the transport (docs/protocol.md §7).
enum class TransportErrorCode : std::uint64_t {
  no_error = 0x00,
  internal_error = 0x01,
  not_authorized = 0x02,        // the server's policy refused the client's key
  flow_control_error = 0x03,    // more data than the announced limit
  stream_limit_error = 0x04,    // more streams than the announced limit
  stream_state_error = 0x05,    // a frame that the stream's state or direction forbids
  final_size_error = 0x06,      // data past the final size, or a changed one
  frame_encoding_error = 0x07,  // malformed frame
  transport_parameter_error = 0x08,
  connection_refused = 0x09,  // the server takes no more connections
  protocol_violation = 0x0a,
  reassembly_limit_error = 0x0b,  // more pieces behind gaps than the receiver keeps
  downgrade = 0x0c,               // a better common version or suite existed
  key_update_error = 0x0d,
  aead_limit_reached = 0x0e,  // the keys have protected, or failed to open, as much as they may
  unknown_frame = 0x0f,
  idle_timeout = 0x10,               // local only, never on the wire
  handshake_timeout = 0x11,          // local only
  unreachable = 0x12,                // local only: the network reported it before the handshake was answered
  connection_id_limit_error = 0x13,  // more connection ids than the announced limit, or more to retire than is kept
  message_limit_error = 0x14,        // more messages, or more bytes of them, than the announced limit
  message_encoding_error = 0x15,     // a message that is not one (docs/protocol.md §1)
  drain_deadline = 0x16,             // Connection::drain: the time was over before both sides had finished
};

// One short lower-case phrase, e.g. "flow control error".
std::string_view to_string(TransportErrorCode code);

// The peer broke the rules: the connection closes with this.
struct TransportError {
  TransportErrorCode code = TransportErrorCode::no_error;
  std::uint64_t frame_type = 0;  // the frame that showed it; 0 where there is none
  std::string_view reason;       // a literal: never the peer's bytes
};

// Why a datagram or packet was dropped without a word. Each is counted.
enum class DropReason : std::uint8_t {
  malformed_header,
  unknown_version,  // of an initial; or a suite that the server does not have
  wrong_size,       // a handshake message outside 1200..1500 bytes
  bad_mac1,         // its sender does not know our key
  not_accepting,    // an initial at a pure client
  unknown_connection,
  half_open_limit,
  handshake_rate,    // too many initials cost public-key operations and led to no connection (EndpointLimits)
  handshake_failed,  // the Noise message does not verify
  bad_low_order_key,
  unexpected_in_state,  // the connection has ended, or a message 2 that no handshake of ours waits for
  authentication_failed,
  duplicate_packet,
  replay_window_passed,  // too old to tell whether it is a duplicate
  // From another address than the server's, or the client's where it may not move; or a message 1 that was answered
  // often enough.
  wrong_path,
  key_unavailable,  // a packet came before the handshake was complete
};
inline constexpr std::size_t kDropReasonCount = static_cast<std::size_t>(DropReason::key_unavailable) + 1;
std::string_view to_string(DropReason reason);

// What went wrong with a call on a stream or connection.
enum class StreamError : std::uint8_t {
  unknown_stream,     // never opened, or already finished and forgotten
  limit_reached,      // the peer allows no more streams of this type now; on_streams_available tells when
  wrong_direction,    // writing to a stream that only receives, or the reverse
  finished,           // our side was ended with finish(); for reset(): and all of it was acknowledged
  reset,              // our side was reset, by us or because the peer asked us to stop
  connection_closed,  // the handshake is not complete, or the connection has ended
  draining,           // open_stream: this side or the peer drains the connection, and nothing new begins
};
std::string_view to_string(StreamError error);

// Why a connection does not move to another local address.
enum class MigrationError : std::uint8_t {
  not_connected,     // the handshake is not complete, or the connection has ended
  not_allowed,       // it is a server's connection, or one of the sides has TransportConfig::migration off
  no_connection_id,  // the peer has not yet given an id for another path: try again after a round trip
};
std::string_view to_string(MigrationError error);

// An application's own reason for a reset or a close; its meaning is the application's. 0 to 2^62 - 1 (kMaxVarint),
// since it travels as a varint; a larger one counts as 2^62 - 1.
using AppErrorCode = std::uint64_t;

// The system refused something: a socket, a file.
struct IoError {
  int code = 0;         // errno
  std::string message;  // what failed and on what, e.g. "bind 127.0.0.1:9000: Address already in use"
};

// Who ended a connection, and why. The last thing an application hears of it.
struct CloseInfo {
  enum class By : std::uint8_t { local, peer, timeout, network };
  By by = By::local;
  bool application = false;  // true: `code` is the application's; false: a TransportErrorCode
  std::uint64_t code = 0;
  std::uint64_t frame_type = 0;     // transport errors: the frame that caused it, 0 if none
  std::string reason;               // at most 256 bytes; the peer's text is escaped (mxp/text.h)
  bool before_established = false;  // the handshake had not completed

  TransportErrorCode transport_code() const { return static_cast<TransportErrorCode>(code); }
};

}  // namespace mxp
#pragma GCC visibility pop
