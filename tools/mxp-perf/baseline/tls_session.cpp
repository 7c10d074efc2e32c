#include "mxp-perf/baseline/tls_session.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace mxp::perf {

namespace {

// For a peer that is gone without a word: nothing on loopback takes so long.
constexpr timeval kSilence{10, 0};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

bool prepare(int fd, std::size_t mtu) {
  const int on = 1;
  const auto segment = tcp_segment_bytes(mtu);
  return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
         setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kSilence, sizeof kSilence) == 0 &&
         setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kSilence, sizeof kSilence) == 0 &&
         (!segment || setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &*segment, sizeof *segment) == 0);
}

std::string system_reason(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

}  // namespace

std::optional<int> tcp_segment_bytes(std::size_t mtu) {
  constexpr std::size_t kHeaders = 20 + 20;  // IPv4 and TCP
  constexpr std::size_t kMost = 32'767;      // tcp(7)
  return mtu - kHeaders <= kMost ? std::optional(static_cast<int>(mtu - kHeaders)) : std::nullopt;
}

tools::Result<TlsListener> TlsListener::open(std::size_t mtu) {
  TlsListener listener{.fd = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))};
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  const int fd = listener.fd.get();
  if (fd < 0 || !prepare(fd, mtu) || bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      listen(fd, 16) != 0 || getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return tools::fail_errno(tools::ErrorKind::network, "--baseline tls: a TCP socket on loopback", errno);
  listener.port = ntohs(address.sin_port);
  return listener;
}

std::expected<TlsSession, std::string> TlsSession::connect(SSL_CTX* context, std::uint16_t port, std::size_t mtu) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  if (fd.get() < 0 || !prepare(fd.get(), mtu) ||
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return std::unexpected(system_reason("TCP"));
  std::unique_ptr<SSL, FreeTls> session(SSL_new(context));
  if (!session || SSL_set_fd(session.get(), fd.get()) != 1 || SSL_connect(session.get()) != 1)
    return std::unexpected("TLS: " + tls_reason());
  return TlsSession(std::move(fd), std::move(session));
}

std::expected<TlsSession, std::string> TlsSession::accept(SSL_CTX* context, int listener) {
  UniqueFd fd(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  const int on = 1;
  if (fd.get() < 0 || setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
    return std::unexpected(system_reason("TCP"));
  std::unique_ptr<SSL, FreeTls> session(SSL_new(context));
  if (!session || SSL_set_fd(session.get(), fd.get()) != 1 || SSL_accept(session.get()) != 1)
    return std::unexpected("TLS: " + tls_reason());
  return TlsSession(std::move(fd), std::move(session));
}

bool TlsSession::write(ByteView data) {
  std::size_t written = 0;
  return SSL_write_ex(session_.get(), data.data(), data.size(), &written) == 1 && written == data.size();
}

std::size_t TlsSession::read_some(MutableBytes data) {
  std::size_t got = 0;
  return SSL_read_ex(session_.get(), data.data(), data.size(), &got) == 1 ? got : 0;
}

bool TlsSession::read(MutableBytes data) {
  while (!data.empty()) {
    const std::size_t got = read_some(data);
    if (got == 0) return false;
    data = data.subspan(got);
  }
  return true;
}

void TlsSession::close() {
  // A reset in place of an end: thousands of ports would wait for a minute each.
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  (void)setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  session_.reset();
  fd_.reset();
}

}  // namespace mxp::perf
