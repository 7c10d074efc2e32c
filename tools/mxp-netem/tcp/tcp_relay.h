// --tcp: TCP connections to the port that the relay listens on for UDP go to the same target, so that a program whose
// control channel is TCP (iperf3) goes through one command. Each connection has links of its own, with the delay and
// the rate of the spec; see tcp_pipe.h. The handshake itself is not delayed.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>

#include "common/tool_error.h"
#include "mxp-netem/tcp/tcp_pipe.h"
#include "mxp/address.h"
#include "mxp/time.h"
#include "netem/timeline.h"
#include "udp/unique_fd.h"

namespace mxp::tools {

struct TcpCounters {
  std::uint64_t connections = 0;
  std::uint64_t refused = 0;  // the target could not be reached, or there was no room
  std::uint64_t bytes_up = 0;
  std::uint64_t bytes_down = 0;
};

class TcpRelay {
 public:
  static constexpr std::size_t kMost = 64;  // our choice: each may hold 8 MiB

  // `address`: where to listen, with the port. Fails if it is taken.
  static Result<std::unique_ptr<TcpRelay>> open(const SocketAddress& address, const SocketAddress& target,
                                                std::uint64_t seed);

  // Readable when step() has something to do; next_event() says when else.
  int fd() const { return epoll_.get(); }
  Timestamp next_event() const;
  // Never waits.
  void step(Timestamp now);

  // The links of all connections, those that are there included. `blocked`: nothing is read while it lasts.
  void set_links(const netem::LinkState& up, const netem::LinkState& down);
  const TcpCounters& counters() const { return counters_; }

 private:
  struct Connection {
    UniqueFd client;
    UniqueFd target;
    bool connected = false;  // to the target
    TcpPipe up;
    TcpPipe down;
    std::uint32_t client_events = 0;  // as epoll knows them
    std::uint32_t target_events = 0;
  };

  TcpRelay(UniqueFd listener, UniqueFd epoll, const SocketAddress& target, std::uint64_t seed)
      : listener_(std::move(listener)), epoll_(std::move(epoll)), target_(target), seed_(seed) {}
  void accept_all(Timestamp now);
  void listen_again(Timestamp now);
  void begin(UniqueFd client);
  // False once the connection is over.
  bool serve(Connection& connection, Timestamp now);
  void watch(Connection& connection);
  void watch(int fd, std::uint32_t& known, std::uint32_t wanted);

  UniqueFd listener_;
  UniqueFd epoll_;
  SocketAddress target_;
  std::uint64_t seed_;
  netem::LinkState up_;
  netem::LinkState down_;
  std::list<Connection> connections_;
  Timestamp deaf_until_ = kNever;  // while the listener is not watched
  TcpCounters counters_;
};

}  // namespace mxp::tools
