#include "mxp-perf/server.h"

#include <algorithm>

namespace mxp::perf {

void Server::on_connected(Connection& connection) { sessions_.try_emplace(&connection); }

std::size_t Server::on_stream_data(Connection& connection, StreamId id, ByteView data, bool fin) {
  Session& session = sessions_[&connection];
  // The first two-way stream is the control stream.
  if (id.type() == StreamType::bidirectional && id.index() == 0) {
    on_control(connection, session, id, data);
    return data.size();
  }
  if (!session.workload) {
    connection.close(static_cast<AppErrorCode>(AppCode::bad_request), "data before a request");
    return data.size();
  }
  if (session.workload->test == Test::rr) return echo(connection, id, data, fin);
  session.meter.on_bytes(loop_->now(), data.size());
  if (fin) {
    ++session.incoming_ended;
    report_if_done(connection, session);
  }
  return data.size();
}

std::size_t Server::echo(Connection& connection, StreamId id, ByteView data, bool fin) {
  const auto written = connection.write(id, data);
  const std::size_t taken = written ? *written : data.size();
  if (fin && taken == data.size()) (void)connection.finish(id);
  return taken;
}

void Server::on_control(Connection& connection, Session& session, StreamId id, ByteView data) {
  session.control = id;
  if (!session.reader.add(data))
    return connection.close(static_cast<AppErrorCode>(AppCode::bad_request), "control line too long");
  while (const auto line = session.reader.poll_line()) {
    if (!session.workload) begin(connection, session, *line);
    else report(connection, session);
    if (connection.state() != ConnectionState::established) return;
  }
}

void Server::begin(Connection& connection, Session& session, const std::string& line) {
  session.workload = parse_request(line);
  if (!session.workload)
    return connection.close(static_cast<AppErrorCode>(AppCode::bad_request), "not a request that this mxp-perf serves");
  const Workload& workload = *session.workload;
  session.meter = BulkMeter(workload.omit);
  session.cpu_at_start = cpu_seconds();
  ++clients_served_;
  send_line(connection, *session.control, {{"ready", true}});
  if (workload.test == Test::bulk && workload.flow != Flow::up) {
    session.sender = std::make_unique<BulkSender>(connection, workload.streams);
    if (!session.sender->start())
      return connection.close(static_cast<AppErrorCode>(AppCode::bad_request), "the client allows too few streams");
    session.stop_timer = loop_->at(loop_->now() + workload.duration, [this, &connection] {
      sessions_[&connection].stop_timer = 0;
      sessions_[&connection].sender->stop();
    });
  }
}

void Server::report_if_done(Connection& connection, Session& session) {
  const Workload& workload = *session.workload;
  const bool received = workload.flow == Flow::down || session.incoming_ended >= workload.streams;
  const bool sent = workload.flow == Flow::up || (session.sender && session.sender->all_finished());
  if (received && sent) report(connection, session);
}

void Server::report(Connection& connection, Session& session) {
  if (session.reported) return;
  session.reported = true;
  ServerReport result;
  result.bytes = session.meter.bytes();
  result.first_ns = session.meter.first().time_since_epoch().count();
  result.last_ns = session.meter.last().time_since_epoch().count();
  result.cpu_seconds = cpu_seconds() - session.cpu_at_start;
  send_line(connection, *session.control, to_json(result));
  (void)connection.finish(*session.control);
}

void Server::on_stream_writable(Connection& connection, StreamId id) {
  Session& session = sessions_[&connection];
  if (session.sender && session.sender->owns(id)) return session.sender->on_writable(id);
  if (session.workload && session.workload->test == Test::rr) (void)connection.resume(id);
}

void Server::on_stream_finished(Connection& connection, StreamId id) {
  Session& session = sessions_[&connection];
  if (!session.sender) return;
  session.sender->on_finished(id);
  if (session.sender->all_finished()) report_if_done(connection, session);
}

void Server::on_stream_reset(Connection& connection, StreamId id, AppErrorCode) {
  // Data that never come cannot be measured: the client hears why its test ended.
  if (id.type() == StreamType::unidirectional)
    connection.close(static_cast<AppErrorCode>(AppCode::bad_request), "a stream of the test was reset");
}

void Server::on_closed(Connection& connection, const CloseInfo& info) {
  const auto found = sessions_.find(&connection);
  if (found != sessions_.end() && found->second.stop_timer != 0) loop_->cancel(found->second.stop_timer);
  sessions_.erase(&connection);
  if (on_client_gone) on_client_gone(connection, info);
}

}  // namespace mxp::perf
