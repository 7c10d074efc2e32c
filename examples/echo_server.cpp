// A server in one file: sends back whatever a client sends on a stream, and ends the stream when the client does.
//
//   example_echo_server [ADDRESS:PORT]     prints its URL, then serves until Ctrl-C
//
// The key is made anew at each start, which is fine for an example: keep the text of PrivateKey::to_pem() in a file of
// mode 0600 (or use `mxp-cat keygen`) for a server whose clients are to recognise it.
#include <chrono>
#include <csignal>
#include <cstdio>

#include "mxp/event_loop.h"

namespace {

mxp::EventLoop* running = nullptr;
void on_interrupt(int) { running->stop(); }  // may be called from a signal handler

class Echo final : public mxp::Handler {
 public:
  // `data` lies in the receive buffer and is gone after the call. write() takes what fits; by returning how much that
  // was we leave the rest in the stream, where it counts against the client's window: a client that does not read its
  // echo is slowed down, and we never hold more than the buffers of the transport.
  std::size_t on_stream_data(mxp::Connection& connection, mxp::StreamId id, mxp::ByteView data, bool fin) override {
    if (id.type() == mxp::StreamType::unidirectional) return data.size();  // nowhere to answer: read and forget
    const auto written = connection.write(id, data);
    if (!written) return data.size();  // our side was reset: what comes is of no use any more
    if (fin && *written == data.size()) static_cast<void>(connection.finish(id));
    return *written;
  }
  // There is room again: ask for what we did not take.
  void on_stream_writable(mxp::Connection& connection, mxp::StreamId id) override {
    static_cast<void>(connection.resume(id));
  }
  void on_closed(mxp::Connection& connection, const mxp::CloseInfo& info) override {
    std::printf("%s left: %s\n", connection.remote_address().to_string().c_str(),
                info.reason.empty() ? "no reason given" : info.reason.c_str());
  }
};

}  // namespace

int main(int argc, char** argv) {
  const auto address = mxp::SocketAddress::parse(argc > 1 ? argv[1] : "127.0.0.1:9000");
  if (!address) {
    std::fputs("usage: example_echo_server [ADDRESS:PORT], e.g. 127.0.0.1:9000 or [::1]:9000\n", stderr);
    return 2;
  }
  const mxp::PrivateKey key = mxp::PrivateKey::generate(mxp::system_random());
  Echo echo;
  auto loop = mxp::EventLoop::create({.bind = *address}, {.identity = key, .accept = true}, echo);
  if (!loop) {
    std::fprintf(stderr, "error: %s\n", loop.error().message.c_str());
    return 1;
  }
  running = loop->get();
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);

  std::printf("mxp://%s@%s\n", key.public_key().to_string().c_str(), (*loop)->local_address().to_string().c_str());
  std::fflush(stdout);
  const auto ended = (*loop)->run();
  (*loop)->endpoint().close_all(0, "the server stops");
  (*loop)->stop_when_closed(std::chrono::seconds(1));
  const auto left = (*loop)->run();  // until all have heard of it
  return ended && left ? 0 : 1;
}
