// The serving side: answers any number of clients, each with the test it asks for. Every connection has a state of its
// own here; what they have together as one client is its account (accounts/accounts.h). The bounds on what one may ask
// are in control.cpp and, where the user sets them, in ServerLimits; what all of them hold shares one memory (memory.h).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_set>
#include <vector>

#include "mxp-perf/accounts/accounts.h"
#include "mxp-perf/accounts/held_answers.h"
#include "mxp-perf/control.h"
#include "mxp-perf/loop/loop_run.h"
#include "mxp-perf/memory.h"
#include "mxp-perf/workloads/bulk.h"
#include "mxp-perf/workloads/datagram_test.h"
#include "mxp-perf/workloads/message_meter.h"
#include "mxp/event_loop.h"
#include "mxp/handler.h"

namespace mxp::perf {

// For how long a server keeps the place of a client that does not go on: one that lies would keep it for ever.
struct Patience {
  Duration begin = std::chrono::seconds(10);  // from "ready" to the begin, beyond the wait that the request names
  Duration end = std::chrono::seconds(30);    // after the duration of the test
};

class Server final : public Handler {
 public:
  explicit Server(const ServerLimits& limits = {}, const Patience& patience = {})
      : limits_(limits), patience_(patience) {}
  // Before any datagram arrives.
  void attach(EventLoop& loop) { loop_ = &loop; }

  void on_connected(Connection& connection) override;
  std::size_t on_stream_data(Connection& connection, StreamId id, ByteView data, bool fin) override;
  void on_stream_writable(Connection& connection, StreamId id) override;
  void on_stream_reset(Connection& connection, StreamId id, AppErrorCode code) override;
  void on_datagram(Connection& connection, ByteView data) override;
  bool on_message(Connection& connection, const Message& message) override;
  void on_messages_writable(Connection& connection, MessageClass) override;
  void on_closed(Connection& connection, const CloseInfo& info) override;

  std::uint64_t clients_served() const { return clients_served_; }
  // A client is gone, or was refused.
  std::function<void(const Account&)> on_client_gone;
  // What authorized_keys calls a key; "" if nothing.
  std::function<std::string(const PublicKey&)> name_of;
  // How its loop waits; clients are told, since the processor time of one that spins says nothing.
  Waiting waiting = Waiting::asleep;

 private:
  struct ServedClient {
    std::optional<StreamId> control;
    ControlReader reader;
    std::optional<Workload> workload;
    bool begun = false;
    std::vector<StreamId> early;  // with data that overtook the line which begins the test
    std::shared_ptr<Accounts::Client> client;
    std::optional<BulkMeter> meter;
    DatagramMeter datagrams;
    std::unique_ptr<BulkSender> sender;
    std::unique_ptr<MessageMeter> messages;
    HeldAnswers held;                                // to messages
    std::map<std::uint64_t, Timestamp> held_echoes;  // by stream: when the data that wait there came
    bool window_timed = false;                       // the timer for the end of receiving is set
    bool reported = false;
    std::uint64_t control_bytes = 0;  // sent
    std::uint64_t handshakes_before = 0;
    std::uint64_t answers = 0;  // to messages
    Duration held_time{};
    std::uint64_t echoed_bytes = 0;
    std::set<std::uint64_t> resuming;  // streams for which a timer is set
    bool resuming_messages = false;
    std::unordered_set<std::uint64_t> timers;  // cancelled when the client goes
    ProcessFigures figures_at_begin;
  };

  // server.cpp: what is agreed on
  void on_control(Connection& connection, ServedClient& client, StreamId id, ByteView data, bool fin);
  void on_line(Connection& connection, ServedClient& client, const std::string& line);
  void on_request(Connection& connection, ServedClient& client, const std::string& line);
  void begin(Connection& connection, ServedClient& client);
  void report(Connection& connection, ServedClient& client);
  static std::uint64_t answers_of(const ServedClient& client);
  Account account_of(const Connection& connection) const;
  void refuse(Connection& connection, AppCode code, std::string_view why);
  // A callback for a client after some time, unless it is gone by then.
  void after(Duration span, ServedClient& client, std::function<void()> callback);

  // server_traffic.cpp: what the test sends
  std::size_t on_bulk(Connection& connection, ServedClient& client, StreamId id, ByteView data);
  std::size_t echo(Connection& connection, ServedClient& client, StreamId id, ByteView data, bool fin);
  bool answer(Connection& connection, ServedClient& client, std::uint64_t id, ByteView payload, Timestamp came);
  void answer_held(Connection& connection, ServedClient& client);
  std::size_t pass(ServedClient& client, std::size_t bytes, RateGate::Piece piece);
  void resume_later(Connection& connection, ServedClient& client, StreamId id, Duration span);
  void resume_messages_later(Connection& connection, ServedClient& client);

  ServerLimits limits_;
  Patience patience_;
  EventLoop* loop_ = nullptr;
  HeldMemory held_memory_{.most = kReceiveMemory};  // outlives the clients, which share it
  std::map<Connection*, ServedClient> clients_;
  Accounts accounts_;
  std::uint64_t clients_served_ = 0;
};

}  // namespace mxp::perf
