// Back pressure, statistics and trace events in one client: uploads some megabytes on a one-way stream, as fast as the
// path takes them, while no more than the stream's send buffer is held in memory.
//
//   example_upload mxp://KEY@ADDRESS:PORT [MEGABYTES]     the URL that example_echo_server prints
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <variant>
#include <vector>

#include "mxp/event_loop.h"
#include "mxp/url.h"

namespace {

class Upload final : public mxp::Handler {
 public:
  Upload(std::uint64_t size, mxp::EventLoop*& loop) : size_(size), loop_(loop), chunk_(64 * 1024, 0x2a) {}
  bool ok() const { return acknowledged_; }

  void on_connected(mxp::Connection& connection) override {
    const auto stream = connection.open_stream(mxp::StreamType::unidirectional);
    if (!stream) return connection.close(1, "no stream allowed");
    pump(connection, *stream);
  }
  // A write came back short, and now there is room again.
  void on_stream_writable(mxp::Connection& connection, mxp::StreamId id) override { pump(connection, id); }
  // The peer lost interest; our side is reset already.
  void on_stop_sending(mxp::Connection& connection, mxp::StreamId, mxp::AppErrorCode) override {
    connection.close(2, "the server does not want it");
  }
  // Everything and the end of the stream has arrived: only now is it safe to close.
  void on_stream_finished(mxp::Connection& connection, mxp::StreamId) override {
    acknowledged_ = true;
    const mxp::ConnectionStats stats = connection.stats();
    std::printf("%llu bytes in %llu packets, %llu lost, round trip %.2f ms\n",
                static_cast<unsigned long long>(stats.stream_bytes_acknowledged),
                static_cast<unsigned long long>(stats.packets_sent),
                static_cast<unsigned long long>(stats.packets_lost),
                std::chrono::duration<double, std::milli>(stats.smoothed_rtt).count());
    connection.close(0, "done");
  }
  void on_closed(mxp::Connection&, const mxp::CloseInfo& info) override {
    if (!acknowledged_) explain(info);
    loop_->stop_when_closed(std::chrono::seconds(2));  // the server may have to be told again
  }

 private:
  // Writes until the stream takes no more. What a write did not take is ours to offer again.
  void pump(mxp::Connection& connection, mxp::StreamId id) {
    while (written_ < size_) {
      const std::size_t next = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_.size(), size_ - written_));
      const auto taken = connection.write(id, mxp::ByteView(chunk_).first(next));
      if (!taken) return;  // the stream or the connection has ended: a callback says so
      written_ += *taken;
      if (*taken < next) return;  // full: on_stream_writable goes on from here
    }
    static_cast<void>(connection.finish(id));
  }

  static void explain(const mxp::CloseInfo& info) {
    switch (info.by) {
      case mxp::CloseInfo::By::peer: std::fputs("closed by the server: ", stderr); break;
      case mxp::CloseInfo::By::timeout: std::fputs("gave up waiting: ", stderr); break;
      case mxp::CloseInfo::By::network: std::fputs("not reachable: ", stderr); break;
      case mxp::CloseInfo::By::local: std::fputs("closed here: ", stderr); break;
    }
    const std::string_view name = info.application ? "application code" : mxp::to_string(info.transport_code());
    std::fprintf(stderr, "%.*s %llu %s\n", static_cast<int>(name.size()), name.data(),
                 static_cast<unsigned long long>(info.code), info.reason.c_str());
  }

  std::uint64_t size_;
  std::uint64_t written_ = 0;
  mxp::EventLoop*& loop_;
  std::vector<std::uint8_t> chunk_;
  bool acknowledged_ = false;
};

// Hears of every fact as it happens. Keep it cheap: it runs in the packet path.
class BlockedTimes final : public mxp::TraceSink {
 public:
  void on(mxp::Timestamp, mxp::ConnectionId, const mxp::TraceEvent& event) override {
    const auto* blocked = std::get_if<mxp::TraceBlocked>(&event);
    if (blocked != nullptr && blocked->reason == mxp::BlockedBy::congestion) ++by_congestion;
  }
  std::uint64_t by_congestion = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const auto url =
      argc > 1 ? mxp::parse_url(argv[1]) : std::unexpected(std::string("usage: example_upload URL [MEGABYTES]"));
  if (!url) {
    std::fprintf(stderr, "%s\n", url.error().c_str());
    return 2;
  }
  const std::string host = url->host.find(':') == std::string::npos ? url->host : "[" + url->host + "]";
  const auto server = mxp::SocketAddress::parse(host + ":" + std::to_string(url->port));
  const unsigned long megabytes = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 16;
  if (!server || !url->key || megabytes == 0) {
    std::fputs("the URL needs a key and a numeric address, and there must be something to send\n", stderr);
    return 2;
  }

  mxp::EventLoop* running = nullptr;
  Upload upload(megabytes * 1'000'000, running);
  BlockedTimes blocked;
  mxp::EndpointConfig config{.identity = mxp::PrivateKey::generate(mxp::system_random())};
  config.transport.idle_timeout = std::chrono::seconds(10);
  config.transport.flow_control.stream_send_buffer = 1u << 20;  // what we are ready to hold for a slow path
  mxp::SocketAddress any;
  any.family = server->family;
  auto loop = mxp::EventLoop::create({.bind = any}, config, upload, &blocked);
  if (!loop) {
    std::fprintf(stderr, "error: %s\n", loop.error().message.c_str());
    return 1;
  }
  running = loop->get();
  if (!running->endpoint().connect(running->now(), *server, *url->key)) {
    std::fputs("error: the key in the URL is not a valid public key\n", stderr);
    return 2;
  }
  const auto ended = running->run();
  std::printf("blocked by the congestion window %llu times\n", static_cast<unsigned long long>(blocked.by_congestion));
  return ended && upload.ok() ? 0 : 1;
}
