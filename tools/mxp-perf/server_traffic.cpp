// What a server does with the data of a test: counts them or answers them, at the rate and with the delay that the user
// set (ServerLimits). What may not pass yet is not taken, so that flow control holds the client.
#include <algorithm>
#include <utility>

#include "mxp-perf/server.h"

namespace mxp::perf {

namespace {

// Datagrams that an honest client sends at its rate may come at once after so much time in a queue.
constexpr Duration kDatagramBurst = std::chrono::seconds(2);

bool has_messages(Test test) { return test == Test::messages || test == Test::mixed || test == Test::isolation; }

}  // namespace

std::size_t Server::pass(ServedClient& client, std::size_t bytes, RateGate::Piece piece) {
  return client.client->gate ? client.client->gate->take(loop_->now(), bytes, piece) : bytes;
}

void Server::resume_later(Connection& connection, ServedClient& client, StreamId id, Duration span) {
  if (!client.resuming.insert(id.value()).second) return;
  after(span, client, [&connection, &client, id] {
    client.resuming.erase(id.value());
    (void)connection.resume(id);
  });
}

void Server::resume_messages_later(Connection& connection, ServedClient& client) {
  if (std::exchange(client.resuming_messages, true)) return;
  after(kGateTurn, client, [&connection, &client] {
    client.resuming_messages = false;
    connection.resume_messages();
  });
}

std::size_t Server::on_bulk(Connection& connection, ServedClient& client, StreamId id, ByteView data) {
  const std::size_t taken = pass(client, data.size(), RateGate::Piece::cut);
  if (taken < data.size()) resume_later(connection, client, id, kGateTurn);
  client.meter->on_bytes(loop_->now(), taken);
  if (!client.window_timed && client.meter->closes()) {
    client.window_timed = true;
    // By our own clock, since the client's "end" may wait behind its data.
    after(*client.meter->closes() - loop_->now(), client,
          [this, &connection] { report(connection, clients_[&connection]); });
  }
  return taken;
}

std::size_t Server::echo(Connection& connection, ServedClient& client, StreamId id, ByteView data, bool fin) {
  const Timestamp now = loop_->now();
  Timestamp came = now;
  if (limits_.answer_delay > Duration::zero() && !data.empty()) {
    const auto [held, first] = client.held_echoes.try_emplace(id.value(), now);
    const Duration left = held->second + limits_.answer_delay - now;
    if (left > Duration::zero()) {
      if (first) resume_later(connection, client, id, left);
      return 0;
    }
    came = held->second;
    client.held_echoes.erase(held);
  }
  const std::size_t passes = pass(client, data.size(), RateGate::Piece::cut);
  if (passes < data.size()) resume_later(connection, client, id, kGateTurn);
  const auto written = connection.write(id, data.first(passes));
  const std::size_t taken = written ? *written : data.size();
  if (written && taken < passes && client.client->gate) client.client->gate->give_back(passes - taken);
  client.meter->on_bytes(now, taken);
  client.echoed_bytes += taken;
  if (taken > 0) client.held_time += loop_->now() - came;
  if (fin && taken == data.size()) (void)connection.finish(id);
  return taken;
}

bool Server::answer(Connection& connection, ServedClient& client, std::uint64_t id, ByteView payload, Timestamp came) {
  // Whether there was room for the answer; if not, the call is told again when there is.
  const auto sent = connection.send_message({.type = MessageType::response, .id = id, .payload = payload});
  if (!sent && sent.error() == SendMessageError::queue_full) return false;
  ++client.answers;
  client.held_time += loop_->now() - came;
  return true;
}

void Server::answer_held(Connection& connection, ServedClient& client) {
  const Timestamp due = loop_->now() - limits_.answer_delay;
  while (!client.held.empty() && client.held.front().came <= due) {
    const HeldAnswer& held = client.held.front();
    if (!answer(connection, client, held.id, held.payload, held.came)) return;  // on_messages_writable goes on
    client.held.pop();
  }
  if (client.held.empty()) return;
  after(client.held.front().came - due, client, [this, &connection, &client] { answer_held(connection, client); });
}

bool Server::on_message(Connection& connection, const Message& message) {
  ServedClient& client = clients_[&connection];
  if (!client.workload || !client.client || !has_messages(client.workload->test)) {
    refuse(connection, AppCode::bad_request, "messages without a test for them");
    return true;
  }
  // One that came before the line that begins the test waits for it.
  if (!client.begun) return false;
  const std::size_t bytes = message.payload.size();
  const bool is_answered = client.workload->test != Test::messages && message.type == MessageType::call;
  const bool is_held = is_answered && limits_.answer_delay > Duration::zero();
  if (is_held && client.held.full(clients_.size())) {
    resume_messages_later(connection, client);
    return false;
  }
  if (pass(client, bytes, RateGate::Piece::whole) < bytes) {
    resume_messages_later(connection, client);
    return false;
  }
  const Timestamp now = loop_->now();
  if (is_held) {
    const bool first = client.held.empty();
    client.held.add(now, message.id, message.payload);
    if (first) after(limits_.answer_delay, client, [this, &connection, &client] { answer_held(connection, client); });
  } else if (is_answered && !answer(connection, client, message.id, message.payload, now)) {
    if (client.client->gate) client.client->gate->give_back(bytes);
    return false;
  }
  if (client.messages) client.messages->on_message(now, message.payload);
  client.client->account.received_bytes += bytes;
  return true;
}

void Server::on_messages_writable(Connection& connection, MessageClass) {
  ServedClient& client = clients_[&connection];
  if (!client.held.empty()) answer_held(connection, client);
  connection.resume_messages();
}

void Server::on_stream_writable(Connection& connection, StreamId id) {
  ServedClient& client = clients_[&connection];
  if (client.sender) return client.sender->on_writable(id);
  const bool echoes = client.begun && (client.workload->test == Test::rr || client.workload->test == Test::streams);
  if (echoes) (void)connection.resume(id);
}

void Server::on_datagram(Connection& connection, ByteView data) {
  ServedClient& client = clients_[&connection];
  // Its "begin" may be overtaken.
  if (!client.workload || !client.client || client.workload->test != Test::datagrams)
    return refuse(connection, AppCode::bad_request, "a datagram of no test");
  // Nothing holds datagrams back on their way, so who sends more than the rate is refused.
  if (client.client->gate && !client.client->gate->owe(loop_->now(), data.size(), kDatagramBurst))
    return refuse(connection, AppCode::too_much, "more datagrams than this server allows");
  if (!client.datagrams.on_datagram(loop_->now(), data))
    refuse(connection, AppCode::bad_request, "a datagram without a number");
}

}  // namespace mxp::perf
