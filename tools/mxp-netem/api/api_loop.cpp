#include "mxp-netem/api/api_loop.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "mxp-netem/api/http_server.h"
#include "udp/clock.h"

namespace mxp::tools {
namespace {

// The name of the command line's relay among the proxies.
constexpr const char* kFirstName = "default";

}  // namespace

ApiLoop::ApiLoop(const Options& options, Relay* first, Output& output)
    : options_(options),
      output_(output),
      first_(first),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
      registry_(options, output) {
  if (first != nullptr) {
    registry_.adopt(std::make_unique<Proxy>(kFirstName, options, options.target.to_string(), *first));
  }
}

Result<void> ApiLoop::watch(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
    return fail_errno(ErrorKind::io, "cannot watch a descriptor", errno);
  return {};
}

Result<RelayEnd> ApiLoop::run(const SignalWatch& signals) {
  for (const int fd : {signals.fd(), mailbox_.fd(), timer_.get()}) {
    if (auto watched = watch(fd); !watched) return std::unexpected(watched.error());
  }
  if (first_ != nullptr) {
    if (auto watched = watch(first_->fd()); !watched) return std::unexpected(watched.error());
  }
  registry_.on_added = [this](Relay& relay) {
    if (auto watched = watch(relay.fd()); !watched) output_.warning(watched.error().message);
  };
  registry_.on_removed = [this](Relay& relay) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, relay.fd(), nullptr);
    if (&relay != first_) return;
    relay.finish();
    relay.stop_listening();
  };
  if (first_ != nullptr) first_->start();
  auto server = HttpServer::open(*options_.http, mailbox_, registry_);
  if (!server) return std::unexpected(server.error());
  output_.line(fmt::format("http {}", (*server)->local().to_string()));

  const Timestamp end = options_.duration ? monotonic_now() + *options_.duration : kNever;
  Result<RelayEnd> result = RelayEnd::duration_over;
  for (;;) {
    if (signals.received() != 0) {
      result = RelayEnd::interrupted;
      break;
    }
    if (monotonic_now() >= end) break;
    auto done = wait(std::min(next_event(), end));
    if (done) {
      mailbox_.run_all();
      done = step_all();
    }
    if (!done) {
      result = std::unexpected(done.error());
      break;
    }
  }
  mailbox_.close();
  finish_all();
  return result;
}

Timestamp ApiLoop::next_event() const {
  Timestamp next = kNever;
  for (const auto& proxy : registry_.proxies()) next = std::min(next, proxy->relay().next_event());
  return next;
}

Result<void> ApiLoop::wait(Timestamp until) {
  const bool wait = !options_.spin && until > monotonic_now();
  if (wait) {
    const auto ns = std::max<Duration::rep>(until.time_since_epoch().count(), 1);
    itimerspec spec{};
    spec.it_value.tv_sec = ns / 1'000'000'000;
    spec.it_value.tv_nsec = ns % 1'000'000'000;
    ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &spec, nullptr);
  }
  // Which descriptor it was does not matter: every relay is looked at in each turn.
  std::array<epoll_event, 8> events;
  if (::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait ? -1 : 0) < 0 && errno != EINTR)
    return fail_errno(ErrorKind::io, "waiting for packets", errno);
  std::uint64_t expirations = 0;
  [[maybe_unused]] const ssize_t ignored = ::read(timer_.get(), &expirations, sizeof expirations);
  return {};
}

Result<void> ApiLoop::step_all() {
  for (const auto& proxy : registry_.proxies()) {
    if (auto done = proxy->relay().step(); !done) return done;
  }
  return {};
}

void ApiLoop::finish_all() {
  for (const auto& proxy : registry_.proxies()) proxy->relay().finish();
}

}  // namespace mxp::tools
