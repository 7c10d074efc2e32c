// One turn of the loop: it sleeps until something is due or readable, reads a bounded number of batches from each
// readable socket and offers them to the link, hands over what is due in both directions, and now and then forgets idle
// clients.
#include "mxp-netem/relay.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "mxp-netem/own_addresses.h"
#include "udp/clock.h"

namespace mxp::tools {
namespace {

constexpr std::uint64_t kListenerTag = 0;
constexpr std::uint64_t kTimerTag = 1;
constexpr std::uint64_t kSignalTag = 2;
constexpr std::uint64_t kTcpTag = 3;
constexpr std::size_t kMostEvents = 64;
constexpr Duration kSweepEvery = std::chrono::seconds(10);

// Every client costs a descriptor, or two after a rebinding, and the default soft limit is 1024.
void allow_many_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

Relay::Relay(const Options& options, Capture* capture, Output& output, RelaySocket listener, UniqueFd epoll,
             UniqueFd timer)
    : options_(options),
      capture_(capture),
      output_(output),
      listener_(std::move(listener)),
      epoll_(std::move(epoll)),
      timer_(std::move(timer)),
      links_(options_.plans, options_.seed, options_.recording.get()) {}

Result<std::unique_ptr<Relay>> Relay::open(const Options& options, Capture* capture, Output& output) {
  allow_many_descriptors();
  if (leads_back(options.listen, options.target))
    return fail(ErrorKind::usage, fmt::format("{} leads back to the relay itself: the target is another program's port",
                                              options.target.to_string()));
  auto listener = RelaySocket::listen(options.listen);
  if (!listener) return std::unexpected(listener.error());
  // If there is no route to the target, this says so now and not at the first datagram.
  if (const auto probe = RelaySocket::connect(options.target); !probe) return std::unexpected(probe.error());
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!epoll || !timer) return fail_errno(ErrorKind::io, "cannot create an event queue", errno);
  std::unique_ptr<Relay> relay(
      new Relay(options, capture, output, std::move(*listener), std::move(epoll), std::move(timer)));
  if (auto watched = relay->watch(relay->listener_.fd(), kListenerTag); !watched)
    return std::unexpected(watched.error());
  if (auto watched = relay->watch(relay->timer_.get(), kTimerTag); !watched) return std::unexpected(watched.error());
  if (options.tcp) {
    if (auto opened = relay->open_tcp(); !opened) return std::unexpected(opened.error());
  }
  await_stamps();
  return relay;
}

// On the port that UDP has. Where that was free to choose, another one may be free for both.
Result<void> Relay::open_tcp() {
  constexpr int kAttempts = 20;
  for (int attempt = 1;; ++attempt) {
    auto opened = TcpRelay::open(listener_.local(), options_.target, options_.seed);
    if (opened) {
      tcp_ = std::move(*opened);
      const LinkGroup& group = links_.main();
      tcp_->set_links(group.state(netem::Direction::up), group.state(netem::Direction::down));
      return watch(tcp_->fd(), kTcpTag);
    }
    if (options_.listen.port != 0 || opened.error().system_error != EADDRINUSE || attempt == kAttempts)
      return std::unexpected(opened.error());
    auto listener = RelaySocket::listen(options_.listen);
    if (!listener) return std::unexpected(listener.error());
    listener_ = std::move(*listener);
    if (auto watched = watch(listener_.fd(), kListenerTag); !watched) return watched;
  }
}

void Relay::serve_tcp() {
  const LinkGroup& group = links_.main();
  if (group.version() != tcp_links_version_) {
    tcp_links_version_ = group.version();
    tcp_->set_links(group.state(netem::Direction::up), group.state(netem::Direction::down));
  }
  tcp_->step(monotonic_now());
}

Result<void> Relay::watch(int fd, std::uint64_t tag) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
    return fail_errno(ErrorKind::io, "cannot watch a socket", errno);
  return {};
}

void Relay::start() {
  started_ = monotonic_now();
  next_sweep_ = started_ + kSweepEvery;
  links_.start(started_);
}

