// Drives one Endpoint with a real socket and the real clock. Either run() it, or embed it in a loop of your own:
// wait until fd() is readable or next_timeout() has come, then call process(). See examples/foreign_loop.cpp.
// Where the socket is bound to all addresses, it also listens to rtnetlink(7) and moves clients whose address is gone.
// Threads: everything belongs to one thread, except stop(), which any thread or signal handler may call.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "mxp/address.h"
#include "mxp/endpoint.h"
#include "mxp/error.h"
#include "mxp/time.h"

#pragma GCC visibility push(default)
namespace mxp {

struct SocketConfig {
  SocketAddress bind;                   // port 0: the kernel picks
  std::size_t buffer_bytes = 8u << 20;  // asked for with SO_RCVBUF and SO_SNDBUF; capabilities() has what was granted
  bool offload = true;                  // GSO and GRO where the kernel has them
};

struct CarrierCapabilities {
  bool gso = false;
  bool gro = false;
  bool packet_info = false;
  bool ecn = false;                      // the marks of received datagrams are read
  std::size_t receive_buffer_bytes = 0;  // as granted by the kernel
  std::size_t send_buffer_bytes = 0;
};

// What the socket did since it was bound. A datagram counted as dropped is lost as if in the network: the transport
// sends what it carried again.
struct CarrierStats {
  std::uint64_t datagrams_sent = 0;
  std::uint64_t bytes_sent = 0;  // UDP payload
  std::uint64_t send_calls = 0;
  std::uint64_t sends_blocked = 0;     // the socket or a queue below it was full; nothing was lost
  std::uint64_t dropped_too_big = 0;   // EMSGSIZE: larger than the interface takes
  std::uint64_t dropped_on_error = 0;  // no route, not permitted, no answer to ARP, ...
  std::uint64_t gso_failures = 0;      // the kernel or the NIC refused segments: sent one by one from then on
  std::uint64_t ecn_failures = 0;      // the kernel refuses ECN marks: sent without marks from then on
  std::uint64_t datagrams_received = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t receive_calls = 0;
  std::uint64_t receive_errors = 0;
  std::uint64_t received_truncated = 0;   // larger than a receive buffer: dropped
  std::uint64_t receive_overflows = 0;    // dropped by the kernel because our receive buffer was full
  std::uint64_t unreachable_reports = 0;  // ICMP port unreachable
  std::uint64_t other_icmp_reports = 0;   // any other; ignored but for this count
};

// What poll(2) would report.
enum class FdEvent : std::uint8_t { readable = 1, writable = 2, both = 3 };

struct [[gnu::visibility("hidden")]] EventLoopAccess;  // of the udp room

class EventLoop {
 public:
  // Binds the socket and builds the endpoint over it. `handler` and `trace` outlive the loop. Errors: the system's;
  // EINVAL for a setting outside its range (validate() in mxp/config.h), with a message that names it.
  static std::expected<std::unique_ptr<EventLoop>, IoError> create(const SocketConfig& socket, EndpointConfig endpoint,
                                                                   Handler& handler, TraceSink* trace = nullptr);
  // Connections end without a word: no CLOSE is sent and on_closed is not called. To say goodbye:
  // endpoint().close_all(), then stop_when_closed() and run(); or only flush(), for peers that may miss it.
  ~EventLoop();

  Endpoint& endpoint();
  SocketAddress local_address() const;
  CarrierCapabilities capabilities() const;
  CarrierStats carrier_stats() const;
  Timestamp now() const;  // the monotonic clock, read afresh

  // Runs until stop(); a stop() from before the call counts. Returns an error only if waiting itself fails for good.
  // Until it returns, the thread's timer slack is 1 ns (prctl(2), PR_SET_TIMERSLACK), so that timers are on time.
  // REQUIRES: not called from inside a callback of this loop.
  std::expected<void, IoError> run();
  void stop() noexcept;  // async-signal-safe
  // run(), this one or the next, returns when no connection has anything left to say, and after `at_most` in any case.
  // So a program that has closed its connections says so again to a peer that has missed it. New clients get no answer
  // from now on. A second call before run() returns takes the place of the first.
  void stop_when_closed(Duration at_most);
  // Whether no connection has anything left to say, and the socket has taken everything: what a program that embeds the
  // loop waits for after it has closed its connections.
  bool nothing_left_to_say() const;

  // For embedding in another loop: a descriptor (an epoll instance) that is readable when there is work, the time until
  // which that loop may sleep, and the work itself, which never blocks. `now` is EventLoop::now(), read after the wait.
  // REQUIRES: process() is not called from inside a callback of this loop.
  int fd() const;
  Timestamp next_timeout() const;
  std::expected<void, IoError> process(Timestamp now);

  // Sends what the verbs of Connection made due, without waiting for the next turn. The handler may be called from
  // inside, since a connection has ended once its CLOSE is sent. Called from inside a callback it does nothing: the
  // turn ends with sending anyway.
  void flush();

  // Other descriptors in the same loop (stdin, stdout). One callback per descriptor; a second watch() replaces the
  // first. Works for regular files too, which are always ready.
  void watch(int fd, FdEvent events, std::function<void()> callback);
  void unwatch(int fd);

  // Calls back once, at `when` or in the first turn after it. The returned id cancels it. Callbacks may add and cancel
  // others.
  std::uint64_t at(Timestamp when, std::function<void()> callback);
  void cancel(std::uint64_t timer);

 private:
  friend struct EventLoopAccess;
  EventLoop();
  struct [[gnu::visibility("hidden")]] Impl;
  std::unique_ptr<Impl> impl_;
};

// The system's entropy (getrandom through OpenSSL's generator). Holds no state: any thread may use it.
Random& system_random();

}  // namespace mxp
#pragma GCC visibility pop
