// One peer. Made by Endpoint::connect or by an accepted handshake, owned by its Endpoint, gone once
// Handler::on_closed has returned. Sans-I/O: the verbs here only change state; the driver of the endpoint sends what is
// due.
// Threads: everything belongs to the endpoint's thread.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <string_view>

#include "mxp/address.h"
#include "mxp/bytes.h"
#include "mxp/call.h"
#include "mxp/datagram.h"
#include "mxp/drain.h"
#include "mxp/error.h"
#include "mxp/ids.h"
#include "mxp/keys.h"
#include "mxp/message.h"
#include "mxp/message_options.h"
#include "mxp/priority.h"
#include "mxp/stats.h"

#pragma GCC visibility push(default)
namespace mxp {

// handshaking → established → closing (we closed) or draining (the peer did) → closed.
enum class ConnectionState : std::uint8_t { handshaking, established, closing, draining, closed };
std::string_view to_string(ConnectionState state);

struct [[gnu::visibility("hidden")]] ConnectionAccess;  // of the connection and endpoint rooms

// Stream verbs return connection_closed while the handshake is under way and once the connection has ended,
// unknown_stream for an id that is not open, and wrong_direction for a stream that lacks the side in question. Further
// errors are named at each verb.
class Connection {
 public:
  // Opens a stream; the peer learns of it with its first frame. limit_reached: wait for on_streams_available.
  std::expected<StreamId, StreamError> open_stream(StreamType type);

  // Queues as much of `data` as the stream's send buffer takes and returns how many bytes that was. A write never
  // blocks. Bytes beyond the returned count were not taken: offer them again after on_stream_writable.
  // Writing nothing to a new stream announces it to the peer, which may want to speak first. Errors: finished, reset.
  std::expected<std::size_t, StreamError> write(StreamId id, ByteView data);
  // Ends our side after everything written so far. Idempotent. Error: reset.
  std::expected<void, StreamError> finish(StreamId id);
  // Abandons our side: what was not acknowledged may never arrive. Errors: reset (it was already), finished (everything
  // has arrived). A code above 2^62 - 1 counts as 2^62 - 1, here and below.
  std::expected<void, StreamError> reset(StreamId id, AppErrorCode code);
  // Asks the peer to stop sending; data that still come are discarded. Idempotent.
  std::expected<void, StreamError> stop_sending(StreamId id, AppErrorCode code);
  // After on_stream_data took less than it was given: hands the rest to on_stream_data again. That happens inside this
  // call when a call of the handler for this connection is running, else in the next drive of the endpoint. Works until
  // on_closed has returned, also after close().
  std::expected<void, StreamError> resume(StreamId id);

  // Bytes that write() would take now; 0 for a stream that cannot be written.
  std::size_t writable_bytes(StreamId id) const;

  // Where the stream's data stand among all that waits to be sent, from the next packet on; by default in the streaming
  // class. An urgency above 7 counts as 7, and a weight of 0 as 1. The peer is not told. Errors: unknown_stream;
  // wrong_direction for a stream that we only receive on; connection_closed.
  std::expected<void, StreamError> set_priority(StreamId id, const StreamPriority& priority);

  // Sends a message exactly once (docs/protocol.md §5.2), as it is unless the options have its payload compressed or
  // sealed. It is copied and may still be held back: nothing blocks. Messages of one class are sent in the order of
  // these calls, and may arrive in another order unless they are to keep it (MessageOptions::order). Errors:
  // SendMessageError; a message that is refused was not taken.
  std::expected<MessageTicket, SendMessageError> send_message(const Message& message,
                                                              const MessageOptions& options = {});
  // As if the message expired now, but the outcome, not_sent or expired, is returned and not told. Nothing: it was
  // acknowledged, has expired, or was cancelled before.
  std::optional<MessageOutcome> cancel_message(MessageTicket ticket);
  // After on_message did not take a message: in the next drive of the endpoint, it and those after it are told again.
  void resume_messages();

  // Calls the peer: `target` names what there is to answer, and means what the applications agree on. The data are
  // copied. Handler::on_answer tells exactly once how it ended. Errors: CallError; nothing is told of a call that was
  // refused. Calls need CallConfig::enabled on both sides (docs/protocol.md §5.3).
  std::expected<CallId, CallError> call(const Uuid& target, ByteView data, const CallOptions& options = {});
  // Whether the call was waiting for its answer. If so, nothing is told of it any more, and the peer is asked to forget
  // it, which an answer that is on its way may outrun.
  bool cancel_call(CallId id);
  // Answers a call of the peer, once, and not after its time is over. Errors: AnswerError; except for unknown_call, the
  // call is still open then. A failure has any reason but `cancelled`, and a text for people in UTF-8.
  std::expected<void, AnswerError> answer(IncomingCallId id, ByteView data, const AnswerOptions& options = {});
  std::expected<void, AnswerError> answer_error(IncomingCallId id, ErrorReason reason, std::string_view text);