void Relay::finish() {
  take_in_what_has_arrived();
  if (capture_ != nullptr) capture_->flush();
  if (record_ != nullptr) record_->flush();
  ended_ = monotonic_now();
  complete_health();
}

Duration Relay::running() const { return (ended_ == Timestamp{} ? monotonic_now() : ended_) - started_; }

Result<RelayEnd> Relay::run(const SignalWatch& signals) {
  if (auto watched = watch(signals.fd(), kSignalTag); !watched) return std::unexpected(watched.error());
  start();
  const Timestamp end = options_.duration ? started_ + *options_.duration : kNever;

  std::optional<Result<RelayEnd>> result;
  while (!result) result = turn(signals, end);
  finish();
  if (*result) {
    if (const auto written = output_status(); !written) result = std::unexpected(written.error());
  }
  return std::move(*result);
}

std::optional<Result<RelayEnd>> Relay::turn(const SignalWatch& signals, Timestamp end) {
  if (signals.received() != 0) return RelayEnd::interrupted;
  const Timestamp before = monotonic_now();
  if (before >= end) return RelayEnd::duration_over;
  const Timestamp wake = std::min(next_event(), end);
  const bool wait = !options_.spin && wake > before;
  if (wait) sleep_until(wake);
  if (const auto served = wait_and_serve(wait ? -1 : 0); !served) return std::unexpected(served.error());
  return std::nullopt;
}

Result<void> Relay::step() { return wait_and_serve(0); }

Result<void> Relay::wait_and_serve(int milliseconds) {
  std::array<epoll_event, kMostEvents> events;
  const int ready = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), milliseconds);
  if (ready < 0 && errno != EINTR) return fail_errno(ErrorKind::io, "waiting for packets", errno);
  serve({events.data(), static_cast<std::size_t>(std::max(ready, 0))});
  return output_status();
}

void Relay::serve(std::span<const epoll_event> events) {
  for (const epoll_event& event : events) {
    const std::uint64_t tag = event.data.u64;
    if (tag == kListenerTag) {
      receive_from_clients(kBatchesPerTurn);
    } else if (tag == kTimerTag) {
      std::uint64_t expirations = 0;
      [[maybe_unused]] const ssize_t ignored = ::read(timer_.get(), &expirations, sizeof expirations);
    } else if (tag >= kFirstClientTag) {
      Client* client = clients_.find(netem::FlowId{tag - kFirstClientTag});
      if (client == nullptr) continue;
      if ((event.events & EPOLLERR) != 0) receive_refusals(*client);
      receive_from_target(*client, kBatchesPerTurn);
    }
  }
  housekeeping(monotonic_now());
  deliver_due();
  if (tcp_) serve_tcp();
}

Timestamp Relay::next_event() const {
  return std::min({next_sweep_, links_.next_event(), tcp_ ? tcp_->next_event() : kNever});
}

// Unlike epoll's own timeout, a timerfd is neither rounded to milliseconds nor delayed by the timer slack.
void Relay::sleep_until(Timestamp when) {
  const auto ns = std::max<Duration::rep>(when.time_since_epoch().count(), 1);
  itimerspec spec{};
  spec.it_value.tv_sec = ns / 1'000'000'000;
  spec.it_value.tv_nsec = ns % 1'000'000'000;
  ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &spec, nullptr);
}

void Relay::housekeeping(Timestamp now) {
  links_.advance(now, [this](const LinkGroup& group) { rebind(group); });
  if (now < next_sweep_) return;
  next_sweep_ = now + kSweepEvery;
  for (const auto& client : clients_.take_idle(now)) close_client(*client);
}

void Relay::complete_health() {
  health_.socket_drops += listener_.kernel_drops();
  clients_.for_each([this](const Client& client) { health_.socket_drops += client.upstream.kernel_drops(); });
  health_.send_failures = sender_.failures();
  health_.unreachable += sender_.unreachable();
}

}  // namespace mxp::tools
