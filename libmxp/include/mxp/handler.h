// What an application hears of its connections. All calls come from the thread that drives the endpoint: from inside
// Endpoint::receive, on_timeout, poll_transmit or on_unreachable; from inside EventLoop::run, process or flush; or from
// inside Connection::resume, when that is called during a call of the handler. No other function calls back.
// A callback may call every verb of Connection. A Connection is gone once on_closed has returned.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mxp/bytes.h"
#include "mxp/call.h"
#include "mxp/datagram.h"
#include "mxp/error.h"
#include "mxp/ids.h"
#include "mxp/message.h"
#include "mxp/message_options.h"
#include "mxp/time.h"

#pragma GCC visibility push(default)
namespace mxp {

class Connection;

class Handler {
 public:
  virtual ~Handler() = default;

  // The handshake is complete and confirmed: the peer's key is proven (client: message 2 accepted; server: the
  // client's first protected packet arrived).
  virtual void on_connected(Connection&) {}

  // The peer opened a stream. Its data follow in on_stream_data.
  virtual void on_stream_opened(Connection&, StreamId) {}

  // In-order bytes of a stream, in a view that is valid during the call only. Returns how many bytes were taken. The
  // rest is kept, and counts against the peer's flow control, until Connection::resume asks for it. `fin` says that
  // `data`, which may then be empty, ends the stream; when not all of it is taken, the end is told again with the rest.
  virtual std::size_t on_stream_data(Connection&, StreamId, ByteView data, [[maybe_unused]] bool fin) {
    return data.size();
  }

  // The peer abandoned its sending side: nothing more comes, and what came may be incomplete.
  virtual void on_stream_reset(Connection&, StreamId, AppErrorCode) {}
  // The peer wants no more data from us; our side was reset with its code.
  virtual void on_stop_sending(Connection&, StreamId, AppErrorCode) {}
  // A write that was cut short may go on.
  virtual void on_stream_writable(Connection&, StreamId) {}
  // Everything written, and the end of the stream, was acknowledged by the peer.
  virtual void on_stream_finished(Connection&, StreamId) {}
  // open_stream failed for want of credit and may now succeed.
  virtual void on_streams_available(Connection&, StreamType) {}

  // A datagram of the peer, in a view that is valid during the call only; perhaps empty. In the order of arrival.
  virtual void on_datagram(Connection&, [[maybe_unused]] ByteView data) {}
  // What became of a datagram that was sent with this cookie. Never called from inside send_datagram, nor
  // after close().
  virtual void on_datagram_outcome(Connection&, [[maybe_unused]] std::uint64_t cookie, DatagramOutcome) {}
  // send_datagram found the queue full under DatagramPolicy::block, and there is room for that datagram now.
  virtual void on_datagrams_writable(Connection&) {}
  // A message of the peer, once and only once (docs/protocol.md §5.2). Its payload is a view that is valid during the
  // call only; what came compressed or sealed is opened (MessageConfig::payloads). Returns whether the application
  // takes it. If not, the message is kept, and counts against the peer's credit, until Connection::resume_messages asks
  // for it; meanwhile no other message of its class is told, those of other classes are. Messages may come in another
  // order than they were sent in, but for those that were sent with MessageOrder::in_class. One of these that is not
  // taken holds up its channel, too.
  virtual bool on_message(Connection&, const Message&) { return true; }
  // So many messages of the peer expired before they came, and will not come.
  virtual void on_messages_expired(Connection&, [[maybe_unused]] std::uint64_t count) {}
  // What became of a message whose sender asked for it (MessageOptions::report_outcome). Told exactly once for each
  // that was not cancelled, before on_closed at the latest, also after close().
  virtual void on_message_outcome(Connection&, MessageTicket, MessageOutcome) {}
  // send_message failed for want of room in this class and may now succeed.
  virtual void on_messages_writable(Connection&, MessageClass) {}

  // The next three are told only where CallConfig::enabled is on.
  // How a call that Connection::call made has ended. Told exactly once for each that was not cancelled, before
  // on_closed at the latest, also after close().
  virtual void on_answer(Connection&, const CallAnswer&) {}
  // A call of the peer. It is open until Connection::answer or answer_error answers it, here or later, until the peer
  // takes it back, or until its time is over. Whoever answers later copies the data.
  virtual void on_call(Connection&, const IncomingCall&) {}
  // A call of the peer that was not answered is over: an answer would find nobody. Not told when the connection ends.
  virtual void on_call_cancelled(Connection&, IncomingCallId, CallEnd) {}

  // The peer drains the connection (Connection::drain): neither side begins new work any more. `time_left` is how long
  // the peer waits before it closes in any case, at most 49 days. Told once, also if
  // this side drains as well. What is open goes on: to come to the end, streams are finished and calls are answered.
  virtual void on_drain(Connection&, [[maybe_unused]] Duration time_left) {}
  // This side or the peer drains the connection, and nothing is under way on it any more. Whether the application has
  // nothing left to do for it either, such as an answer or a transaction of its own. If it returns true, the connection
  // may close at any time. If not, it is not asked again until it calls Connection::drain.
  virtual bool on_drained(Connection&) { return true; }

  // The connection has ended: the last call for it. Bytes that were received and not yet taken can be had here for the
  // last time, with Connection::resume.
  virtual void on_closed(Connection&, const CloseInfo&) {}
};

}  // namespace mxp
#pragma GCC visibility pop
