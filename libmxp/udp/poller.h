// Waiting: one epoll instance over the socket, a timer, a stop signal and whatever else the application watches. Its
// descriptor is readable when there is work, so that it can be put into a foreign loop. One thread uses it, except for
// request_stop(), which any thread or signal handler may call.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "mxp/event_loop.h"
#include "mxp/time.h"
#include "udp/udp_socket.h"

namespace mxp {

struct SocketEvents {
  bool readable = false;  // or an error is pending, which receiving collects
  bool writable = false;
};

// Which events of the socket to wait for. `nothing` takes it out of the set, since errors cannot be masked in any other
// way.
enum class SocketInterest : std::uint8_t { nothing, read, write, both };

class Poller {
 public:
  // How wait_until() keeps a near deadline. Linux before 5.11 has no epoll_pwait2, and some sandboxes forbid it; there the
  // timer does it, which is found out by the first such wait.
  enum class DeadlineBy : std::uint8_t { wait, timer };
  static std::expected<std::unique_ptr<Poller>, IoError> create(DeadlineBy deadline_by = DeadlineBy::wait);

  int fd() const { return epoll_.get(); }

  std::expected<void, IoError> set_socket(int fd, SocketInterest interest);

  // Replaces an earlier watch of the same descriptor.
  void watch(int fd, FdEvent events, std::function<void()> callback);
  void unwatch(int fd);
  // Watches of regular files, which epoll refuses: they never have to wait.
  bool has_always_ready() const { return !always_ready_.empty(); }

  // Makes fd() readable at `deadline` at the latest. A deadline later than the one before takes effect only when the
  // earlier one has passed. That costs a needless wake-up now and then, but saves a system call in each turn that moves
  // the deadline on.
  void arm(Timestamp deadline, Timestamp now);

  // Waits until something is ready, the armed deadline among it, or not at all. Then it calls the callbacks of the
  // watched descriptors that are ready. EINTR ends the wait early.
  std::expected<SocketEvents, IoError> wait(bool block);
  // Waits until something is ready, and until `deadline` at most. A near deadline goes along with the wait, which saves
  // the system call that arms the timer. What was armed before holds no longer: arm() anew before others wait for fd().
  std::expected<SocketEvents, IoError> wait_until(Timestamp deadline);

  void request_stop() noexcept;
  // Whether a stop was requested since the last call.
  bool take_stop();

 private:
  struct Watch {
    std::function<void()> callback;
    std::uint64_t generation;
    bool always_ready;
  };
  Poller(UniqueFd epoll, UniqueFd timer, UniqueFd stop, DeadlineBy deadline_by);
  // What a wait has returned: the number of events, or -1 and errno.
  std::expected<SocketEvents, IoError> dispatch(int count);
  void set_timer(Timestamp deadline);
  std::expected<void, IoError> add(int fd, std::uint64_t tag);
  void call(int fd, std::uint64_t generation);

  UniqueFd epoll_;
  UniqueFd timer_;
  UniqueFd stop_;
  DeadlineBy deadline_by_;
  std::atomic<bool> stop_requested_ = false;
  Timestamp armed_for_ = kNever;
  int socket_ = -1;
  SocketInterest interest_ = SocketInterest::nothing;
  std::unordered_map<int, std::shared_ptr<Watch>> watches_;
  std::vector<int> always_ready_;
  std::vector<int> calling_;  // a copy of always_ready_ while callbacks change it
  std::uint64_t next_generation_ = 1;
  std::array<epoll_event, 64> events_{};
};

}  // namespace mxp
