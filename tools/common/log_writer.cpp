#include "common/log_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "common/counted.h"

namespace mxp::tools {
namespace {

// As much again as a pipe holds.
constexpr std::size_t kKeptBytes = 64u << 10;

bool writable(int fd, std::chrono::milliseconds wait) {
  pollfd state{.fd = fd, .events = POLLOUT, .revents = 0};
  return ::poll(&state, 1, static_cast<int>(wait.count())) == 1;
}

}  // namespace

LogWriter::LogWriter(int fd) : fd_(fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return;
  if (S_ISREG(status.st_mode)) kind_ = Kind::file;
  if (S_ISSOCK(status.st_mode)) kind_ = Kind::socket;
  if (kind_ != Kind::stream) return;
  // O_NONBLOCK belongs to the open file, which others share (a terminal with the shell): so open it anew for ourselves.
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) return;
  reopened_ =
      UniqueFd(::open(fmt::format("/proc/self/fd/{}", fd).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (reopened_) fd_ = reopened_.get();
}

std::size_t LogWriter::send(std::string_view text) {
  std::size_t sent = 0;
  while (sent < text.size()) {
    std::string_view rest = text.substr(sent);
    if (kind_ == Kind::stream && !reopened_) {
      // A pipe that poll(2) calls writable takes PIPE_BUF bytes without waiting.
      if (!writable(fd_, std::chrono::milliseconds(0))) return sent;
      rest = rest.substr(0, PIPE_BUF);
    }
    const ssize_t written = kind_ == Kind::socket ? ::send(fd_, rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                                                  : ::write(fd_, rest.data(), rest.size());
    if (written >= 0) sent += static_cast<std::size_t>(written);
    else if (errno == EAGAIN || errno == EWOULDBLOCK) return sent;
    else if (errno != EINTR) return text.size();  // nowhere left to complain
  }
  return sent;
}

void LogWriter::send_kept() {
  if (kept_.empty()) return;
  const std::size_t sent = send(kept_);
  if (sent > 0) given_up_ = false;
  kept_.erase(0, sent);
  if (!kept_.empty() || dropped_ == 0) return;
  const std::string notice =
      "(" + counted(dropped_, "message was", "messages were") + " dropped here: nobody read stderr)\n";
  dropped_ = 0;
  kept_ = notice.substr(send(notice));
}

void LogWriter::write(std::string_view text) {
  send_kept();
  if (kept_.empty()) {
    text.remove_prefix(send(text));
    kept_ = text;
  } else if (kept_.size() + text.size() <= kKeptBytes) {
    kept_ += text;
  } else {
    ++dropped_;
  }
}

void LogWriter::flush(std::chrono::milliseconds patience) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + patience;
  send_kept();
  while (!kept_.empty() && !given_up_) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0 || !writable(fd_, left)) {
      given_up_ = true;
      return;
    }
    send_kept();
  }
}

LogWriter& stderr_log() {
  static LogWriter log(STDERR_FILENO);
  return log;
}

}  // namespace mxp::tools
