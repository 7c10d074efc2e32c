#include "mxp-perf/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/counted.h"
#include "mxp-perf/clock/clock_probe.h"
#include "mxp-perf/memory.h"

namespace mxp::perf {

namespace {

// The time from the handshake to the request. A peer that sends none is no mxp-perf client.
constexpr Duration kRequestLimit = std::chrono::seconds(5);
// What each connection of a client adds to the time until it begins: they are made ready one after the other.
constexpr Duration kConnectionShare = std::chrono::milliseconds(100);
// Of a key, to tell clients apart.
constexpr std::size_t kKeyShown = 8;

constexpr std::string_view kNoRequest = "not a request that this mxp-perf serves";

SenderReport sender_report(const ConnectionStats& stats) {
  return {.packets_sent = stats.packets_sent,
          .packets_lost = stats.packets_lost,
          .bytes_retransmitted = stats.stream_bytes_retransmitted,
          .congestion_window = stats.congestion_window,
          .smoothed_rtt = stats.has_rtt ? stats.smoothed_rtt : Duration::zero(),
          .min_rtt = stats.has_rtt ? stats.min_rtt : Duration::zero(),
          .blocked = stats.blocked_time};
}

}  // namespace

void Server::refuse(Connection& connection, AppCode code, std::string_view why) {
  ServedClient& client = clients_[&connection];
  if (!client.client && on_client_gone) {  // there is no account yet that would tell it
    Account account = account_of(connection);
    if (client.workload) account.test = to_string(client.workload->test);
    account.refused = why;
    on_client_gone(account);
  }
  connection.close(static_cast<AppErrorCode>(code), why);
}

std::uint64_t Server::answers_of(const ServedClient& client) {
  return client.answers + (client.workload ? client.echoed_bytes / client.workload->size : 0);
}

Account Server::account_of(const Connection& connection) const {
  Account account;
  account.key = connection.peer_key().to_string().substr(0, kKeyShown);
  account.address = connection.remote_address().to_string();
  if (name_of) account.name = name_of(connection.peer_key());
  return account;
}

void Server::on_connected(Connection& connection) {
  ServedClient& client = clients_[&connection];
  client.held = HeldAnswers(&held_memory_);
  if (const auto connecting = accounts_.connecting(connection.peer_key())) ++connecting->account.handshakes;
  after(kRequestLimit, client, [this, &connection] {
    if (!clients_[&connection].workload)
      refuse(connection, AppCode::bad_request, "no request for a test came: this is mxp-perf server");
  });
}

void Server::after(Duration span, ServedClient& client, std::function<void()> callback) {
  const auto id = std::make_shared<std::uint64_t>();
  *id = loop_->at(loop_->now() + span, [&client, id, callback = std::move(callback)] {
    client.timers.erase(*id);
    callback();
  });
  client.timers.insert(*id);
}

std::size_t Server::on_stream_data(Connection& connection, StreamId id, ByteView data, bool fin) {
  ServedClient& client = clients_[&connection];
  // The first two-way stream is the control stream.
  if (id.type() == StreamType::bidirectional && id.index() == 0) {
    on_control(connection, client, id, data, fin);
    return data.size();
  }
  if (!client.workload) {
    refuse(connection, AppCode::bad_request, "data before a request");
    return data.size();
  }
  if (!client.begun) {
    // The line that begins the test was overtaken on its way: streams are independent. Until it comes, the data stay
    // where they are, and count against the client's window.
    if (std::ranges::find(client.early, id) == client.early.end()) client.early.push_back(id);
    return 0;
  }
  const Test test = client.workload->test;
  if (test == Test::rr || test == Test::streams) return echo(connection, client, id, data, fin);
  return on_bulk(connection, client, id, data);
}

void Server::on_control(Connection& connection, ServedClient& client, StreamId id, ByteView data, bool fin) {
  client.control = id;
  if (!client.reader.add(data))
    return refuse(connection, AppCode::bad_request, client.workload ? "control line too long" : kNoRequest);
  while (const auto line = client.reader.poll_line()) {
    on_line(connection, client, *line);
    if (connection.state() != ConnectionState::established) return;
  }
  if (fin && !client.workload) refuse(connection, AppCode::bad_request, kNoRequest);
}

void Server::on_line(Connection& connection, ServedClient& client, const std::string& line) {
  if (!client.workload) return on_request(connection, client, line);
  if (is_mark(line, Mark::begin) && !client.begun) return begin(connection, client);
  if (is_mark(line, Mark::end) && client.begun) return report(connection, client);
  if (const auto asked = parse_clock_question(line); asked && client.begun && !client.reported) {
    const std::int64_t now = loop_->now().time_since_epoch().count();
    client.control_bytes += send_line(connection, *client.control, clock_answer(*asked, now, now));
    return;
  }
  refuse(connection, AppCode::bad_request, "a line that does not belong here");
}

void Server::on_request(Connection& connection, ServedClient& client, const std::string& line) {
  client.workload = parse_request(line);
  if (!client.workload) return refuse(connection, AppCode::bad_request, kNoRequest);
  if (const auto why = why_beyond(limits_, *client.workload)) return refuse(connection, AppCode::too_much, *why);
  Account account = account_of(connection);
  account.test = to_string(client.workload->test);
  client.client = accounts_.open(connection.peer_key(), *client.workload, account, loop_->now(), limits_);
  if (!client.client)
    return refuse(connection, AppCode::busy,
                  fmt::format("the server serves {}, and not more at a time: try again later",
                              tools::counted(*limits_.max_clients, "client")));
  ++clients_served_;
  client.control_bytes += send_line(connection, *client.control, to_json(Mark::ready));
  const Workload& workload = *client.workload;
  after(patience_.begin + workload.wait + workload.connections * kConnectionShare, client,
        [this, &connection, &client] {
          if (!client.begun) refuse(connection, AppCode::too_much, "the test did not begin in time");
        });
}

void Server::begin(Connection& connection, ServedClient& client) {
  const Workload& workload = *client.workload;
  client.begun = true;
  after(workload.duration + patience_.end, client, [this, &connection] {
    refuse(connection, AppCode::too_much, "the time of the test is over, and the client goes on");
  });
  client.meter.emplace(workload.omit, workload.duration);
  if (workload.test == Test::messages || workload.test == Test::mixed)
    client.messages = std::make_unique<MessageMeter>(workload.omit, workload.duration);
  connection.resume_messages();  // those that came before this line
  client.figures_at_begin = ProcessFigures::now(*loop_);
  client.handshakes_before = client.client->account.handshakes;
  for (const StreamId id : std::exchange(client.early, {})) (void)connection.resume(id);
  // The client may be wrong about its other connections, so those that are here count too.
  connection.set_send_buffer(send_share(std::max<std::size_t>(workload.connections, clients_.size())));
  if (workload.test != Test::bulk || workload.flow == LoadDirection::up) return;
  client.sender = std::make_unique<BulkSender>(connection);
  if (client.client->gate)
    client.sender->limit(
        {.gate = *client.client->gate,
         .now = [this] { return loop_->now(); },
         .later = [this, &client](std::function<void()> go_on) { after(kGateTurn, client, std::move(go_on)); }});
  if (!client.sender->start(workload.streams))
    return refuse(connection, AppCode::bad_request, "the client allows too few streams");
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
  if (client.messages) {
    result.messages = client.messages->report();
    result.messages->kept = connection.stats().messages_kept;
  }
  if (client.workload->test == Test::datagrams) {
    result.bytes = client.datagrams.bytes;
    result.first_ns = client.datagrams.first.time_since_epoch().count();
    result.last_ns = client.datagrams.last.time_since_epoch().count();
    result.datagrams = client.datagrams.received;
    result.overtaken = client.datagrams.overtaken;
  }
  result.handshakes = client.client->account.handshakes - client.handshakes_before;
  result.answers = answers_of(client);
  result.held_seconds = std::chrono::duration<double>(client.held_time).count();
  result.process = ProcessFigures::now(*loop_).since(client.figures_at_begin);
  result.process.spins = waiting == Waiting::spinning;
  if (client.sender) result.sender = sender_report(connection.stats());
  client.control_bytes += send_line(connection, *client.control, to_json(result));
  (void)connection.finish(*client.control);
}

void Server::on_stream_reset(Connection& connection, StreamId, AppErrorCode) {
  // Data that never come cannot be measured, so the client is told why its test ends.
  refuse(connection, AppCode::bad_request, "a stream of the test was reset");
}

void Server::on_closed(Connection& connection, const CloseInfo& info) {
  const auto found = clients_.find(&connection);
  if (found == clients_.end()) return;
  const ServedClient& client = found->second;
  for (const std::uint64_t timer : client.timers) loop_->cancel(timer);
  if (client.client) {
    Account& account = client.client->account;
    const std::uint64_t sent = connection.stats().stream_bytes_acknowledged;
    account.sent_bytes += sent - std::min(sent, client.control_bytes);
    if (client.meter) account.received_bytes += client.meter->total();
    if (client.messages) account.messages += client.messages->window().total();
    account.datagrams += client.datagrams.received;
    account.received_bytes += client.datagrams.bytes;
    account.answers += answers_of(client);
    const auto gone = accounts_.close(client.client, loop_->now(), info.reason);
    if (gone && on_client_gone) on_client_gone(*gone);
  }
  clients_.erase(found);
}

}  // namespace mxp::perf
