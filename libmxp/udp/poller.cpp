#include "udp/poller.h"

#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "udp/clock.h"

namespace mxp {
namespace {

// Tags of epoll events. A watch has its descriptor below and its generation above, so that an event of a watch that a
// callback of the same turn has replaced is recognised; the other tags are no descriptors.
constexpr std::uint64_t kSocketTag = ~std::uint64_t{0};
constexpr std::uint64_t kTimerTag = kSocketTag - 1;
constexpr std::uint64_t kStopTag = kSocketTag - 2;
constexpr std::uint64_t kGenerationMask = 0x7fffffff;

// Our choice: a deadline that is so near goes along with the wait. A farther one is nearly always moved on before it
// comes, which costs nothing where a timer waits for it (Poller::arm), and a start and a cancellation with each wait
// where the wait has it.
constexpr Duration kNear = std::chrono::milliseconds(1);

std::uint64_t watch_tag(int fd, std::uint64_t generation) {
  return (generation & kGenerationMask) << 32 | static_cast<std::uint32_t>(fd);
}

std::uint32_t epoll_bits(FdEvent events) {
  std::uint32_t bits = 0;
  if ((static_cast<unsigned>(events) & static_cast<unsigned>(FdEvent::readable)) != 0) bits |= EPOLLIN;
  if ((static_cast<unsigned>(events) & static_cast<unsigned>(FdEvent::writable)) != 0) bits |= EPOLLOUT;
  return bits;
}

timespec to_timespec(Duration time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return {.tv_sec = static_cast<time_t>(seconds.count()), .tv_nsec = static_cast<long>((time - seconds).count())};
}

itimerspec timer_spec(Timestamp deadline) {
  itimerspec spec{};
  if (deadline == kNever) return spec;  // all zero disarms
  spec.it_value = to_timespec(std::max<Duration>(deadline.time_since_epoch(), std::chrono::nanoseconds(1)));
  return spec;
}

}  // namespace

std::expected<std::unique_ptr<Poller>, IoError> Poller::create(DeadlineBy deadline_by) {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return std::unexpected(io_error(errno, "create an epoll instance"));
  UniqueFd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!timer.valid()) return std::unexpected(io_error(errno, "create a timer"));
  UniqueFd stop(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!stop.valid()) return std::unexpected(io_error(errno, "create an event descriptor"));
  std::unique_ptr<Poller> out(new Poller(std::move(epoll), std::move(timer), std::move(stop), deadline_by));
  if (auto added = out->add(out->timer_.get(), kTimerTag); !added) return std::unexpected(added.error());
  if (auto added = out->add(out->stop_.get(), kStopTag); !added) return std::unexpected(added.error());
  return out;
}

Poller::Poller(UniqueFd epoll, UniqueFd timer, UniqueFd stop, DeadlineBy deadline_by)
    : epoll_(std::move(epoll)), timer_(std::move(timer)), stop_(std::move(stop)), deadline_by_(deadline_by) {}

std::expected<void, IoError> Poller::add(int fd, std::uint64_t tag) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
    return std::unexpected(io_error(errno, "add to the epoll set"));
  return {};
}

std::expected<void, IoError> Poller::set_socket(int fd, SocketInterest interest) {
  if (fd == socket_ && interest == interest_) return {};
  const bool was_in = socket_ >= 0 && interest_ != SocketInterest::nothing;
  epoll_event event{};
  event.data.u64 = kSocketTag;
  if (interest == SocketInterest::read || interest == SocketInterest::both) event.events |= EPOLLIN;
  if (interest == SocketInterest::write || interest == SocketInterest::both) event.events |= EPOLLOUT;
  int result = 0;
  if (interest == SocketInterest::nothing) {
    if (was_in) result = ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  } else {
    result = ::epoll_ctl(epoll_.get(), was_in ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
  }
  if (result != 0) return std::unexpected(io_error(errno, "change what the socket is watched for"));
  socket_ = fd;
  interest_ = interest;
  return {};
}

void Poller::watch(int fd, FdEvent events, std::function<void()> callback) {
  unwatch(fd);
  auto watch = std::make_shared<Watch>(Watch{std::move(callback), next_generation_++, false});
  epoll_event event{};
  event.events = epoll_bits(events);
  event.data.u64 = watch_tag(fd, watch->generation);
  // EPERM: a regular file or a directory, which is always ready. A descriptor that epoll refuses for another reason is
  // treated as ready too: the read or write that follows then shows what is wrong, which a callback that never comes
  // would not.
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    watch->always_ready = true;
    always_ready_.push_back(fd);
  }
  watches_[fd] = std::move(watch);
}

