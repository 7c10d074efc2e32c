// A server that stops in order: it answers calls, each a second later, and when it is told to stop it answers those
// that it has before it goes.
//
//   example_graceful_server [ADDRESS:PORT]     prints its URL; Ctrl-C ends it in order, a second one at once
//
// example_calls is a client for it.
#include <csignal>
#include <cstdio>
#include <set>
#include <vector>

#include "mxp/event_loop.h"

namespace {

using namespace std::chrono_literals;

mxp::EventLoop* running = nullptr;
void on_interrupt(int) { running->stop(); }  // may be called from a signal handler

class Server final : public mxp::Handler {
 public:
  // From now on no connection begins anything new. run() returns when the last has ended.
  void stop() {
    stopping_ = true;
    const mxp::Timestamp now = running->now();
    for (mxp::Connection* connection : connections_) static_cast<void>(connection->drain(now + 30s));
    if (connections_.empty()) running->stop();
  }

  void on_connected(mxp::Connection& connection) override {
    connections_.insert(&connection);
    if (stopping_) connection.close(0, "the server stops");  // it has nothing to lose yet
  }
  // A call that is open, and its answer, is waited for without our doing.
  void on_call(mxp::Connection& connection, const mxp::IncomingCall& call) override {
    running->at(running->now() + 1s, [this, &connection, id = call.id, data = copy_of(call.data)] {
      if (connections_.contains(&connection)) static_cast<void>(connection.answer(id, data));
    });
  }
  void on_closed(mxp::Connection& connection, const mxp::CloseInfo& info) override {
    connections_.erase(&connection);
    const bool late = !info.application && info.transport_code() == mxp::TransportErrorCode::drain_deadline;
    std::printf("%s left: %s%s\n", connection.remote_address().to_string().c_str(), info.reason.c_str(),
                late ? ", and something may be lost" : "");
    // Not stop(): this is told in the last run() as well, which goes on until all have heard of it.
    if (stopping_ && connections_.empty()) running->stop_when_closed(1s);
  }

 private:
  static std::vector<std::uint8_t> copy_of(mxp::ByteView bytes) { return {bytes.begin(), bytes.end()}; }

  std::set<mxp::Connection*> connections_;
  bool stopping_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  const auto address = mxp::SocketAddress::parse(argc > 1 ? argv[1] : "127.0.0.1:9000");
  if (!address) {
    std::fputs("usage: example_graceful_server [ADDRESS:PORT], e.g. 127.0.0.1:9000 or [::1]:9000\n", stderr);
    return 2;
  }
  const mxp::PrivateKey key = mxp::PrivateKey::generate(mxp::system_random());
  Server server;
  mxp::EndpointConfig config{.identity = key, .accept = true};
  config.transport.calls.enabled = true;
  auto loop = mxp::EventLoop::create({.bind = *address}, std::move(config), server);
  if (!loop) {
    std::fprintf(stderr, "error: %s\n", loop.error().message.c_str());
    return 1;
  }
  running = loop->get();
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);

  std::printf("mxp://%s@%s\n", key.public_key().to_string().c_str(), running->local_address().to_string().c_str());
  std::fflush(stdout);
  if (!running->run()) return 1;
  server.stop();
  const auto ended = running->run();  // until the last has left, or until the second Ctrl-C
  running->endpoint().close_all(0, "the server stops");
  running->stop_when_closed(1s);
  const auto left = running->run();  // until all have heard of it
  return ended && left ? 0 : 1;
}
