// The handler of the endpoint: gives each connection its session, forwards what happens to it, and decides when the run
// is over and how it ended.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "common/dialer.h"
#include "mxp-cat/peer_messages.h"
#include "mxp-cat/session.h"
#include "mxp/endpoint.h"
#include "mxp/handler.h"

namespace mxp::tools {

// Makes the session of a connection. What it holds (stdin and stdout, the list of files) outlives the sessions.
using SessionFactory = std::function<std::unique_ptr<Session>(const SessionEnvironment&, Connection&)>;

class Hub : public Handler {
 public:
  Hub(const Options& options, Output& output, Reporter& reporter)
      : options_(options), output_(output), reporter_(reporter) {}
  ~Hub() override;

  // Takes over the loop that was made with this hub as its handler, before it runs.
  void attach(std::unique_ptr<EventLoop> loop, SessionFactory factory, std::uint64_t message_trace_id);
  // connect: begins to reach the server at the first of `addresses`.
  Result<void> dial(std::vector<SocketAddress> addresses, const PublicKey& key);
  // Prints a note that `peer` may cause again and again; how often is limited (peer_messages.h).
  void note_about(const std::string& peer, const std::string& text);

  // A signal came: closes what is open, then ends the run.
  void interrupt();
  // Ends the run with this unless it has a result.
  void give_up(ToolError error);

  bool had_connection() const { return had_connection_; }
  // The run's result, once the run is over. What became of one client is no result for a listener that goes on.
  const std::optional<Result<void>>& result() const { return result_; }
  Progress progress() const;

  // mxp::Handler
  void on_connected(Connection& connection) override;
  void on_stream_opened(Connection& connection, StreamId id) override;
  std::size_t on_stream_data(Connection& connection, StreamId id, ByteView data, bool fin) override;
  void on_stream_reset(Connection& connection, StreamId id, AppErrorCode code) override;
  void on_stop_sending(Connection& connection, StreamId id, AppErrorCode code) override;
  void on_stream_writable(Connection& connection, StreamId id) override;
  void on_stream_finished(Connection& connection, StreamId id) override;
  void on_streams_available(Connection& connection, StreamType type) override;
  void on_datagram(Connection& connection, ByteView data) override;
  void on_datagram_outcome(Connection& connection, std::uint64_t cookie, DatagramOutcome outcome) override;
  void on_datagrams_writable(Connection& connection) override;
  bool on_message(Connection& connection, const Message& message) override;
  void on_message_outcome(Connection& connection, MessageTicket ticket, MessageOutcome outcome) override;
  void on_messages_writable(Connection& connection, MessageClass traffic_class) override;
  void on_closed(Connection& connection, const CloseInfo& info) override;

 private:
  struct Finishing {  // its connection has ended, stdout has not taken everything yet
    std::unique_ptr<Session> session;
    Result<void> result;
    Duration linger;
  };

  Session* session_of(Connection& connection) const { return static_cast<Session*>(connection.context()); }
  ToolError describe_unanswered(const CloseInfo& info) const;
  void check_finishing();
  void finish_session(Result<void> result, const std::string& peer, Duration linger);
  void stop_after(Duration linger);

  const Options& options_;
  Output& output_;
  Reporter& reporter_;
  PeerMessages peer_messages_;
  bool had_connection_ = false;
  bool interrupted_ = false;
  std::optional<Result<void>> result_;

  // In this order: a session cancels timers and lets go of stdin and stdout when it is destroyed, and those unwatch
  // their descriptors. So sessions go first, then what the factory holds, then the loop, whatever state a run ends in.
  std::unique_ptr<EventLoop> loop_;
  std::optional<Dialer> dialer_;
  SessionFactory factory_;
  std::optional<SessionEnvironment> environment_;
  std::unordered_map<Session*, std::unique_ptr<Session>> sessions_;
  std::vector<Finishing> finishing_;
};

}  // namespace mxp::tools
