// A client in one file: opens a stream, sends a line, prints what comes back.
//
//   example_client mxp://KEY@ADDRESS:PORT [TEXT]     the URL that example_echo_server prints
#include <chrono>
#include <cstdio>
#include <string>

#include "mxp/event_loop.h"
#include "mxp/url.h"

namespace {

class Client final : public mxp::Handler {
 public:
  Client(std::string text, mxp::EventLoop*& loop) : text_(std::move(text)), loop_(loop) {}
  bool ok() const { return answered_; }

  // The server has proven that it owns the key of the URL: from here on there is no doubt whom we talk to.
  void on_connected(mxp::Connection& connection) override {
    const auto stream = connection.open_stream(mxp::StreamType::bidirectional);
    if (!stream) return connection.close(1, "no stream allowed");
    // A line fits the stream's buffer. For more: write() says how much it took, and on_stream_writable when to go on.
    static_cast<void>(
        connection.write(*stream, mxp::ByteView(reinterpret_cast<const std::uint8_t*>(text_.data()), text_.size())));
    static_cast<void>(connection.finish(*stream));
  }
  std::size_t on_stream_data(mxp::Connection& connection, mxp::StreamId, mxp::ByteView data, bool fin) override {
    std::fwrite(data.data(), 1, data.size(), stdout);
    if (fin) {
      std::fputc('\n', stdout);
      answered_ = true;
      connection.close(0, "done");
    }
    return data.size();  // all of it taken
  }
  // The last word about every connection, whether it failed to begin or ended well.
  void on_closed(mxp::Connection&, const mxp::CloseInfo& info) override {
    if (!answered_)
      std::fprintf(stderr, "error: %s\n", info.reason.empty() ? "the connection ended early" : info.reason.c_str());
    loop_->stop_when_closed(std::chrono::seconds(2));  // the server may have to be told again
  }

 private:
  std::string text_;
  mxp::EventLoop*& loop_;
  bool answered_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  const auto url =
      argc > 1 ? mxp::parse_url(argv[1]) : std::unexpected(std::string("usage: example_client URL [TEXT]"));
  if (!url) {
    std::fprintf(stderr, "%s\n", url.error().c_str());
    return 2;
  }
  const std::string host = url->host.find(':') == std::string::npos ? url->host : "[" + url->host + "]";
  const auto server = mxp::SocketAddress::parse(host + ":" + std::to_string(url->port));
  if (!server || !url->key) {  // names are looked up by the application, with whatever resolver it likes
    std::fputs("the URL needs a key and a numeric address\n", stderr);
    return 2;
  }

  mxp::EventLoop* running = nullptr;
  Client client(argc > 2 ? argv[2] : "hello over MXP", running);
  mxp::SocketAddress any;  // all zero: any address, any port, of the server's family
  any.family = server->family;
  auto loop =
      mxp::EventLoop::create({.bind = any}, {.identity = mxp::PrivateKey::generate(mxp::system_random())}, client);
  if (!loop) {
    std::fprintf(stderr, "error: %s\n", loop.error().message.c_str());
    return 1;
  }
  running = loop->get();
  if (!running->endpoint().connect(running->now(), *server, *url->key)) {
    std::fputs("error: the key in the URL is not a valid public key\n", stderr);
    return 2;
  }
  const auto ended = running->run();  // until on_closed
  return ended && client.ok() ? 0 : 1;
}
