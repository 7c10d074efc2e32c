// One connection's work. A session hears of its connection what mxp::Handler says, and decides how it ended.
//
// A CLOSE is not acknowledged, and the last packet of a connection may be lost: a side that simply closed when it has
// all it wants could leave the other waiting for an acknowledgement until its idle timeout. So the client of a pipe and
// the sender of files say goodbye, with a one-way stream that ends without data, and the other side closes. The stream
// is repeated until it is answered.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/tool_error.h"
#include "mxp-cat/app_codes.h"
#include "mxp-cat/close_reason.h"
#include "mxp-cat/options.h"
#include "mxp-cat/peer_messages.h"
#include "mxp-cat/reporter.h"
#include "mxp/connection.h"
#include "mxp/event_loop.h"
#include "mxp/handler.h"

namespace mxp::tools {

// What all sessions share. Everything here outlives them.
struct SessionEnvironment {
  EventLoop& loop;
  const Options& options;
  Output& output;
  Reporter& reporter;
  PeerMessages& messages;
  std::uint64_t message_trace_id;    // of the messages that we send (TraceContext); 0: none
  std::function<void()> on_drained;  // a session whose connection has ended has written everything out
};

struct Progress {
  std::uint64_t done = 0;   // bytes
  std::uint64_t total = 0;  // 0 = not known
};

class Session {
 public:
  Session(const SessionEnvironment& environment, Connection& connection)
      : environment_(environment), connection_(connection), peer_(connection.remote_address().to_string()) {}
  virtual ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // What the handler of the endpoint calls: goodbyes are seen to here, the rest goes on to the verbs below.
  void stream_opened(StreamId id);
  std::size_t stream_data(StreamId id, ByteView data, bool fin);
  void stream_finished(StreamId id);
  Result<void> closed(const CloseInfo& info);

  // As in mxp::Handler.
  virtual void on_connected() {}
  virtual void on_stream_opened(StreamId id) { refuse_stream(id, AppCode::unexpected_stream); }
  virtual std::size_t on_stream_data(StreamId, ByteView data, bool) { return data.size(); }
  virtual void on_stream_reset(StreamId, AppErrorCode) {}
  virtual void on_stop_sending(StreamId, AppErrorCode) {}
  virtual void on_stream_writable(StreamId) {}
  virtual void on_stream_finished(StreamId) {}
  virtual void on_streams_available() {}
  virtual void on_datagram(ByteView) {}
  virtual void on_datagram_outcome(DatagramOutcome) {}
  virtual void on_datagrams_writable() {}
  virtual bool on_message(const Message&) { return true; }
  virtual void on_message_outcome(MessageOutcome) {}
  virtual void on_messages_writable() {}

  // Whether a one-way stream that the peer opens now can only be its goodbye. on_goodbye follows when it ends without
  // data.
  virtual bool expects_goodbye() const { return false; }
  virtual void on_goodbye() {}

  // The connection has ended: was the work done? The connection may still be read from (resume), not written to.
  virtual Result<void> on_closed(const CloseInfo& info);
  // Whether something of the session's still has to be written out after its connection has ended;
  // environment.on_drained follows, and then after_drain with what on_closed returned. The connection is gone by then.
  virtual bool draining() const { return false; }
  virtual Result<void> after_drain(Result<void> result) { return result; }
  virtual Progress progress() const { return {}; }

  const std::string& peer() const { return peer_; }

 protected:
  // Ends the connection with `code`; the first outcome given counts, on_closed returns it.
  void end(AppCode code, std::string_view reason, Result<void> outcome);
  // The same for "done", where the peer closes: see above.
  void say_goodbye(Result<void> outcome);
  bool ended() const { return outcome_.has_value(); }
  const std::optional<Result<void>>& outcome() const { return outcome_; }

  // Both directions of a stream that we do not serve.
  void refuse_stream(StreamId id, AppCode code);
  ToolError describe(const CloseInfo& info) const;
  // Whether the peer closed and said that it is done.
  static bool says_done(const CloseInfo& info);
  // A warning of which a peer, or a machine that is short of something, can cause thousands: ten at once, then one a
  // second, and the rest is counted.
  void warn(const std::string& text);

  const SessionEnvironment& environment_;
  Connection& connection_;

 private:
  void close_after(Duration wait);
  void cancel_close();

  std::string peer_;
  std::optional<Result<void>> outcome_;
  std::optional<StreamId> our_goodbye_;
  std::optional<StreamId> peers_goodbye_;
  std::optional<std::uint64_t> close_timer_;
};

}  // namespace mxp::tools
