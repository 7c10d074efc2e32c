// Embedding: MXP inside a loop that is not its own. Three calls are all there is to it:
//
//   fd()            one descriptor, readable when there is work: put it into poll, epoll, libuv, a GUI's main loop ...
//   next_timeout()  until when the loop may sleep at the longest (the descriptor wakes it then too; a loop without
//                   timers can wait for ever)
//   process(now)    the work; never blocks
//
// and flush() after calling verbs of a connection from outside, so that they do not wait for the next turn.
//
// This program runs a server and a client with two endpoints in one thread, under one poll(2), and lets the client ask
// once every 100 ms.
#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string>

#include "mxp/event_loop.h"

namespace {

using namespace std::chrono_literals;

// Answers each stream with its own bytes.
class Server final : public mxp::Handler {
  std::size_t on_stream_data(mxp::Connection& connection, mxp::StreamId id, mxp::ByteView data, bool fin) override {
    const std::size_t taken = connection.write(id, data).value_or(data.size());
    if (fin && taken == data.size()) static_cast<void>(connection.finish(id));
    return taken;
  }
  void on_stream_writable(mxp::Connection& connection, mxp::StreamId id) override {
    static_cast<void>(connection.resume(id));
  }
};

class Client final : public mxp::Handler {
 public:
  mxp::Connection* connection = nullptr;  // while it is established
  int answers = 0;
  bool closed = false;

 private:
  void on_connected(mxp::Connection& established) override { connection = &established; }
  std::size_t on_stream_data(mxp::Connection&, mxp::StreamId, mxp::ByteView data, bool fin) override {
    std::printf("%.*s", static_cast<int>(data.size()), reinterpret_cast<const char*>(data.data()));
    if (fin) ++answers;
    return data.size();
  }
  void on_closed(mxp::Connection&, const mxp::CloseInfo& info) override {
    connection = nullptr;
    closed = true;
    if (!info.reason.empty()) std::printf("closed: %s\n", info.reason.c_str());
  }
};

void ask(mxp::Connection& connection, int number) {
  const auto stream = connection.open_stream(mxp::StreamType::bidirectional);
  if (!stream) return;  // no credit now: the next tick tries again
  const std::string line = "question " + std::to_string(number) + "\n";
  static_cast<void>(
      connection.write(*stream, mxp::ByteView(reinterpret_cast<const std::uint8_t*>(line.data()), line.size())));
  static_cast<void>(connection.finish(*stream));
}

// poll(2) counts in milliseconds: rounded up, or the loop would turn without need just before each deadline.
int poll_timeout(mxp::Timestamp until, mxp::Timestamp now) {
  if (until == mxp::kNever) return -1;
  return static_cast<int>(std::max<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(until - now).count(), 0));
}

}  // namespace

int main() {
  const auto loopback = mxp::SocketAddress::ipv4(127, 0, 0, 1, 0);
  const auto server_key = mxp::PrivateKey::generate(mxp::system_random());
  Server server_handler;
  Client client_handler;
  auto server = mxp::EventLoop::create({.bind = loopback}, {.identity = server_key, .accept = true}, server_handler);
  auto client = mxp::EventLoop::create({.bind = loopback},
                                       {.identity = mxp::PrivateKey::generate(mxp::system_random())}, client_handler);
  if (!server || !client) {
    std::fprintf(stderr, "error: %s\n", (!server ? server : client).error().message.c_str());
    return 1;
  }
  if (!(*client)->endpoint().connect((*client)->now(), (*server)->local_address(), server_key.public_key())) return 1;
  (*client)->flush();

  int asked = 0;
  mxp::Timestamp next_question = (*client)->now();
  // A side that closes says so again until its peer has heard it, for eight probe timeouts at most. A program that ends
  // sooner may leave the peer to its idle timeout.
  while (!client_handler.closed || !(*client)->nothing_left_to_say()) {
    // Our own work, as any program has some.
    mxp::Timestamp now = (*client)->now();
    if (client_handler.connection != nullptr && now >= next_question) {
      if (client_handler.answers == 5) {
        client_handler.connection->close(0, "five answers are enough");
      } else {
        ask(*client_handler.connection, ++asked);
      }
      (*client)->flush();
      next_question = now + 100ms;
    }

    std::array<pollfd, 2> entries{{{(*server)->fd(), POLLIN, 0}, {(*client)->fd(), POLLIN, 0}}};
    mxp::Timestamp until = std::min((*server)->next_timeout(), (*client)->next_timeout());
    if (client_handler.connection != nullptr) until = std::min(until, next_question);
    ::poll(entries.data(), entries.size(), poll_timeout(until, now));

    // Cheap if there is nothing to do, so no need to look who woke us.
    now = (*client)->now();
    if (!(*server)->process(now) || !(*client)->process(now)) return 1;
  }
  return client_handler.answers == 5 ? 0 : 1;
}
