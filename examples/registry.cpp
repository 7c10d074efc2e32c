// A registry of agents in one file: a server that embeds mxp::AgentRegistry. A client opens a two-way stream for each
// message (AgentRegister, AgentHeartbeat or AgentDiscover, docs/protocol.md §1.3) and ends it; the answer comes back on
// the same stream.
//
//   example_registry [ADDRESS:PORT]     prints its URL, then serves until Ctrl-C
#include <csignal>
#include <cstdio>
#include <map>
#include <utility>
#include <vector>

#include "mxp/agent_registry.h"
#include "mxp/event_loop.h"

namespace {

mxp::EventLoop* running = nullptr;
void on_interrupt(int) { running->stop(); }  // may be called from a signal handler

class RegistryServer final : public mxp::Handler {
 public:
  // A message may come in pieces. It is kept until the client ends the stream; one that is too long to be meant for a
  // registry costs the client its stream.
  std::size_t on_stream_data(mxp::Connection& connection, mxp::StreamId id, mxp::ByteView data, bool fin) override {
    if (id.type() == mxp::StreamType::unidirectional) return data.size();  // nowhere to answer
    std::vector<std::uint8_t>& bytes = requests_[{&connection, id}];
    bytes.insert(bytes.end(), data.begin(), data.end());
    if (!fin && bytes.size() <= kMaxRequest) return data.size();
    const auto request = mxp::decode_message(bytes);
    if (request) answer(connection, id, *request);
    else static_cast<void>(connection.reset(id, 1));
    requests_.erase({&connection, id});
    return data.size();
  }
  void on_stream_reset(mxp::Connection& connection, mxp::StreamId id, mxp::AppErrorCode) override {
    requests_.erase({&connection, id});
  }
  void on_closed(mxp::Connection& connection, const mxp::CloseInfo&) override {
    std::erase_if(requests_, [&](const auto& request) { return request.first.first == &connection; });
  }

 private:
  static constexpr std::size_t kMaxRequest = 4096;

  // The key that was proven in the handshake is who the agent belongs to.
  void answer(mxp::Connection& connection, mxp::StreamId id, const mxp::Message& request) {
    const auto reply = registry_.on_message(running->now(), connection.peer_key(), request);
    if (!reply) return static_cast<void>(connection.reset(id, 2));  // a message of another type
    std::vector<std::uint8_t> bytes(mxp::encoded_size(*reply));
    static_cast<void>(mxp::encode_message(*reply, bytes));
    static_cast<void>(connection.write(id, bytes));  // at most 16 KiB and a header: the stream's buffer takes it
    static_cast<void>(connection.finish(id));
  }

  mxp::AgentRegistry registry_;
  std::map<std::pair<mxp::Connection*, mxp::StreamId>, std::vector<std::uint8_t>> requests_;
};

}  // namespace

int main(int argc, char** argv) {
  const auto address = mxp::SocketAddress::parse(argc > 1 ? argv[1] : "127.0.0.1:9000");
  if (!address) {
    std::fputs("usage: example_registry [ADDRESS:PORT], e.g. 127.0.0.1:9000 or [::1]:9000\n", stderr);
    return 2;
  }
  const mxp::PrivateKey key = mxp::PrivateKey::generate(mxp::system_random());
  RegistryServer server;
  auto loop = mxp::EventLoop::create({.bind = *address}, {.identity = key, .accept = true}, server);
  if (!loop) {
    std::fprintf(stderr, "error: %s\n", loop.error().message.c_str());
    return 1;
  }
  running = loop->get();
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);

  std::printf("mxp://%s@%s\n", key.public_key().to_string().c_str(), (*loop)->local_address().to_string().c_str());
  std::fflush(stdout);
  return (*loop)->run() ? 0 : 1;
}
