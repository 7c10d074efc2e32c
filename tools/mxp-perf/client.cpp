#include "mxp-perf/client.h"

#include <fmt/format.h>

#include "common/escape.h"
#include "common/units.h"
#include "mxp-perf/mtu_advice.h"

namespace mxp::perf {

using tools::ErrorKind;

namespace {

constexpr Duration kAnswerLimit =
    std::chrono::seconds(30);  // for the last data and the server's report, after sending ended

constexpr Duration kFirstDataCheck = std::chrono::milliseconds(100);

tools::ToolError describe(const CloseInfo& info, const SocketAddress& server) {
  if (info.by == CloseInfo::By::network)
    return {ErrorKind::network, fmt::format("{}: nobody listens there (port unreachable)", server.to_string())};
  if (info.before_established && info.by == CloseInfo::By::timeout)
    return {
        ErrorKind::timeout,
        fmt::format(
            "{}: no answer to the handshake; is the server running, the key in the URL its own, a cipher suite in common, "
            "and UDP let through?",
            server.to_string())};
  if (!info.application && info.by == CloseInfo::By::peer &&
      info.transport_code() == TransportErrorCode::not_authorized)
    return {ErrorKind::auth,
            fmt::format("{}: the server refused this client's key: {}", server.to_string(), info.reason)};
  if (info.by == CloseInfo::By::timeout)
    return {ErrorKind::network, fmt::format("{}: connection lost: {}", server.to_string(), info.reason)};
  if (info.application)
    return {ErrorKind::peer, fmt::format("{}: the server ended the test: {}", server.to_string(), info.reason)};
  return {ErrorKind::network,
          fmt::format("{}: {}: {}", server.to_string(), to_string(info.transport_code()), info.reason)};
}

}  // namespace

Outcome Client::run(const SocketAddress& server, const PublicKey& server_key, const PrivateKey& identity,
                    const tools::SignalWatch& signals) {
  EndpointConfig config{.identity = identity, .suites = options_.suites};
  config.transport.max_udp_payload = options_.udp_payload(server.family);
  config.transport.recovery.congestion_control = options_.congestion_control;
  config.transport.flow_control.max_streams_unidirectional = 2048;
  SocketAddress any;
  any.family = server.family;
  auto loop = EventLoop::create({.bind = any}, std::move(config), *this);
  if (!loop) return {.result = {}, .error = tools::ToolError{ErrorKind::network, loop.error().message}};
  loop_ = loop->get();
  if (auto started = start(server, server_key, signals); !started) return {.result = {}, .error = started.error()};
  if (auto ran = loop_->run(); !ran)
    return {.result = {}, .error = tools::ToolError{ErrorKind::network, ran.error().message}};
  return {.result = result_, .error = error_};
}

tools::Result<void> Client::start(const SocketAddress& server, const PublicKey& server_key,
                                  const tools::SignalWatch& signals) {
  loop_->watch(signals.fd(), FdEvent::readable, [this] { interrupt(); });
  meter_ = BulkMeter(workload_.omit);
  for (unsigned i = 0; i < workload_.connections; ++i) {
    auto connection = loop_->endpoint().connect(loop_->now(), server, server_key);
    if (!connection) return tools::fail(ErrorKind::usage, std::string(to_string(connection.error())));
    sessions_[*connection];
  }
  return {};
}

void Client::fail(ErrorKind kind, std::string message) {
  if (!error_ && !result_) error_ = tools::ToolError{kind, std::move(message)};
  loop_->stop();
}

void Client::interrupt() {
  if (error_ || result_) return;
  if (begun_) {
    result_ = make_partial_result();
    error_ = {ErrorKind::interrupted,
              stopping_ ? "interrupted before the server's report: the result is what this end saw"
                        : fmt::format("interrupted after {} of {}: the result is what was measured until then",
                                      tools::format_duration(loop_->now() - started_),
                                      tools::format_duration(workload_.duration))};
  } else {
    error_ = {ErrorKind::interrupted, "interrupted before the test began"};
  }
  loop_->endpoint().close_all(static_cast<AppErrorCode>(AppCode::interrupted), "interrupted");
  loop_->flush();
  loop_->stop();
}

void Client::on_connected(Connection& connection) {
  if (waiting_since_ == Timestamp{}) {
    waiting_since_ = loop_->now();
    if (may_be_too_large(workload_, options_.mtu))
      loop_->at(waiting_since_ + kFirstDataCheck, [this] { check_first_data(); });
  }
  Session& session = sessions_[&connection];
  const auto control = connection.open_stream(StreamType::bidirectional);
  if (!control) return fail(ErrorKind::peer, "the server allows no streams");
  session.control = *control;
  control_bytes_ += send_line(connection, session.control, request_of(workload_));
}

std::size_t Client::on_stream_data(Connection& connection, StreamId id, ByteView data, bool fin) {
  Session& session = sessions_[&connection];
  if (id == session.control) {
    if (!session.reader.add(data)) fail(ErrorKind::peer, "the server's answer is too long");
    while (const auto line = session.reader.poll_line()) on_line(connection, session, *line);
    return data.size();
  }
  heard_data_ = heard_data_ || !data.empty();
  if (caller_) {
    caller_->on_data(connection, id, data.size());
    if (stopping_) end_rr_when_idle();
    return data.size();
  }
  meter_.on_bytes(loop_->now(), data.size());
  if (fin) {
    ++session.incoming_ended;
    finish_when_done();
  }
  return data.size();
}

void Client::on_line(Connection&, Session& session, const std::string& line) {
  if (!session.ready) {
    if (line != R"({"ready":true})")
      return fail(ErrorKind::peer, "the server's answer is not understood: " + tools::escape(line));
    session.ready = true;
    return begin_when_all_ready();
  }
  session.report = parse_report(line);
  if (!session.report) return fail(ErrorKind::peer, "the server's report is not understood: " + tools::escape(line));
  finish_when_done();
}

void Client::begin_when_all_ready() {
  for (const auto& [connection, session] : sessions_)
    if (!session.ready) return;
  begun_ = true;
  started_ = waiting_since_ = loop_->now();
  cpu_at_start_ = cpu_seconds();
  if (options_.interval > Duration::zero()) loop_->at(started_ + options_.interval, [this] { tell_progress(); });
  loop_->at(started_ + workload_.duration, [this] { stop_sending(); });
  if (workload_.test == Test::bulk) begin_bulk();
  else begin_rr();
}

std::optional<Flow> Client::stuck_way() const {
  if (workload_.test == Test::rr) return begun_ && !heard_data_ ? std::optional(Flow::both) : std::nullopt;
  // The server's "ready" shares a packet with the first of its data: they may be lost together.
  if (workload_.flow != Flow::up && !heard_data_) return Flow::down;
  if (workload_.flow != Flow::down && begun_ && acknowledged() <= control_bytes_) return Flow::up;
  return std::nullopt;
}

void Client::check_first_data() {
  const auto stuck = stuck_way();
  if (!stuck && begun_) return;
  const auto& [connection, session] = *sessions_.begin();
  const Duration after = loop_->now() - waiting_since_;
  const bool refused_here = workload_.flow != Flow::down && loop_->carrier_stats().dropped_too_big > 0;
  if (!stuck || (!refused_here && after < first_data_limit(connection->stats().smoothed_rtt))) {
    loop_->at(loop_->now() + kFirstDataCheck, [this] { check_first_data(); });
    return;
  }
  const std::string advice =
      mtu_advice({.stuck = *stuck, .mtu = options_.mtu, .refused_here = refused_here, .after = after});
  fail(ErrorKind::network, fmt::format("{}: {}", connection->remote_address().to_string(), advice));
  loop_->endpoint().close_all(static_cast<AppErrorCode>(AppCode::interrupted), "no data came through");
  loop_->flush();
}

void Client::begin_bulk() {
  if (workload_.flow == Flow::down) return;
  if (workload_.omit > Duration::zero())
    loop_->at(started_ + workload_.omit, [this] { begin_counting_acknowledged(); });
  else begin_counting_acknowledged();
  for (auto& [connection, session] : sessions_) {
    session.sender = std::make_unique<BulkSender>(*connection, workload_.streams);
    if (!session.sender->start()) return fail(ErrorKind::peer, "the server allows too few streams");
  }
}

void Client::begin_counting_acknowledged() {
  counting_since_ = loop_->now();
  acknowledged_before_ = acknowledged();
}

std::uint64_t Client::acknowledged() const {
  std::uint64_t total = 0;
  for (const auto& [connection, session] : sessions_) total += connection->stats().stream_bytes_acknowledged;
  return total;
}

void Client::begin_rr() {
  caller_ = std::make_unique<RrCaller>(workload_.size, [this] { return loop_->now(); });
  const bool closed_loop = workload_.calls_per_second == 0;
  for (auto& [connection, session] : sessions_) {
    for (unsigned i = 0; i < workload_.streams; ++i) {
      const auto id = connection->open_stream(StreamType::bidirectional);
      if (!id) return fail(ErrorKind::peer, "the server allows too few streams");
      caller_->add_stream(*connection, *id, closed_loop);
    }
  }
  if (workload_.omit > Duration::zero()) loop_->at(started_ + workload_.omit, [this] { caller_->begin_measuring(); });
  else caller_->begin_measuring();
  if (!closed_loop) {
    next_call_ = started_;
    schedule_next_call();
  }
}

void Client::schedule_next_call() {
  if (stopping_) return;
  const auto interval =
      std::chrono::duration_cast<Duration>(std::chrono::duration<double>(1.0 / workload_.calls_per_second));
  // All that have come due since the last turn, each with its own time.
  for (const Timestamp now = loop_->now(); next_call_ <= now; next_call_ += interval) caller_->call_due(next_call_);
  loop_->at(next_call_, [this] { schedule_next_call(); });
}

void Client::stop_sending() {
  stopping_ = true;
  ended_ = loop_->now();
  loop_->at(ended_ + kAnswerLimit,
            [this] { fail(ErrorKind::timeout, "the server did not report within 30 s of the end of the test"); });
  if (caller_) {
    caller_->stop();
    return end_rr_when_idle();
  }
  for (auto& [connection, session] : sessions_)
    if (session.sender) session.sender->stop();
}

void Client::end_rr_when_idle() {
  if (!caller_->idle()) return;
  for (auto& [connection, session] : sessions_) send_line(*connection, session.control, {{"end", true}});
}

bool Client::complete(const Session& session) const {
  if (!session.report) return false;
  return workload_.test == Test::rr || workload_.flow == Flow::up || session.incoming_ended >= workload_.streams;
}

void Client::finish_when_done() {
  for (const auto& [connection, session] : sessions_)
    if (!complete(session)) return;
  result_ = make_result();
  loop_->endpoint().close_all(static_cast<AppErrorCode>(AppCode::done), "done");
  loop_->flush();
  loop_->stop();
}

// What both kinds of result begin with.
Result Client::facts() const {
  Result result;
  result.test = to_string(workload_.test);
  result.datagram_bytes = options_.udp_payload(sessions_.begin()->first->remote_address().family);
  result.connections = workload_.connections;
  result.streams = workload_.streams;
  result.suite = to_string(sessions_.begin()->first->suite());
  result.transport = sessions_.begin()->first->stats();
  result.wall_seconds = std::chrono::duration<double>(loop_->now() - started_).count();
  result.client_cpu_seconds = cpu_seconds() - cpu_at_start_;
  return result;
}

void Client::add_calls(Result& result, Timestamp end) const {
  const LatencyHistogram& latency = caller_->latency();
  result.seconds = std::max(0.0, std::chrono::duration<double>(end - started_ - workload_.omit).count());
  result.bytes = latency.count() * workload_.size;
  if (result.seconds > 0) result.messages_per_second = static_cast<double>(latency.count()) / result.seconds;
  if (latency.count() == 0) return;
  result.latency_us = latency.percentiles();
  result.service_time_us = caller_->service_time().percentiles();
}

Result Client::make_partial_result() const {
  Result result = facts();
  const Timestamp now = loop_->now();
  if (caller_) {
    add_calls(result, stopping_ ? ended_ : now);
    return result;
  }
  result.bytes = meter_.bytes();
  result.seconds = std::chrono::duration<double>(meter_.last() - meter_.first()).count();
  if (counting_since_) {
    result.bytes += acknowledged() - acknowledged_before_;
    result.seconds = std::max(result.seconds, std::chrono::duration<double>(now - *counting_since_).count());
  }
  if (result.seconds > 0) result.goodput_bits_per_second = static_cast<double>(result.bytes) * 8 / result.seconds;
  return result;  // who limited it stays open: that takes the server's processor time
}

Result Client::make_result() const {
  Result result = facts();
  double server_cpu = 0;
  std::int64_t first = INT64_MAX, last = 0;
  for (const auto& [connection, session] : sessions_) {
    // The server's processor time is that of its whole process: the longest of the reports covers the others.
    server_cpu = std::max(server_cpu, session.report->cpu_seconds);
    if (session.report->bytes == 0 || caller_) continue;
    result.bytes += session.report->bytes;
    first = std::min(first, session.report->first_ns);
    last = std::max(last, session.report->last_ns);
  }
  result.server_cpu_seconds = server_cpu;
  if (caller_) {
    add_calls(result, ended_);
    return result;
  }
  // Bytes delivered at the receivers over first to last delivered byte. Both ways: the sum over the longer of the two
  // spans.
  double seconds = last > first ? static_cast<double>(last - first) * 1e-9 : 0;
  result.bytes += meter_.bytes();
  seconds = std::max(seconds, std::chrono::duration<double>(meter_.last() - meter_.first()).count());
  result.seconds = seconds;
  if (seconds > 0) result.goodput_bits_per_second = static_cast<double>(result.bytes) * 8 / seconds;
  result.verdict = judge(result);
  return result;
}

void Client::tell_progress() {
  if (stopping_) return;
  const std::uint64_t total = caller_ ? caller_->latency().count() : meter_.bytes() + acknowledged();
  const double seconds = std::chrono::duration<double>(options_.interval).count();
  const auto delta = static_cast<double>(total - progress_bytes_);
  progress_bytes_ = total;
  const std::string at = fmt::format("{:7.2f} s", std::chrono::duration<double>(loop_->now() - started_).count());
  output_.summary(caller_ ? fmt::format("{}  {:.0f} calls/s", at, delta / seconds)
                          : fmt::format("{}  {}", at, tools::format_bit_rate(delta * 8 / seconds)));
  loop_->at(loop_->now() + options_.interval, [this] { tell_progress(); });
}

void Client::on_stream_writable(Connection& connection, StreamId id) {
  Session& session = sessions_[&connection];
  if (session.sender) session.sender->on_writable(id);
  else if (caller_) caller_->on_writable(connection, id);
}

void Client::on_stream_finished(Connection& connection, StreamId id) {
  Session& session = sessions_[&connection];
  if (session.sender) session.sender->on_finished(id);
}

void Client::on_closed(Connection& connection, const CloseInfo& info) {
  if (!result_ && !error_) {
    const tools::ToolError error = describe(info, connection.remote_address());
    fail(error.kind, error.message);
  }
}

}  // namespace mxp::perf
