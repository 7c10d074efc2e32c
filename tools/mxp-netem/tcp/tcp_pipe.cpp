#include "mxp-netem/tcp/tcp_pipe.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace mxp::tools {

netem::LinkSpec spec_for_tcp(const netem::LinkSpec& spec) {
  netem::LinkSpec tcp;
  tcp.delay = spec.delay;
  tcp.rate = spec.rate;
  tcp.framing = spec.framing;
  tcp.slot = spec.slot;
  tcp.trace = spec.trace;
  tcp.limit.packets = ~0u;                    // the pipe has a bound of its own, before the link
  constexpr std::uint32_t kTcpAboveUdp = 24;  // its header with time stamps has 32 bytes, that of UDP 8
  tcp.header_bytes = spec.header_bytes + kTcpAboveUdp;
  return tcp;
}

TcpPipe::TcpPipe(const netem::LinkSpec& spec, std::uint64_t seed, netem::Direction direction, std::uint64_t connection)
    : link_(spec_for_tcp(spec), {.seed = seed, .direction = direction}), flow_(connection) {}

bool TcpPipe::read_from(int fd, Timestamp now) {
  std::array<std::uint8_t, 16 * kSegment> chunk;
  while (wants_input()) {
    const ssize_t size = ::recv(fd, chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno == EAGAIN;
    if (size == 0) {
      input_ended_ = true;
      return true;
    }
    ByteView bytes(chunk.data(), static_cast<std::size_t>(size));
    held_ += bytes.size();
    bytes_ += bytes.size();
    while (!bytes.empty()) {
      const std::size_t part = std::min(bytes.size(), kSegment);
      link_.offer(bytes.first(part), now, flow_);
      bytes = bytes.subspan(part);
    }
  }
  return true;
}

bool TcpPipe::write_to(int fd, Timestamp now) {
  while (const auto segment = link_.take(now))
    ready_.insert(ready_.end(), segment->bytes.begin(), segment->bytes.end());
  while (wants_output()) {
    const ssize_t size = ::send(fd, ready_.data() + sent_, ready_.size() - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) break;
    if (size < 0) return false;
    sent_ += static_cast<std::size_t>(size);
    held_ -= static_cast<std::size_t>(size);
  }
  // Each byte is moved once at most in the mean, and no more than twice of what waits is held.
  if (sent_ > 0 && sent_ >= ready_.size() - sent_) {
    ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(sent_));
    sent_ = 0;
  }
  if (finished()) {
    ::shutdown(fd, SHUT_WR);
    end_passed_on_ = true;
  }
  return true;
}

Timestamp TcpPipe::next_event() const { return link_.next_departure().value_or(kNever); }

}  // namespace mxp::tools
