#include "mxp-cat/standard_input.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace mxp::tools {

StandardInput::StandardInput() {
  struct stat status{};
  if (::fstat(STDIN_FILENO, &status) != 0) return;
  if (S_ISREG(status.st_mode)) {
    kind_ = Kind::file;
    const off_t begin = ::lseek(STDIN_FILENO, 0, SEEK_CUR);
    file_bytes_ = begin >= 0 && begin < status.st_size ? static_cast<std::uint64_t>(status.st_size - begin) : 0;
    return;
  }
  is_terminal_ = ::isatty(STDIN_FILENO) == 1;
  if (S_ISSOCK(status.st_mode)) {
    kind_ = Kind::socket;
    return;
  }
  // O_NONBLOCK belongs to the open file, which a terminal shares with the shell: so open it anew for ourselves.
  reopened_ = UniqueFd(::open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (reopened_) {
    fd_ = reopened_.get();
    return;
  }
  const int flags = ::fcntl(STDIN_FILENO, F_GETFL);
  flags_changed_ = flags >= 0 && (flags & O_NONBLOCK) == 0 && ::fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) == 0;
}

StandardInput::~StandardInput() {
  if (flags_changed_) ::fcntl(STDIN_FILENO, F_SETFL, ::fcntl(STDIN_FILENO, F_GETFL) & ~O_NONBLOCK);
}

StandardInput::ReadResult StandardInput::read(MutableBytes buffer) {
  if (limited_ && kind_ != Kind::file) buffer = buffer.first(std::min(buffer.size(), budget_));
  if (at_end_ || buffer.empty()) return {ReadResult::Kind::end};
  while (true) {
    const ssize_t got = kind_ == Kind::socket ? ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT)
                                              : ::read(fd_, buffer.data(), buffer.size());
    if (got > 0) {
      if (limited_) budget_ -= std::min(budget_, static_cast<std::size_t>(got));
      return {ReadResult::Kind::bytes, static_cast<std::size_t>(got)};
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      return {limited_ ? ReadResult::Kind::end : ReadResult::Kind::nothing_now};
    if (got < 0) return {ReadResult::Kind::error, 0, errno};
    at_end_ = true;
    return {ReadResult::Kind::end};
  }
}

bool StandardInput::at_end() const {
  if (at_end_ || !limited_) return at_end_;
  int arrived = 0;
  if (::ioctl(fd_, FIONREAD, &arrived) != 0 || arrived > 0) return false;
  pollfd state{.fd = fd_, .events = POLLRDHUP, .revents = 0};
  return ::poll(&state, 1, 0) == 1 && (state.revents & (POLLHUP | POLLRDHUP)) != 0;
}

void StandardInput::stop_after_arrived() {
  if (limited_) return;
  limited_ = true;
  int arrived = 0;
  if (kind_ != Kind::file && ::ioctl(fd_, FIONREAD, &arrived) == 0 && arrived > 0)
    budget_ = static_cast<std::size_t>(arrived);
}

}  // namespace mxp::tools
