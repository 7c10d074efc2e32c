#include "mxp-netem/api/bounded_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <string>
#include <utility>

namespace mxp::tools {
namespace {

// Set while the listening thread gets rid of a connection for which there is no room.
thread_local bool no_room = false;

// A connection's bytes until the deadline, after which it is as good as closed.
class DeadlineStream : public httplib::Stream {
 public:
  explicit DeadlineStream(socket_t fd) : fd_(fd) {}

  bool is_readable() const override { return await(POLLIN); }
  bool is_writable() const override { return await(POLLOUT); }

  // Some at a time: httplib reads the header byte by byte.
  ssize_t read(char* bytes, std::size_t size) override {
    if (begin_ == end_) {
      if (!await(POLLIN)) return -1;
      ssize_t got = 0;
      do {
        got = ::recv(fd_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      } while (got < 0 && errno == EINTR);
      if (got <= 0) return got;
      begin_ = 0;
      end_ = static_cast<std::size_t>(got);
    }
    const std::size_t part = std::min(size, end_ - begin_);
    std::copy_n(buffer_.data() + begin_, part, bytes);
    begin_ += part;
    return static_cast<ssize_t>(part);
  }
  ssize_t write(const char* bytes, std::size_t size) override {
    if (!await(POLLOUT)) return -1;
    return ::send(fd_, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const override { address(::getpeername, ip, port); }
  void get_local_ip_and_port(std::string& ip, int& port) const override { address(::getsockname, ip, port); }
  socket_t socket() const override { return fd_; }

 private:
  using Clock = std::chrono::steady_clock;

  bool await(short event) const {
    if (event == POLLIN && begin_ != end_) return true;
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
      if (left <= 0) return false;
      pollfd wanted{.fd = fd_, .events = event, .revents = 0};
      const int ready = ::poll(&wanted, 1, static_cast<int>(left));
      if (ready > 0) return true;
      if (ready < 0 && errno != EINTR) return false;
    }
  }

  template <typename Name>
  void address(Name name_of, std::string& ip, int& port) const {
    sockaddr_storage stored{};
    socklen_t size = sizeof stored;
    auto* generic = reinterpret_cast<sockaddr*>(&stored);
    if (name_of(fd_, generic, &size) != 0) return;
    char text[INET6_ADDRSTRLEN] = {};
    if (stored.ss_family == AF_INET) {
      const auto* four = reinterpret_cast<const sockaddr_in*>(&stored);
      ::inet_ntop(AF_INET, &four->sin_addr, text, sizeof text);
      port = ntohs(four->sin_port);
    } else if (stored.ss_family == AF_INET6) {
      const auto* six = reinterpret_cast<const sockaddr_in6*>(&stored);
      ::inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text);
      port = ntohs(six->sin6_port);
    }
    ip = text;
  }

  socket_t fd_;
  Clock::time_point deadline_ = Clock::now() + BoundedHttpServer::kDeadline;
  std::array<char, 4096> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace

// httplib's own queue has no bound. A job closes its connection, so even one too many has to be run.
class BoundedHttpServer::Threads : public httplib::TaskQueue {
 public:
  void enqueue(std::function<void()> job) override {
    if (waiting_ >= kMostWaiting) {
      no_room = true;
      job();
      no_room = false;
      return;
    }
    ++waiting_;
    pool_.enqueue([this, job = std::move(job)] {
      --waiting_;
      job();
    });
  }
  void shutdown() override { pool_.shutdown(); }

 private:
  std::atomic<std::size_t> waiting_ = 0;
  httplib::ThreadPool pool_{kThreads};
};

BoundedHttpServer::BoundedHttpServer() {
  new_task_queue = [] { return new Threads; };  // httplib deletes it
}

void BoundedHttpServer::end() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    for (const socket_t fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  stop();
}

bool BoundedHttpServer::remember(socket_t fd) {
  const std::lock_guard lock(mutex_);
  if (ending_) return false;
  open_.insert(fd);
  return true;
}

void BoundedHttpServer::forget_and_close(socket_t fd) {
  const std::lock_guard lock(mutex_);
  open_.erase(fd);
  ::shutdown(fd, SHUT_RDWR);
  ::close(fd);
}

bool BoundedHttpServer::process_and_close_socket(socket_t fd) {
  bool answered = false;
  if (!no_room && remember(fd)) {
    DeadlineStream stream(fd);
    bool closed = false;
    answered = process_request(stream, true, closed, nullptr);
  }
  forget_and_close(fd);
  return answered;
}

}  // namespace mxp::tools
