// A server that is watched: each connection writes what it does to a folder (qlog), and one that fails shows what
// happened just before.
//
//   example_watched_server FOLDER [PORT]
#include <iostream>
#include <string>

#include "mxp/event_loop.h"
#include "mxp/qlog.h"
#include "mxp/recent_events.h"
#include "mxp/trace_fan_out.h"

namespace {

// Takes what comes, and says nothing.
class Sink final : public mxp::Handler {
 public:
  std::size_t on_stream_data(mxp::Connection&, mxp::StreamId, mxp::ByteView data, bool) override { return data.size(); }
};

int fail(const std::string& message) {
  std::cerr << "error: " << message << '\n';
  return 1;
}

int serve(const std::string& folder, std::uint16_t port) {
  auto qlog = mxp::QlogFolder::open({.folder = folder, .clock = mxp::system_trace_clock()});
  if (!qlog) return fail(qlog.error().message);
  mxp::RecentEvents recent;
  recent.on_failure = [&](mxp::ConnectionId id, const mxp::TraceClosed&) { std::cerr << recent.text(id); };
  mxp::TraceFanOut sinks;
  sinks.add(**qlog);
  sinks.add(recent);

  Sink application;
  mxp::EndpointConfig config{.identity = mxp::PrivateKey::generate(mxp::system_random()), .accept = true};
  auto loop = mxp::EventLoop::create({.bind = mxp::SocketAddress::ipv4(127, 0, 0, 1, port)}, std::move(config),
                                     application, &sinks);
  if (!loop) return fail(loop.error().message);
  std::cout << "mxp://" << (*loop)->endpoint().public_key().to_string() << '@' << (*loop)->local_address().to_string()
            << std::endl;
  const auto ended = (*loop)->run();  // the sinks outlive the loop
  return ended ? 0 : fail(ended.error().message);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return fail("usage: example_watched_server FOLDER [PORT]");
  return serve(argv[1], argc > 2 ? static_cast<std::uint16_t>(std::stoi(argv[2])) : 0);
}
