#include "mxp-cat/standard_output.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/write_all.h"

namespace mxp::tools {
namespace {

// Large enough that a write costs little per byte, small enough to stay in the cache.
constexpr std::size_t kBufferBytes = 256u << 10;

}  // namespace

StandardOutput::StandardOutput(EventLoop& loop) : loop_(loop) {
  buffer_.reserve(kBufferBytes);
  struct stat status{};
  if (::fstat(STDOUT_FILENO, &status) != 0 || S_ISREG(status.st_mode)) return;
  is_socket_ = S_ISSOCK(status.st_mode);
  if (is_socket_) return;
  // O_NONBLOCK belongs to the open file, which may be shared with others (a terminal with the shell): open it anew. Not
  // for what was opened read-only: that it refuses writing must show.
  const int flags = ::fcntl(STDOUT_FILENO, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) return;
  reopened_ = UniqueFd(::open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (reopened_) {
    fd_ = reopened_.get();
    return;
  }
  flags_changed_ = (flags & O_NONBLOCK) == 0 && ::fcntl(STDOUT_FILENO, F_SETFL, flags | O_NONBLOCK) == 0;
}

StandardOutput::~StandardOutput() {
  if (blocked_) loop_.unwatch(fd_);
  if (flags_changed_) ::fcntl(STDOUT_FILENO, F_SETFL, ::fcntl(STDOUT_FILENO, F_GETFL) & ~O_NONBLOCK);
}

std::size_t StandardOutput::take(ByteView data) {
  if (error_) return 0;
  if (kBufferBytes - std::min(kBufferBytes, buffer_.size()) < data.size() && !blocked_) flush();
  if (error_ || buffer_.size() >= kBufferBytes) return 0;
  const std::size_t taken = std::min(data.size(), kBufferBytes - buffer_.size());
  buffer_.insert(buffer_.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(taken));
  schedule();
  return taken;
}

bool StandardOutput::take_whole(ByteView data) {
  if (error_) return false;
  if (kBufferBytes - std::min(kBufferBytes, buffer_.size()) < data.size() && !blocked_) flush();
  const bool fits = kBufferBytes - std::min(kBufferBytes, buffer_.size()) >= data.size();
  if (error_ || (!fits && !drained())) return false;
  take_all(data);
  return true;
}

void StandardOutput::take_all(ByteView data) {
  if (error_) return;
  buffer_.insert(buffer_.end(), data.begin(), data.end());
  schedule();
}

void StandardOutput::schedule() {
  if (scheduled_ || blocked_ || drained()) return;
  scheduled_ = true;
  loop_.at(loop_.now(), [this] {
    scheduled_ = false;
    if (blocked_) return;
    flush();
    notify();
  });
}

void StandardOutput::flush() {
  while (!drained() && !error_) {
    const std::size_t left = buffer_.size() - start_;
    const ssize_t written = is_socket_ ? ::send(fd_, buffer_.data() + start_, left, MSG_DONTWAIT | MSG_NOSIGNAL)
                                       : ::write(fd_, buffer_.data() + start_, left);
    if (written >= 0) {
      start_ += static_cast<std::size_t>(written);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (!blocked_) {
        blocked_ = true;
        loop_.watch(fd_, FdEvent::writable, [this] {
          flush();
          notify();
        });
      }
      return;
    }
    error_ = write_error("stdout", errno);
  }
  buffer_.clear();
  start_ = 0;
  if (blocked_) {
    blocked_ = false;
    loop_.unwatch(fd_);
  }
}

void StandardOutput::notify() {
  if ((drained() || error_) && on_drained_) on_drained_();
}

}  // namespace mxp::tools
