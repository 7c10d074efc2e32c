#include "mxp-cat/standard_input.h"

#include <fcntl.h>
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
    return;
  }
  from_program_ = S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode);
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

StandardInput::Outcome StandardInput::read(MutableBytes buffer) {
  if (limited_ && kind_ != Kind::file) buffer = buffer.first(std::min(buffer.size(), budget_));
  if (at_end_ || buffer.empty()) return {Outcome::Kind::end};
  while (true) {
    const ssize_t got = kind_ == Kind::socket ? ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT)
                                              : ::read(fd_, buffer.data(), buffer.size());
    if (got > 0) {
      if (limited_) budget_ -= std::min(budget_, static_cast<std::size_t>(got));
      return {Outcome::Kind::bytes, static_cast<std::size_t>(got)};
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      return {limited_ ? Outcome::Kind::end : Outcome::Kind::nothing_now};
    if (got < 0) return {Outcome::Kind::error, 0, errno};
    at_end_ = true;
    return {Outcome::Kind::end};
  }
}

void StandardInput::stop_after_arrived() {
  if (limited_) return;
  limited_ = true;
  int arrived = 0;
  if (kind_ != Kind::file && ::ioctl(fd_, FIONREAD, &arrived) == 0 && arrived > 0)
    budget_ = static_cast<std::size_t>(arrived);
}

}  // namespace mxp::tools
