#include "mxp-netem/tcp/tcp_relay.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "udp/socket_address.h"

namespace mxp::tools {
namespace {

UniqueFd tcp_socket(AddressFamily family) {
  const int domain = family == AddressFamily::ipv6 ? AF_INET6 : AF_INET;
  UniqueFd fd(::socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return fd;
}

// Sends at once, and finds out within two minutes that a peer is gone without a word.
void set_up_stream(int fd) {
  constexpr int kOn = 1;
  constexpr int kIdleSeconds = 60;
  constexpr int kProbeSeconds = 10;
  constexpr int kProbes = 6;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof kOn);
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &kOn, sizeof kOn);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &kIdleSeconds, sizeof kIdleSeconds);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &kProbeSeconds, sizeof kProbeSeconds);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &kProbes, sizeof kProbes);
}

// The peer hears a reset, not an orderly end of what was not delivered.
void close_with_reset(UniqueFd& fd) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  fd = UniqueFd();
}

}  // namespace

Result<std::unique_ptr<TcpRelay>> TcpRelay::open(const SocketAddress& address, const SocketAddress& target,
                                                 std::uint64_t seed) {
  UniqueFd listener = tcp_socket(address.family);
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!listener || !epoll) return fail_errno(ErrorKind::io, "cannot create a TCP socket", errno);
  constexpr int kOn = 1;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof kOn);
  const int only_ipv6 = address.family == AddressFamily::ipv6 && !is_any(address) ? 1 : 0;
  if (address.family == AddressFamily::ipv6)
    ::setsockopt(listener.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only_ipv6, sizeof only_ipv6);
  const auto system = to_system(address, address.family);
  constexpr int kBacklog = 64;
  if (!system || ::bind(listener.get(), &system->any, system->size) != 0 || ::listen(listener.get(), kBacklog) != 0)
    return fail_errno(ErrorKind::network, fmt::format("--tcp: cannot listen on {}", address.to_string()), errno);
  epoll_event event{};
  event.events = EPOLLIN;
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, listener.get(), &event) != 0)
    return fail_errno(ErrorKind::io, "cannot watch a socket", errno);
  return std::unique_ptr<TcpRelay>(new TcpRelay(std::move(listener), std::move(epoll), target, seed));
}

Timestamp TcpRelay::next_event() const {
  Timestamp next = deaf_until_;
  for (const Connection& connection : connections_)
    next = std::min({next, connection.up.next_event(), connection.down.next_event()});
  return next;
}

void TcpRelay::set_links(const netem::LinkState& up, const netem::LinkState& down) {
  if (up == up_ && down == down_) return;
  up_ = up;
  down_ = down;
  for (Connection& connection : connections_) {
    connection.up.change(up.spec);
    connection.down.change(down.spec);
    watch(connection);
  }
}

void TcpRelay::step(Timestamp now) {
  // Which descriptor it was does not matter: there are few connections, and each is looked at.
  std::array<epoll_event, 16> events;
  ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  if (now >= deaf_until_) listen_again(now);
  if (deaf_until_ == kNever) accept_all(now);
  for (auto connection = connections_.begin(); connection != connections_.end();) {
    if (serve(*connection, now)) {
      watch(*connection);
      ++connection;
    } else {
      connection = connections_.erase(connection);
    }
  }
}

void TcpRelay::accept_all(Timestamp now) {
  for (;;) {
    UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client) {
      begin(std::move(client));
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EAGAIN) return;
    // Without a descriptor left who waits goes on waiting, and epoll would report it again and again.
    constexpr Duration kPause = std::chrono::milliseconds(100);
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener_.get(), nullptr) == 0) deaf_until_ = now + kPause;
    return;
  }
}

void TcpRelay::listen_again(Timestamp now) {
  epoll_event event{};
  event.events = EPOLLIN;
  const bool watched = ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), &event) == 0;
  deaf_until_ = watched ? kNever : now + std::chrono::seconds(1);
}

void TcpRelay::begin(UniqueFd client) {
  UniqueFd target = tcp_socket(target_.family);
  const auto system = to_system(target_, target_.family);
  const bool started = connections_.size() < kMost && target && system &&
                       (::connect(target.get(), &system->any, system->size) == 0 || errno == EINPROGRESS);
  if (!started) {
    ++counters_.refused;
    close_with_reset(client);
    return;
  }
  set_up_stream(client.get());
  set_up_stream(target.get());
  const std::uint64_t number = counters_.connections++;
  connections_.push_back(Connection{.client = std::move(client),
                                    .target = std::move(target),
                                    .connected = false,
                                    .up = TcpPipe(up_.spec, seed_, netem::Direction::up, number),
                                    .down = TcpPipe(down_.spec, seed_, netem::Direction::down, number)});
  watch(connections_.back());
}

bool TcpRelay::serve(Connection& connection, Timestamp now) {
  if (!connection.connected) {
    tcp_info info{};
    socklen_t size = sizeof info;
    int error = 0;
    socklen_t error_size = sizeof error;
    ::getsockopt(connection.target.get(), SOL_SOCKET, SO_ERROR, &error, &error_size);
    ::getsockopt(connection.target.get(), IPPROTO_TCP, TCP_INFO, &info, &size);
    if (error != 0) {
      ++counters_.refused;
      close_with_reset(connection.client);
      return false;
    }
    if (info.tcpi_state == TCP_SYN_SENT) return true;
    connection.connected = true;
  }
  const std::uint64_t up_before = connection.up.bytes();
  const std::uint64_t down_before = connection.down.bytes();
  const bool whole = (up_.blocked || connection.up.read_from(connection.client.get(), now)) &&
                     (down_.blocked || connection.down.read_from(connection.target.get(), now)) &&
                     connection.up.write_to(connection.target.get(), now) &&
                     connection.down.write_to(connection.client.get(), now);
  counters_.bytes_up += connection.up.bytes() - up_before;
  counters_.bytes_down += connection.down.bytes() - down_before;
  if (!whole) {
    close_with_reset(connection.client);
    close_with_reset(connection.target);
    return false;
  }
  return !(connection.up.done() && connection.down.done());
}

void TcpRelay::watch(Connection& connection) {
  constexpr std::uint32_t kReadable = EPOLLIN;
  constexpr std::uint32_t kWritable = EPOLLOUT;
  const auto events = [](bool input, bool output) { return (input ? kReadable : 0u) | (output ? kWritable : 0u); };
  watch(connection.client.get(), connection.client_events,
        events(connection.connected && !up_.blocked && connection.up.wants_input(), connection.down.wants_output()));
  watch(connection.target.get(), connection.target_events,
        events(!down_.blocked && connection.down.wants_input(), !connection.connected || connection.up.wants_output()));
}

// A descriptor of which nothing is wanted is not watched at all: its hang-up would be reported again and again.
void TcpRelay::watch(int fd, std::uint32_t& known, std::uint32_t wanted) {
  if (known == wanted) return;
  epoll_event event{};
  event.events = wanted;
  const int what = known == 0 ? EPOLL_CTL_ADD : wanted == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
  ::epoll_ctl(epoll_.get(), what, fd, &event);
  known = wanted;
}

}  // namespace mxp::tools