  // For an application that is about to send several pieces that should share packets: until uncork, data of streams
  // and messages wait for as long as they do not fill a packet, unless something critical, or anything else that is
  // due, takes them along. After uncork all of it goes, the last packet too, which may not be full. A cork holds for
  // 200 ms at most, from the next drive of the endpoint on.
  void cork();
  void uncork();

  // Replaces FlowControlConfig::connection_send_buffer for this connection, from now on: for a server that learns only
  // from its client how much memory the connection is worth. `bytes` is shared among the streams in the same way. What
  // was taken already is kept.
  void set_send_buffer(std::size_t bytes);

  // Client: moves to another address of this machine, which the driver of the endpoint can send from, while the old one
  // still serves: to another network, say. Streams notice nothing. The connection asks the peer on the new path, and
  // moves when the answer has come; if none comes within six probe timeouts, and a second at least, it stays where
  // it is. ConnectionStats::path_changes counts the moves. Its round trip, window and datagram size begin anew there.
  // A client need not call this when its address changes by itself: Endpoint::on_local_address tells it. A second call
  // replaces the first. Errors, at once: MigrationError.
  // REQUIRES: the driver sends from Transmit::local. EventLoop does where its socket is bound to all addresses and
  // CarrierCapabilities::packet_info is true, and then only the IP address of `local` counts. Elsewhere datagrams still
  // leave from the old address, and the move is none.
  std::expected<void, MigrationError> migrate(const SocketAddress& local);

  // Queues a copy of `data`, which may be empty, to be sent once in one packet and never again. It may be lost, and may
  // overtake others; it does not arrive twice. Its size is bounded by max_datagram_size(), and the peer must have set
  // DatagramConfig::max_payload. Congestion control and DatagramConfig::rate hold it back, credit of streams does not.
  std::expected<void, DatagramError> send_datagram(ByteView data, const DatagramOptions& options = {});
  // Bytes of the largest datagram that send_datagram would take now, were the queue empty: 0 if the peer takes none. It
  // grows and shrinks with what the path carries (ConnectionStats::datagram_size) and is at least 1170 bytes, if peer
  // and queue take as much.
  std::size_t max_datagram_size() const;

  // Ends the connection in order, so that nothing is lost (docs/protocol.md §7.1). From now on neither side begins new
  // work: open_stream, call, send_datagram, and send_message of what is no answer fail with `draining`, here at once
  // and at the peer as soon as it hears of it (Handler::on_drain). What has begun goes on: data and ends of open
  // streams, messages and calls under way, answers and Acks. When nothing is under way, each application is asked
  // (Handler::on_drained), and when both have agreed, the connection closes with the application's code 0 and the
  // reason "drained". At the deadline it closes in any case, with TransportErrorCode::drain_deadline: then something
  // may have been lost. kNever is no deadline.
  // A second call moves the deadline nearer, never away, and lets the application be asked again if it has refused. A
  // side that the peer asked to drain need not call this; if it does, its own deadline holds as well. Error:
  // DrainError.
  std::expected<void, DrainError> drain(Timestamp deadline);

  // Closes at once: streams end where they are. To lose nothing, drain instead.
  // The reason is cut to 256 bytes. on_closed follows in a later drive of the endpoint, never inside this call; until
  // then the handler hears nothing more of this connection, except for bytes that resume() asks for, what became of
  // messages (on_message_outcome), and how calls ended (on_answer).
  void close(AppErrorCode code, std::string_view reason);

  ConnectionState state() const;
  Role role() const;
  ConnectionStats stats() const;
  // Of a stream that we send on, until it is forgotten: it has ended in both directions, and the call of
  // on_stream_finished, or of on_stream_data with its end, has returned. Errors: unknown_stream; wrong_direction for a
  // stream that we only receive on; connection_closed.
  std::expected<StreamStats, StreamError> stream_stats(StreamId id) const;
  // The peer's address now. A server's client may move, as long as TransportConfig::migration allows it.
  const SocketAddress& remote_address() const;
  // The peer's static key: a client has it from Endpoint::connect on; it is proven from on_connected on.
  const PublicKey& peer_key() const;
  // Final from on_connected on. To see whether a client got its first choice, compare with
  // EndpointConfig::suites.front(). Another one is no fault: the server lacks the first, or its answer did not come in
  // time (docs/security.md, "What is given up").
  Suite suite() const;
  // The id that the peer first used in packets to us: final from on_connected on, and what trace and key log name the
  // connection by. It may use others later.
  ConnectionId local_id() const;
  // The id in the packets that we send now. It changes when the path does, or when the peer wishes it.
  ConnectionId remote_id() const;
  // The Noise handshake hash: the same 32 bytes on both sides and on no other connection (channel binding, Noise
  // §11.2). Valid from on_connected on; a view into this object.
  ByteView handshake_hash() const;

  // A place for the application's own object.
  void set_context(void* context) { context_ = context; }
  void* context() const { return context_; }

  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

 private:
  friend struct ConnectionAccess;
  Connection();

  struct [[gnu::visibility("hidden")]] Impl;
  std::unique_ptr<Impl> impl_;
  void* context_ = nullptr;
};

}  // namespace mxp
#pragma GCC visibility pop
