// The serving side: answers any number of clients, each with the test it asks for. Every connection is a client of its
// own here; the bounds on what one may ask are in control.cpp, and what all of them hold shares one memory (memory.h).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "mxp-perf/control.h"
#include "mxp-perf/workloads/bulk.h"
#include "mxp-perf/workloads/datagram_test.h"
#include "mxp-perf/workloads/message_meter.h"
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
  void on_stream_reset(Connection& connection, StreamId id, AppErrorCode code) override;
  void on_datagram(Connection& connection, ByteView data) override;
  bool on_message(Connection& connection, const Message& message) override;
  void on_messages_writable(Connection& connection, MessageClass) override { connection.resume_messages(); }
  void on_closed(Connection& connection, const CloseInfo& info) override;

  std::uint64_t clients_served() const { return clients_served_; }
  std::function<void(Connection&, const CloseInfo&)> on_client_gone;

 private:
  struct ServedClient {
    std::optional<StreamId> control;
    ControlReader reader;
    std::optional<Workload> workload;
    bool begun = false;
    std::vector<StreamId> early;  // with data that overtook the line which begins the test
    std::optional<BulkMeter> meter;
    DatagramMeter datagrams;
    std::unique_ptr<BulkSender> sender;
    std::unique_ptr<MessageMeter> messages;
    bool window_timed = false;  // the timer for the end of receiving is set
    bool reported = false;
    std::vector<std::uint64_t> timers;  // cancelled when the client goes
    double cpu_at_begin = 0;
  };

  void on_control(Connection& connection, ServedClient& client, StreamId id, ByteView data, bool fin);
  void on_line(Connection& connection, ServedClient& client, const std::string& line);
  void on_request(Connection& connection, ServedClient& client, const std::string& line);
  void begin(Connection& connection, ServedClient& client);
  void report(Connection& connection, ServedClient& client);
  std::size_t echo(Connection& connection, StreamId id, ByteView data, bool fin);
  // A callback for a client after some time, unless it is gone by then.
  void after(Duration span, ServedClient& client, std::function<void()> callback);

  EventLoop* loop_ = nullptr;
  std::map<Connection*, ServedClient> clients_;
  std::uint64_t clients_served_ = 0;
};

}  // namespace mxp::perf
