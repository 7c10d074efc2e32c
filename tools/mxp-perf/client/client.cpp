#include "mxp-perf/client/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/resolve.h"
#include "common/units.h"
#include "mxp-perf/client/client_errors.h"
#include "mxp-perf/client/client_limits.h"
#include "mxp-perf/memory.h"
#include "mxp-perf/verdict/verdict.h"
#include "mxp-perf/workloads/bulk_test.h"
#include "mxp-perf/workloads/connect_test.h"
#include "mxp-perf/workloads/datagram_test.h"
#include "mxp-perf/workloads/isolation_test.h"
#include "mxp-perf/workloads/messages_test.h"
#include "mxp-perf/workloads/rr_test.h"
#include "mxp-perf/workloads/streams_test.h"

namespace mxp::perf {

using tools::ErrorKind;

Client::Client(const Options& options, tools::Output& output, std::vector<pid_t> partners)
    : options_(options),
      workload_(options.workload),
      output_(output),
      partners_(std::move(partners)),
      intervals_([this](const IntervalRate& rate) {
        if (options_.interval > Duration::zero())
          output_.summary(fmt::format("{:7.2f} s  {}", rate.end_seconds, test_->describe_rate(rate.per_second)));
        on_interval(rate);
      }) {}

ClientResult Client::run(std::vector<SocketAddress> addresses, const PublicKey& server_key, const PrivateKey& identity,
                         const tools::SignalWatch& signals, tools::Observation& observation) {
  const SocketAddress local = tools::local_address_for(addresses);
  EndpointConfig config{.identity = identity, .suites = options_.suites};
  udp_payload_ = options_.udp_payload(local.family);
  config.transport.max_udp_payload = udp_payload_;
  config.transport.recovery.congestion_control = options_.congestion_control;
  config.transport.flow_control = shared_flow_control(workload_.connections);
  config.transport.flow_control.max_streams_unidirectional = kMaxStreams;
  if (options_.start_at) config.transport.keepalive = kWaitingKeepalive;
  config.transport.datagrams.queue_bytes = datagram_share(workload_.connections);
  auto loop = EventLoop::create({.bind = local}, std::move(config), *this, &observation.sink());
  if (!loop) return {.result = {}, .error = tools::ToolError{ErrorKind::network, loop.error().message}};
  loop_ = loop->get();
  observation.attach(*loop_);
  server_key_ = &server_key;
  switch (workload_.test) {
    case Test::bulk: test_ = std::make_unique<BulkTest>(workload_, *loop_, loads_); break;
    case Test::rr: test_ = std::make_unique<RrTest>(workload_, *loop_, loads_); break;
    case Test::datagrams: test_ = std::make_unique<DatagramTest>(workload_, *loop_, loads_); break;
    case Test::mixed:
    case Test::messages: test_ = std::make_unique<MessagesTest>(workload_, *loop_, loads_); break;
    case Test::streams: test_ = std::make_unique<StreamsTest>(workload_, *loop_, loads_); break;
    case Test::connect: test_ = std::make_unique<ConnectTest>(workload_, *loop_, loads_, server_key); break;
    case Test::isolation: test_ = std::make_unique<IsolationTest>(workload_, *loop_, loads_); break;
  }
  loop_->watch(signals.fd(), FdEvent::readable, [this, fd = signals.fd()] {
    loop_->unwatch(fd);  // it stays readable
    interrupt();
  });
  tools::Dialer dialer(*loop_, std::move(addresses), server_key);
  dialer_ = &dialer;
  if (auto started = dialer.start(); !started) return {.result = {}, .error = started.error()};
  loop_->at(loop_->now() + kTick, [this] { tick(); });
  LoopRun running(*loop_, options_.waiting);
  running_ = &running;
  if (auto ran = running.run(); !ran)
    return {.result = {}, .error = tools::ToolError{ErrorKind::network, ran.error().message}};
  return outcome_;
}

void Client::connect_more() {
  while (phase_ == Phase::connecting && loads_.size() < workload_.connections &&
         loads_.size() - ready_ < kMaxHandshakes) {
    auto connection = loop_->endpoint().connect(loop_->now(), server_, *server_key_);
    if (!connection) return fail(ErrorKind::usage, std::string(to_string(connection.error())));
    loads_.try_emplace(*connection);
  }
}

// Whether `connection` belongs to the test: an answer from another address than that of the first one does not.
bool Client::take_answer(Connection& connection) {
  if (loads_.contains(&connection)) return true;
  if (!dialer_->on_connected(connection)) {
    connection.close(static_cast<AppErrorCode>(AppCode::done), "another address answered first");
    return false;
  }
  server_ = connection.remote_address();
  loads_.try_emplace(&connection);
  loop_->at(loop_->now(), [this] { connect_more(); });  // later, because this is a callback of a connection
  return true;
}

void Client::on_connected(Connection& connection) {
  if (test_->on_connected(connection)) {
    if (phase_ == Phase::ending) finish_when_done();
    return;
  }
  if (phase_ == Phase::over || !take_answer(connection)) return;
  ClientLoad& load = loads_[&connection];
  const auto control = connection.open_stream(StreamType::bidirectional);
  if (!control) return fail(ErrorKind::peer, "the server allows no streams; is it `mxp-perf server`?");
  load.control = *control;
  load.asked = loop_->now();
  Workload asked = workload_;
  if (options_.start_at)
    asked.wait =
        std::clamp<Duration>(seconds_as_duration(*options_.start_at - unix_seconds()), Duration::zero(), kMaxDuration);
  send_control(connection, load, request_of(asked));
}

std::size_t Client::on_stream_data(Connection& connection, StreamId id, ByteView data, bool fin) {
  if (phase_ == Phase::over) return data.size();
  ClientLoad& load = loads_[&connection];
  if (id == load.control) {
    on_control(connection, load, data, fin);
  } else if (phase_ != Phase::connecting) {
    test_->on_data(connection, id, data.size(), fin);
    if (phase_ == Phase::ending) finish_when_done();
  }
  return data.size();
}

void Client::begin() {
  phase_ = Phase::running;
  begun_at_ = std::chrono::system_clock::now();  // at once: how late it is counts
  figures_at_begin_ = ProcessFigures::now(*loop_);
  machine_at_begin_ = MachineReading::now(partners_);
  for (auto& [connection, load] : loads_) send_control(*connection, load, to_json(Mark::begin));
  begun_ = loop_->now();  // after what takes its time, which would make the first calls late
  if (auto begun = test_->begin(begun_); !begun) return fail(ErrorKind::peer, begun.error());
  intervals_.begin(begun_);
  if (workload_.test == Test::rr) loop_->at(begun_ + workload_.omit, [this] { ask_for_clock(); });
  loop_->at(begun_ + interval(), [this] { tell_interval(); });
  loop_->at(begun_ + workload_.duration, [this] { end(); });
}

void Client::end() {
  if (phase_ != Phase::running) return;
  phase_ = Phase::ending;
  test_->stop();
  intervals_.tell(loop_->now(), test_->progress());
  packets_at_end_ = packets_received();
  loop_->at(loop_->now() + kEndLimit, [this] { finish_without_reports(); });
  if (test_->settled()) ask_for_reports();
  else loop_->at(loop_->now() + kSettleLimit, [this] { ask_for_reports(); });  // or a tick does so before
  finish_when_done();
}

void Client::ask_for_reports() {
  if (phase_ != Phase::ending || std::exchange(asked_for_reports_, true)) return;
  test_->on_reports_asked();
  for (auto& [connection, load] : loads_) send_control(*connection, load, to_json(Mark::end));
}

void Client::finish_when_done() {
  if (reported_ < loads_.size() || !test_->idle()) return;
  // A test that moved nothing has no result; finish_without_reports says so.
  if (test_->stuck()) return;
  ClientResult outcome{.result = measured(), .error = {}};
  if (const auto broken = test_->broken_promise()) outcome.error = tools::ToolError{ErrorKind::network, *broken};
  finish(std::move(outcome), AppCode::done, "done");
}

void Client::finish_without_reports() {
  if (phase_ == Phase::over) return;
  if (test_->stuck())
    return fail(ErrorKind::network,
                fmt::format("{}: the server answers, and {} in {}", server_.to_string(), test_->what_is_missing(),
                            tools::format_duration(loop_->now() - begun_)));
  if (packets_received() == packets_at_end_)
    return fail(ErrorKind::network,
                fmt::format("{}: the server fell silent: the result is what this end saw", server_.to_string()));
  if (reported_ < loads_.size())
    output_.note(
        fmt::format("the server's report did not come within {} of the end: bytes are counted by what it "
                    "acknowledged, and its processor time is not known",
                    tools::format_duration(kEndLimit)));
  finish({.result = measured(), .error = {}}, AppCode::done, "done");
}

void Client::finish(ClientResult outcome, AppCode code, std::string_view reason) {
  phase_ = Phase::over;
  test_->abandon();
  dialer_->stop();
  outcome_ = std::move(outcome);
  // Later, because this may be a callback of a connection.
  loop_->at(loop_->now(), [this, code, reason = std::string(reason)] {
    loop_->endpoint().close_all(static_cast<AppErrorCode>(code), reason);
    // A server that misses it keeps our place until the idle timeout.
    running_->stop_when_closed(kCloseLimit);
  });
}

void Client::fail(ErrorKind kind, std::string message) {
  if (phase_ == Phase::over) return;
  ClientResult outcome{.result = {}, .error = tools::ToolError{kind, std::move(message)}};
  // What was measured until now is worth having; what never began, or moved nothing, is no result.
  if (phase_ != Phase::connecting && (kind == ErrorKind::interrupted || !test_->stuck())) outcome.result = measured();
  finish(std::move(outcome), AppCode::interrupted,
         kind == ErrorKind::interrupted ? "interrupted" : "the client's test failed");
}

void Client::interrupt() {
  if (phase_ == Phase::connecting) return fail(ErrorKind::interrupted, "interrupted before the test began");
  if (phase_ == Phase::ending)
    return fail(ErrorKind::interrupted, "interrupted before the server's report: the result is what this end saw");
  fail(ErrorKind::interrupted,
       fmt::format("interrupted after {} of {}: the result is what was measured until then",
                   tools::format_duration(loop_->now() - begun_), tools::format_duration(workload_.duration)));
}

namespace {

// As far as the server's report has them.
ConnectionStats stats_of(const SenderReport& sender) {
  ConnectionStats stats;
  stats.packets_sent = sender.packets_sent;
  stats.packets_lost = sender.packets_lost;
  stats.stream_bytes_retransmitted = sender.bytes_retransmitted;
  stats.congestion_window = sender.congestion_window;
  stats.has_rtt = sender.smoothed_rtt > Duration::zero();
  stats.smoothed_rtt = sender.smoothed_rtt;
  stats.min_rtt = sender.min_rtt;
  stats.blocked_time = sender.blocked;
  return stats;
}

}  // namespace

OwnTimes Client::own_times(const Result& result) const {
  OwnTimes own{.wall_seconds = result.wall_seconds,
               .cpu_seconds = result.client->cpu_seconds,
               .client_waited_seconds = result.client->waited_seconds,
               .server_waited_seconds = {}};
  if (!result.server || !tools::is_loopback(server_)) return own;
  own.cpu_seconds += result.server->cpu_seconds;
  own.server_waited_seconds = result.server->waited_seconds;
  return own;
}

Result Client::measured() {
  Result result;
  result.test = workload_.test;
  result.datagram_bytes = udp_payload_;
  result.connections = workload_.connections;
  result.streams = workload_.uses_streams() ? workload_.streams : 0;
  result.suite = to_string(loads_.begin()->first->suite());
  for (const auto& [connection, load] : loads_) result.transport.add(connection->stats());
  result.started_at = begun_at_;
  result.intervals = intervals_.rates();
  result.wall_seconds = std::chrono::duration<double>(loop_->now() - begun_).count();
  result.client = ProcessFigures::now(*loop_).since(figures_at_begin_);
  result.client->spins = options_.waiting == Waiting::spinning;
  // The server's processor time is that of its whole process: the longest of the reports covers the others.
  if (reported_ == loads_.size()) {
    for (const auto& [connection, load] : loads_) {
      const ServerReport& report = *load.report;
      if (!result.server || result.server->cpu_seconds < report.process.cpu_seconds) result.server = report.process;
      result.answers += report.answers;
      result.held_seconds += report.held_seconds;
      if (report.sender) result.server_transport.add(stats_of(*report.sender));
    }
  }
  test_->add_to(result);
  result.one_way = clock_.delays();
  if (result.one_way) {
    result.histograms.push_back({.name = "to_server", .counts = result.one_way->to_server});
    result.histograms.push_back({.name = "to_client", .counts = result.one_way->to_client});
  }
  result.asked_start = options_.start_at;
  result.environment = Environment::here(*loop_);
  result.noise = noise_between(machine_at_begin_, MachineReading::now(partners_), own_times(result));
  const bool is_run = options_.command == Command::run;
  const Judgement judgement = judge(
      result, {.server = is_run ? Setting::Server::ours : Setting::Server::a_peer,
               .between = is_run && options_.link.empty() ? Setting::Between::nothing : Setting::Between::a_network,
               .server_sends = workload_.test == Test::bulk && workload_.flow == LoadDirection::down});
  result.verdict = judgement.verdict;
  result.verdict_reason = judgement.reason;
  return result;
}

void Client::on_stream_writable(Connection& connection, StreamId id) {
  if (phase_ == Phase::running || phase_ == Phase::ending) test_->on_writable(connection, id);
}

void Client::on_streams_available(Connection& connection, StreamType) {
  if (phase_ == Phase::running) test_->on_streams_available(connection);
}

void Client::on_datagrams_writable(Connection& connection) {
  if (phase_ == Phase::running) test_->on_datagrams_writable(connection);
}

bool Client::on_message(Connection&, const Message& message) {
  if (phase_ != Phase::running && phase_ != Phase::ending) return true;
  test_->on_message(message);
  if (phase_ == Phase::ending) finish_when_done();
  return true;
}

void Client::on_messages_writable(Connection& connection, MessageClass traffic_class) {
  if (phase_ == Phase::running) test_->on_messages_writable(connection, traffic_class);
}

void Client::on_stream_reset(Connection& connection, StreamId id, AppErrorCode) {
  if (id == loads_[&connection].control && phase_ != Phase::over)
    fail(ErrorKind::peer,
         fmt::format("{}: the peer reset the control stream; is it `mxp-perf server`?", server_.to_string()));
}

void Client::on_closed(Connection& connection, const CloseInfo& info) {
  if (test_->on_closed(connection, info)) {
    if (phase_ == Phase::ending) finish_when_done();
    return;
  }
  const bool dialled = !loads_.contains(&connection);
  if (dialled && dialer_->on_failed(connection)) return;
  const tools::ToolError error = describe(info, dialled ? dialer_->tried() : connection.remote_address().to_string());
  fail(error.kind, error.message);
}

}  // namespace mxp::perf
