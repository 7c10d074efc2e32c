#include "mxp-perf/server.h"

#include <algorithm>
#include <utility>

#include "mxp-perf/memory.h"

namespace mxp::perf {

namespace {

// The time from the handshake to the request. A peer that sends none is no mxp-perf client.
constexpr Duration kRequestLimit = std::chrono::seconds(5);

constexpr std::string_view kNoRequest = "not a request that this mxp-perf serves";

bool has_messages(Test test) { return test == Test::messages || test == Test::mixed || test == Test::isolation; }

// Whether there was room for the answer; if not, the call is told again when there is.
bool answer(Connection& connection, const Message& call) {
  const auto sent = connection.send_message({.type = MessageType::response, .id = call.id, .payload = call.payload});
  return sent || sent.error() != SendMessageError::queue_full;
}

void refuse(Connection& connection, std::string_view why) {
  connection.close(static_cast<AppErrorCode>(AppCode::bad_request), why);
}

}  // namespace

void Server::on_connected(Connection& connection) {
  ServedClient& client = clients_[&connection];
  after(kRequestLimit, client, [this, &connection] {
    if (!clients_[&connection].workload) refuse(connection, "no request for a test came: this is mxp-perf server");
  });
}

void Server::after(Duration span, ServedClient& client, std::function<void()> callback) {
  client.timers.push_back(loop_->at(loop_->now() + span, std::move(callback)));
}

std::size_t Server::on_stream_data(Connection& connection, StreamId id, ByteView data, bool fin) {
  ServedClient& client = clients_[&connection];
  // The first two-way stream is the control stream.
  if (id.type() == StreamType::bidirectional && id.index() == 0) {
    on_control(connection, client, id, data, fin);
    return data.size();
  }
  if (!client.workload) {
    refuse(connection, "data before a request");
    return data.size();
  }
  if (!client.begun) {
    // The line that begins the test was overtaken on its way: streams are independent. Until it comes, the data stay
    // where they are, and count against the client's window.
    if (std::ranges::find(client.early, id) == client.early.end()) client.early.push_back(id);
    return 0;
  }
  if (client.workload->test == Test::rr) return echo(connection, id, data, fin);
  client.meter->on_bytes(loop_->now(), data.size());
  if (!client.window_timed && client.meter->closes()) {
    client.window_timed = true;
    // By our own clock, since the client's "end" may wait behind its data.
    after(*client.meter->closes() - loop_->now(), client,
          [this, &connection] { report(connection, clients_[&connection]); });
  }
  return data.size();
}

std::size_t Server::echo(Connection& connection, StreamId id, ByteView data, bool fin) {
  const auto written = connection.write(id, data);
  const std::size_t taken = written ? *written : data.size();
  if (fin && taken == data.size()) (void)connection.finish(id);
  return taken;
}

void Server::on_control(Connection& connection, ServedClient& client, StreamId id, ByteView data, bool fin) {
  client.control = id;
  if (!client.reader.add(data)) return refuse(connection, client.workload ? "control line too long" : kNoRequest);
  while (const auto line = client.reader.poll_line()) {
    on_line(connection, client, *line);
    if (connection.state() != ConnectionState::established) return;
  }
  if (fin && !client.workload) refuse(connection, kNoRequest);
}

void Server::on_line(Connection& connection, ServedClient& client, const std::string& line) {
  if (!client.workload) return on_request(connection, client, line);
  if (is_mark(line, Mark::begin) && !client.begun) return begin(connection, client);
  if (is_mark(line, Mark::end) && client.begun) return report(connection, client);
  refuse(connection, "a line that does not belong here");
}

void Server::on_request(Connection& connection, ServedClient& client, const std::string& line) {
  client.workload = parse_request(line);
  if (!client.workload) return refuse(connection, kNoRequest);
  ++clients_served_;
  send_line(connection, *client.control, to_json(Mark::ready));
}

void Server::begin(Connection& connection, ServedClient& client) {
  const Workload& workload = *client.workload;
  client.begun = true;
  client.meter.emplace(workload.omit, workload.duration);
  if (workload.test == Test::messages || workload.test == Test::mixed)
    client.messages = std::make_unique<MessageMeter>(workload.omit, workload.duration);
  connection.resume_messages();  // those that came before this line
  client.cpu_at_begin = cpu_seconds();
  for (const StreamId id : std::exchange(client.early, {})) (void)connection.resume(id);
  // The client may be wrong about its other connections, so those that are here count too.
  connection.set_send_buffer(send_share(std::max<std::size_t>(workload.connections, clients_.size())));
  if (workload.test != Test::bulk || workload.flow == LoadDirection::up) return;
  client.sender = std::make_unique<BulkSender>(connection);
  if (!client.sender->start(workload.streams)) return refuse(connection, "the client allows too few streams");
  after(workload.duration, client, [sender = client.sender.get()] { sender->stop(); });
}

void Server::report(Connection& connection, ServedClient& client) {
  if (client.reported) return;
  client.reported = true;
  if (client.sender)
    client.sender->abandon(
        static_cast<AppErrorCode>(AppCode::done));  // the backlog is not part of the test, and the report must pass it
  const BulkMeter& meter = client.messages ? client.messages->window() : *client.meter;
  ServerReport result;
  result.bytes = client.meter->bytes();
  result.first_ns = meter.first().time_since_epoch().count();
  result.last_ns = meter.last().time_since_epoch().count();
  if (client.messages) result.messages = client.messages->report();
  if (client.workload->test == Test::datagrams) {
    result.bytes = client.datagrams.bytes;
    result.first_ns = client.datagrams.first.time_since_epoch().count();
    result.last_ns = client.datagrams.last.time_since_epoch().count();
    result.datagrams = client.datagrams.received;
    result.overtaken = client.datagrams.overtaken;
  }
  result.cpu_seconds = cpu_seconds() - client.cpu_at_begin;
  send_line(connection, *client.control, to_json(result));
  (void)connection.finish(*client.control);
}

bool Server::on_message(Connection& connection, const Message& message) {
  ServedClient& client = clients_[&connection];
  if (!client.workload || !has_messages(client.workload->test)) {
    refuse(connection, "messages without a test for them");
    return true;
  }
  // One that came before the line that begins the test waits for it.
  if (!client.begun) return false;
  const bool is_answered = client.workload->test != Test::messages && message.type == MessageType::call;
  if (is_answered && !answer(connection, message)) return false;
  if (client.messages) client.messages->on_message(loop_->now(), message.payload);
  return true;
}

void Server::on_stream_writable(Connection& connection, StreamId id) {
  ServedClient& client = clients_[&connection];
  if (client.sender) return client.sender->on_writable(id);
  if (client.begun && client.workload->test == Test::rr) (void)connection.resume(id);
}

void Server::on_stream_reset(Connection& connection, StreamId, AppErrorCode) {
  // Data that never come cannot be measured, so the client is told why its test ends.
  refuse(connection, "a stream of the test was reset");
}

void Server::on_datagram(Connection& connection, ByteView data) {
  ServedClient& client = clients_[&connection];
  // Its "begin" may be overtaken.
  if (!client.workload || client.workload->test != Test::datagrams) return refuse(connection, "a datagram of no test");
  if (!client.datagrams.on_datagram(loop_->now(), data)) refuse(connection, "a datagram without a number");
}

void Server::on_closed(Connection& connection, const CloseInfo& info) {
  if (const auto found = clients_.find(&connection); found != clients_.end()) {
    for (const std::uint64_t timer : found->second.timers) loop_->cancel(timer);
    clients_.erase(found);
  }
  if (on_client_gone) on_client_gone(connection, info);
}

}  // namespace mxp::perf
