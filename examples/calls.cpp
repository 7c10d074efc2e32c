// Calls in one file: a client asks for words in capitals, and a server answers each a second after it came.
//
//   example_calls                                  listens, and prints its URL
//   example_calls mxp://KEY@ADDRESS:PORT WORD...   asks, with two seconds for each answer
#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <deque>
#include <string>
#include <string_view>

#include "mxp/event_loop.h"
#include "mxp/text.h"
#include "mxp/url.h"

namespace {

using namespace std::chrono_literals;

constexpr mxp::Uuid kCapitals = {1};  // what there is to call: the applications agree on it

mxp::ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
std::string as_text(mxp::ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

class Server final : public mxp::Handler {
 public:
  explicit Server(mxp::EventLoop*& loop) : loop_(loop) {}

  void on_call(mxp::Connection& connection, const mxp::IncomingCall& call) override {
    if (call.target != kCapitals) {
      static_cast<void>(connection.answer_error(call.id, mxp::ErrorReason::unknown_agent, "only capitals here"));
      return;
    }
    std::string text = as_text(call.data);  // the view ends with this function
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    open_.push_back({&connection, call.id, std::move(text)});
    loop_->at(loop_->now() + 1s, [this] { answer_oldest(); });
  }
  void on_closed(mxp::Connection& connection, const mxp::CloseInfo&) override {
    for (Open& call : open_)
      if (call.connection == &connection) call.connection = nullptr;
  }

 private:
  struct Open {
    mxp::Connection* connection;
    mxp::IncomingCallId id;
    std::string answer;
  };
  void answer_oldest() {
    const Open call = std::move(open_.front());
    open_.pop_front();
    // unknown_call: the caller has given up meanwhile.
    if (call.connection != nullptr) static_cast<void>(call.connection->answer(call.id, as_bytes(call.answer)));
  }

  mxp::EventLoop*& loop_;
  std::deque<Open> open_;
};

class Client final : public mxp::Handler {
 public:
  Client(mxp::EventLoop*& loop, std::deque<std::string> words) : loop_(loop), words_(std::move(words)) {}

  void on_connected(mxp::Connection& connection) override {
    for (const std::string& word : words_) {
      const auto call = connection.call(kCapitals, as_bytes(word), {.timeout = 2s, .cookie = waiting_});
      if (call) ++waiting_;
      else std::printf("%s: %s\n", word.c_str(), std::string(to_string(call.error())).c_str());
    }
    if (waiting_ == 0) connection.close(0, "nothing to ask");
  }
  void on_answer(mxp::Connection& connection, const mxp::CallAnswer& answer) override {
    const std::string& word = words_[answer.cookie];
    if (answer.outcome == mxp::CallOutcome::answered)
      std::printf("%s: %s\n", word.c_str(), mxp::escape_text(as_text(answer.data)).c_str());
    else std::printf("%s: %s\n", word.c_str(), std::string(to_string(answer.outcome)).c_str());
    if (--waiting_ == 0) connection.close(0, "done");
  }
  void on_closed(mxp::Connection&, const mxp::CloseInfo&) override {
    loop_->stop_when_closed(std::chrono::seconds(2));  // the server may have to be told again
  }

 private:
  mxp::EventLoop*& loop_;
  std::deque<std::string> words_;
  std::uint64_t waiting_ = 0;
};

int fail(const std::string& why) {
  std::fprintf(stderr, "error: %s\n", why.c_str());
  return 1;
}

int listen() {
  mxp::EventLoop* running = nullptr;
  Server server(running);
  mxp::EndpointConfig config{.identity = mxp::PrivateKey::generate(mxp::system_random())};
  config.accept = true;
  config.transport.calls.enabled = true;
  auto loop = mxp::EventLoop::create({.bind = mxp::SocketAddress::ipv4(127, 0, 0, 1, 0)}, config, server);
  if (!loop) return fail(loop.error().message);
  running = loop->get();
  std::printf("mxp://%s@%s\n", config.identity.public_key().to_string().c_str(),
              (*loop)->local_address().to_string().c_str());
  std::fflush(stdout);
  return (*loop)->run() ? 0 : 1;
}

int ask(const char* url_text, std::deque<std::string> words) {
  const auto url = mxp::parse_url(url_text);
  if (!url) return fail(url.error());
  const auto address = mxp::SocketAddress::parse(url->host + ":" + std::to_string(url->port));
  if (!address || !url->key) return fail("the URL needs a key and a numeric address");
  mxp::EventLoop* running = nullptr;
  Client client(running, std::move(words));
  mxp::EndpointConfig config{.identity = mxp::PrivateKey::generate(mxp::system_random())};
  config.transport.calls.enabled = true;
  mxp::SocketAddress any;
  any.family = address->family;
  auto loop = mxp::EventLoop::create({.bind = any}, config, client);
  if (!loop) return fail(loop.error().message);
  running = loop->get();
  if (!running->endpoint().connect(running->now(), *address, *url->key)) return fail("the key is not a valid one");
  return running->run() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return argc == 1 ? listen() : ask(argv[1], std::deque<std::string>(argv + 2, argv + argc));
}
