// Calls and their answers over the messages of a connection (docs/protocol.md §5.3, docs/api.md): one side calls, the
// other answers within a time limit. Both need CallConfig::enabled.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "mxp/bytes.h"
#include "mxp/message.h"
#include "mxp/message_options.h"
#include "mxp/time.h"

#pragma GCC visibility push(default)
namespace mxp {

// Largest data of a call and of its answer, and largest text of an answer that tells of a failure, in bytes.
inline constexpr std::size_t kMaxCallData = kMaxMessagePayload - 20;
inline constexpr std::size_t kMaxAnswerData = kMaxMessagePayload;
inline constexpr std::size_t kMaxAnswerText = kMaxShortMessage - 2;

// Names a call that this side made; no two of a connection are equal. It is the message id of the call on the wire.
class CallId {
 public:
  constexpr CallId() = default;
  explicit constexpr CallId(std::uint64_t value) : value_(value) {}
  constexpr std::uint64_t value() const { return value_; }
  constexpr bool operator==(const CallId&) const = default;

 private:
  std::uint64_t value_ = 0;
};

// Names a call of the peer; no two of a connection are equal.
class IncomingCallId {
 public:
  constexpr IncomingCallId() = default;
  explicit constexpr IncomingCallId(std::uint64_t value) : value_(value) {}
  constexpr std::uint64_t value() const { return value_; }
  constexpr bool operator==(const IncomingCallId&) const = default;

 private:
  std::uint64_t value_ = 0;
};

struct CallOptions {
  // How long the answer may take, more than 0; the peer is told whole seconds, rounded up. Above 2^32 - 1 seconds there
  // is no limit, and the peer is told none. The time begins with the next drive of the endpoint, which follows at once
  // in an EventLoop.
  Duration timeout = std::chrono::seconds(30);
  std::uint64_t trace_id = 0;
  std::uint64_t cookie = 0;  // the application's own; CallAnswer has it
  // By default critical, as for every message of the type Call.
  std::optional<MessageClass> traffic_class;
  // What is done to the Call's payload: target, timeout and data (MessageOptions).
  PayloadCompression compress = PayloadCompression::none;
  PayloadSealing seal = PayloadSealing::none;
};

struct AnswerOptions {
  // What is done to the answer's data (MessageOptions).
  PayloadCompression compress = PayloadCompression::none;
  PayloadSealing seal = PayloadSealing::none;
};

enum class CallError : std::uint8_t {
  not_enabled,        // CallConfig::enabled is off on this side
  invalid_timeout,    // 0 or less
  too_large,          // the data are beyond kMaxCallData, or beyond what the peer takes in one message
  too_many,           // CallConfig::max_waiting calls wait for their answers
  not_taken,          // the peer takes no messages
  queue_full,         // the class holds as much as it may: on_messages_writable tells when it takes more
  connection_closed,  // the handshake is not complete, or the connection has ended
  draining            // this side or the peer drains the connection, and nothing new begins
};
std::string_view to_string(CallError error);

enum class CallOutcome : std::uint8_t {
  answered,   // CallAnswer::data
  failed,     // the other side says why: CallAnswer::reason, CallAnswer::text
  timed_out,  // no answer came in time; one that still comes is ignored
  not_sent,   // the connection ended before the call was sent: the other side never sees it
  unknown     // the connection ended after the call was sent, and before its answer came
};
std::string_view to_string(CallOutcome outcome);

// How a call ended. What it points to is valid during the call of the handler only.
struct CallAnswer {
  CallId call;
  std::uint64_t cookie = 0;  // of the call
  CallOutcome outcome = CallOutcome::unknown;
  std::uint64_t trace_id = 0;  // as the answer has it; 0 if none came
  std::uint8_t flags = 0;      // MessageFlag bits of the answer: whether its data are still compressed or sealed
  const PayloadOrigin* origin = nullptr;  // how the data came, if the connection has opened them (Message::origin)
  ByteView data;                          // answered
  // failed. An application's own reasons are 0x8000 and above; bad_payload and too_many may be the connection's words.
  ErrorReason reason = ErrorReason::bad_payload;
  std::string_view text;  // failed; UTF-8 of the peer, to be escaped before it is shown (mxp/text.h)
};

// A call of the peer. What it points to is valid during the call of the handler only.
struct IncomingCall {
  IncomingCallId id;
  std::uint64_t trace_id = 0;
  Uuid target{};
  Duration time_left = Duration::max();  // after this the call is forgotten; Duration::max(): it has no limit
  ByteView data;
  const PayloadOrigin* origin = nullptr;  // how they came, if the connection has opened them (Message::origin)
};

// Why a call of the peer needs no answer any more.
enum class CallEnd : std::uint8_t {
  cancelled,  // the caller took it back
  timed_out   // its time is over
};
std::string_view to_string(CallEnd end);

enum class AnswerError : std::uint8_t {
  unknown_call,  // answered already, taken back, timed out, or never given out
  too_large,   // beyond kMaxAnswerData, as it travels, or kMaxAnswerText, or beyond what the peer takes in one message
  invalid,     // the reason `cancelled`, which is no answer, or a text that is not UTF-8
  not_taken,   // the peer takes no messages
  queue_full,  // the call is still open: try again after on_messages_writable
  connection_closed  // the connection has ended
};
std::string_view to_string(AnswerError error);

}  // namespace mxp
#pragma GCC visibility pop
