// Events in one file: a client sends a thousand of them, each of use for a while only, and a server counts what comes.
//
//   example_events                                   listens, and prints its URL
//   example_events mxp://KEY@ADDRESS:PORT            sends
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>

#include "mxp/event_loop.h"
#include "mxp/url.h"

namespace {

using namespace std::chrono_literals;

class Counter final : public mxp::Handler {
 public:
  bool on_message(mxp::Connection&, const mxp::Message& message) override {
    if (message.type == mxp::MessageType::event) ++events_;
    return true;  // taken; false would keep it, and hold up its class
  }
  void on_messages_expired(mxp::Connection&, std::uint64_t count) override { expired_ += count; }
  void on_closed(mxp::Connection&, const mxp::CloseInfo&) override {
    std::printf("%llu events, %llu came too late to be sent\n", events_, expired_);
    std::fflush(stdout);
    events_ = expired_ = 0;
  }

 private:
  unsigned long long events_ = 0, expired_ = 0;
};

class Sender final : public mxp::Handler {
 public:
  explicit Sender(mxp::EventLoop*& loop) : loop_(loop) {}

  void on_connected(mxp::Connection& connection) override { send(connection); }
  void on_messages_writable(mxp::Connection& connection, mxp::MessageClass) override { send(connection); }
  void on_message_outcome(mxp::Connection& connection, mxp::MessageTicket, mxp::MessageOutcome outcome) override {
    if (outcome == mxp::MessageOutcome::delivered) ++delivered_;
    if (++settled_ == kEvents) connection.close(0, "done");
  }
  void on_closed(mxp::Connection&, const mxp::CloseInfo&) override {
    std::printf("%u of %u events delivered\n", delivered_, kEvents);
    loop_->stop_when_closed(std::chrono::seconds(2));  // the server may have to be told again
  }

 private:
  static constexpr unsigned kEvents = 1000;

  void send(mxp::Connection& connection) {
    for (; sent_ != kEvents; ++sent_) {
      std::array<std::uint8_t, sizeof sent_> payload;
      std::memcpy(payload.data(), &sent_, payload.size());
      const mxp::Message event{.type = mxp::MessageType::event, .id = sent_, .payload = payload};
      const auto ticket = connection.send_message(event, {.expires_at = loop_->now() + 200ms, .report_outcome = true});
      if (!ticket) return;  // queue_full: on_messages_writable tells when to go on
    }
  }

  mxp::EventLoop*& loop_;
  unsigned sent_ = 0, settled_ = 0, delivered_ = 0;
};

int fail(const std::string& why) {
  std::fprintf(stderr, "error: %s\n", why.c_str());
  return 1;
}

int listen() {
  Counter counter;
  mxp::EndpointConfig config{.identity = mxp::PrivateKey::generate(mxp::system_random())};
  config.accept = true;
  auto loop = mxp::EventLoop::create({.bind = mxp::SocketAddress::ipv4(127, 0, 0, 1, 0)}, config, counter);
  if (!loop) return fail(loop.error().message);
  std::printf("mxp://%s@%s\n", config.identity.public_key().to_string().c_str(),
              (*loop)->local_address().to_string().c_str());
  std::fflush(stdout);
  return (*loop)->run() ? 0 : 1;
}

int send_to(const char* text) {
  const auto url = mxp::parse_url(text);
  if (!url) return fail(url.error());
  const auto server = mxp::SocketAddress::parse(url->host + ":" + std::to_string(url->port));
  if (!server || !url->key) return fail("the URL needs a key and a numeric address");
  mxp::EventLoop* running = nullptr;
  Sender sender(running);
  mxp::SocketAddress any;
  any.family = server->family;
  auto loop =
      mxp::EventLoop::create({.bind = any}, {.identity = mxp::PrivateKey::generate(mxp::system_random())}, sender);
  if (!loop) return fail(loop.error().message);
  running = loop->get();
  if (!running->endpoint().connect(running->now(), *server, *url->key)) return fail("the key is not a valid one");
  return running->run() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) { return argc > 1 ? send_to(argv[1]) : listen(); }
