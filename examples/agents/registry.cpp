// Where agents find each other: a server around mxp::AgentRegistry. Workers send it AgentRegister and AgentHeartbeat,
// callers AgentDiscover, each as one message, and it answers each with one. It carries none of their calls: what it
// tells a caller is the worker's address and the key that the worker has proven, and with these the caller connects.
//
//   agents_registry [ADDRESS:PORT [SECONDS]]     prints its URL, then serves until Ctrl-C; an agent is forgotten when
//                                                it has been silent for so many seconds (90)
#include <charconv>
#include <chrono>
#include <csignal>

#include "agents.h"
#include "mxp/agent_registry.h"

namespace {

mxp::EventLoop* running = nullptr;
void on_interrupt(int) { running->stop(); }  // may be called from a signal handler

class Registry final : public mxp::Handler {
 public:
  explicit Registry(const mxp::AgentRegistryConfig& config) : registry_(config) {}

  // To be asked twice does no harm, so a request whose answer finds no room is left with the transport, and is told
  // again once there is room: a client that asks faster than it listens holds up only itself.
  bool on_message(mxp::Connection& connection, const mxp::Message& request) override {
    const auto answer = registry_.on_message(running->now(), connection.peer_key(), request);
    if (!answer) return true;  // a type that a registry does not know: nobody waits for an answer
    const auto sent = connection.send_message(*answer);
    tell_of_agents();
    return sent || sent.error() != mxp::SendMessageError::queue_full;
  }
  void on_messages_writable(mxp::Connection& connection, mxp::MessageClass) override { connection.resume_messages(); }

 private:
  void tell_of_agents() {
    if (registry_.size() != told_) {
      told_ = registry_.size();
      std::printf("%zu agents\n", told_);
      std::fflush(stdout);
    }
    // The registry never names an agent whose time has passed. The timer only frees its memory, and tells us.
    running->cancel(timer_);
    if (registry_.deadline() != mxp::kNever)
      timer_ = running->at(registry_.deadline(), [this] {
        registry_.on_timeout(running->now());
        tell_of_agents();
      });
  }

  mxp::AgentRegistry registry_;
  std::size_t told_ = 0;
  std::uint64_t timer_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const auto address = mxp::SocketAddress::parse(argc > 1 ? argv[1] : "127.0.0.1:9000");
  // Descriptions and answers are kept so small that none has to travel in parts.
  mxp::AgentRegistryConfig config{.max_agent_bytes = 1000, .max_answer_bytes = mxp::kMaxShortMessage};
  int seconds = 90;
  const std::string_view given = argc > 2 ? argv[2] : "90";
  const auto parsed = std::from_chars(given.data(), given.data() + given.size(), seconds);
  if (!address || parsed.ptr != given.data() + given.size() || seconds < 1 || seconds > 86'400) {
    std::fputs("usage: agents_registry [ADDRESS:PORT [SECONDS]]\n", stderr);
    return 2;
  }
  config.lifetime = std::chrono::seconds(seconds);

  const mxp::PrivateKey key = mxp::PrivateKey::generate(mxp::system_random());
  Registry registry(config);
  auto loop = mxp::EventLoop::create({.bind = *address}, {.identity = key, .accept = true}, registry);
  if (!loop) return agents::fail(loop.error().message);
  running = loop->get();
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);

  std::printf("mxp://%s@%s\n", key.public_key().to_string().c_str(), running->local_address().to_string().c_str());
  std::fflush(stdout);
  const auto ended = running->run();
  running->endpoint().close_all(0, "the registry stops");
  running->stop_when_closed(std::chrono::seconds(1));
  const auto left = running->run();  // until all have heard of it
  return ended && left ? 0 : 1;
}
