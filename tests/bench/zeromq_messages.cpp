// What ZeroMQ with CURVE encryption does where mxp-perf --test messages is measured: 64-byte messages one way over
// loopback, from one process to another, as many as go. Not part of the tests: scripts/bench.sh runs it where it was
// built (-DMXP_BENCHMARKS=ON and libzmq).
//
// Usage: zeromq_messages SECONDS SIZE plain|curve          prints messages per second, as the receiver counted them
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Keys {
  std::array<char, 41> open{}, secret{};
};

void check(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "zeromq_messages: %s: %s\n", what, zmq_strerror(zmq_errno()));
  std::exit(1);
}

void* make_socket(void* context, int type) {
  void* socket = zmq_socket(context, type);
  check(socket != nullptr, "socket");
  // Enough under way that neither end waits for the other.
  const int mark = 100'000;
  zmq_setsockopt(socket, type == ZMQ_PUSH ? ZMQ_SNDHWM : ZMQ_RCVHWM, &mark, sizeof mark);
  const int linger = 0;
  zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
  return socket;
}

// In the child: sends until it is killed.
[[noreturn]] void send(const std::string& address, std::size_t size, const Keys* server) {
  void* socket = make_socket(zmq_ctx_new(), ZMQ_PUSH);
  Keys own;
  if (server != nullptr) {
    check(zmq_curve_keypair(own.open.data(), own.secret.data()) == 0, "keypair");
    zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server->open.data(), server->open.size());
    zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, own.open.data(), own.open.size());
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, own.secret.data(), own.secret.size());
  }
  check(zmq_connect(socket, address.c_str()) == 0, "connect");
  const std::vector<char> payload(size, 'x');
  for (;;) check(zmq_send(socket, payload.data(), payload.size(), 0) >= 0, "send");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: zeromq_messages SECONDS SIZE plain|curve\n");
    return 2;
  }
  const auto span = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::atof(argv[1])));
  const auto size = static_cast<std::size_t>(std::strtoul(argv[2], nullptr, 10));
  const bool curve = std::string_view(argv[3]) == "curve";
  Keys keys;
  if (curve) check(zmq_curve_keypair(keys.open.data(), keys.secret.data()) == 0, "keypair");

  // The child starts before this process has threads; it learns the address through a pipe.
  int said[2];
  if (pipe(said) != 0) return 1;
  const pid_t child = fork();
  if (child == 0) {
    std::array<char, 128> address{};
    if (read(said[0], address.data(), address.size() - 1) <= 0) _exit(1);
    send(address.data(), size, curve ? &keys : nullptr);
  }
  void* socket = make_socket(zmq_ctx_new(), ZMQ_PULL);
  if (curve) {
    const int server = 1;
    zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &server, sizeof server);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys.secret.data(), keys.secret.size());
  }
  check(zmq_bind(socket, "tcp://127.0.0.1:*") == 0, "bind");
  std::array<char, 128> address{};
  std::size_t length = address.size() - 1;
  check(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, address.data(), &length) == 0, "address");
  if (write(said[1], address.data(), std::strlen(address.data())) < 0) return 1;

  std::vector<char> payload(size);
  const auto receive = [&] { check(zmq_recv(socket, payload.data(), payload.size(), 0) >= 0, "receive"); };
  receive();  // the first one only starts the clock
  std::uint64_t count = 0;
  const auto start = Clock::now();
  auto now = start;
  for (; now - start < span; now = Clock::now())
    for (int i = 0; i != 256; ++i, ++count) receive();
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  std::printf("%.0f\n", static_cast<double>(count) / std::chrono::duration<double>(now - start).count());
}
