// The serving side: answers any number of clients, each with the test it asks for.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>

#include "mxp-perf/bulk.h"
#include "mxp-perf/control.h"
#include "mxp/event_loop.h"
#include "mxp/handler.h"

namespace mxp::perf {

class Server final : public Handler {
 public:
  // Before any datagram arrives.
  void attach(EventLoop& loop) { loop_ = &loop; }

  void on_connected(Connection& connection) override;
  std::size_t on_stream_data(Connection& connection, StreamId id, ByteView data, bool fin) override;
  void on_stream_writable(Connection& connection, StreamId id) override;
  void on_stream_finished(Connection& connection, StreamId id) override;
  void on_stream_reset(Connection& connection, StreamId id, AppErrorCode code) override;
  void on_closed(Connection& connection, const CloseInfo& info) override;

  std::uint64_t clients_served() const { return clients_served_; }
  std::function<void(Connection&, const CloseInfo&)> on_client_gone;

 private:
  struct Session {
    std::optional<StreamId> control;
    ControlReader reader;
    std::optional<Workload> workload;
    BulkMeter meter;
    std::unique_ptr<BulkSender> sender;
    unsigned incoming_ended = 0;
    bool reported = false;
    std::uint64_t stop_timer = 0;
    double cpu_at_start = 0;
  };

  void on_control(Connection& connection, Session& session, StreamId id, ByteView data);
  void begin(Connection& connection, Session& session, const std::string& line);
  void report_if_done(Connection& connection, Session& session);
  void report(Connection& connection, Session& session);
  std::size_t echo(Connection& connection, StreamId id, ByteView data, bool fin);

  EventLoop* loop_ = nullptr;
  std::map<Connection*, Session> sessions_;
  std::uint64_t clients_served_ = 0;
};

}  // namespace mxp::perf