void Poller::unwatch(int fd) {
  const auto found = watches_.find(fd);
  if (found == watches_.end()) return;
  if (found->second->always_ready) {
    std::erase(always_ready_, fd);
  } else {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);  // fails if it was closed: then it is out already
  }
  watches_.erase(found);
}

void Poller::arm(Timestamp deadline, Timestamp now) {
  if (deadline <= now) deadline = Timestamp{};
  const bool pending = armed_for_ > now;
  if (pending && deadline >= armed_for_) return;  // it fires early, and then the later deadline is armed
  if (!pending && deadline <= now) return;        // it has fired, and stays readable
  set_timer(deadline);
}

// Also takes back that it has fired.
void Poller::set_timer(Timestamp deadline) {
  const itimerspec spec = timer_spec(deadline);
  ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &spec, nullptr);
  armed_for_ = deadline;
}

std::expected<SocketEvents, IoError> Poller::wait(bool block) {
  const bool may_block = block && always_ready_.empty();
  return dispatch(::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), may_block ? -1 : 0));
}

std::expected<SocketEvents, IoError> Poller::wait_until(Timestamp deadline) {
  const Timestamp now = monotonic_now();
  if (deadline_by_ == DeadlineBy::timer || deadline > now + kNear || !always_ready_.empty()) {
    arm(deadline, now);
    return wait(true);
  }
  if (armed_for_ <= now) set_timer(kNever);  // it has fired, and would end this wait at once
  const timespec left = to_timespec(std::max(deadline - now, Duration::zero()));
  const int count = ::epoll_pwait2(epoll_.get(), events_.data(), static_cast<int>(events_.size()), &left, nullptr);
  // EPERM: a sandbox that does not know the call.
  if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return dispatch(count);
  deadline_by_ = DeadlineBy::timer;
  return wait_until(deadline);
}

std::expected<SocketEvents, IoError> Poller::dispatch(int count) {
  if (count < 0 && errno != EINTR) return std::unexpected(io_error(errno, "wait for events"));
  SocketEvents out;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events_[static_cast<std::size_t>(i)];
    switch (event.data.u64) {
      case kSocketTag:
        out.readable = (event.events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0;
        out.writable = (event.events & EPOLLOUT) != 0;
        break;
      case kTimerTag: break;  // arm() sets it anew when the deadline is known
      case kStopTag: {
        std::uint64_t drained = 0;
        [[maybe_unused]] const ssize_t ignored = ::read(stop_.get(), &drained, sizeof(drained));
        break;
      }
      default: call(static_cast<int>(event.data.u64 & 0xffffffff), event.data.u64 >> 32);
    }
  }
  if (!always_ready_.empty()) {
    calling_ = always_ready_;
    for (const int fd : calling_) {
      const auto found = watches_.find(fd);
      if (found != watches_.end() && found->second->always_ready) call(fd, found->second->generation & kGenerationMask);
    }
  }
  return out;
}

void Poller::call(int fd, std::uint64_t generation) {
  const auto found = watches_.find(fd);
  if (found == watches_.end() || (found->second->generation & kGenerationMask) != generation) return;
  const std::shared_ptr<Watch> keep = found->second;  // the callback may unwatch or replace itself
  keep->callback();
}

void Poller::request_stop() noexcept {
  const int saved = errno;  // a signal handler must leave it as it was
  stop_requested_.store(true);
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t ignored = ::write(stop_.get(), &one, sizeof(one));  // full: it is readable already
  errno = saved;
}

bool Poller::take_stop() { return stop_requested_.exchange(false); }

static_assert(std::atomic<bool>::is_always_lock_free, "stop() is called from signal handlers");

}  // namespace mxp
