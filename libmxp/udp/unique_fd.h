// A descriptor that is closed when its owner is destroyed; for the library's sockets and the tools' files alike.
#pragma once

#include <unistd.h>

#include <utility>

namespace mxp {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  // Closes what it had at once, not when `other` goes.
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~UniqueFd() {
    if (fd_ >= 0) ::close(fd_);
  }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  explicit operator bool() const { return valid(); }
  // Hands the descriptor out; it is the caller's to close.
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1) {
    UniqueFd former;
    former.fd_ = std::exchange(fd_, fd);
  }

 private:
  int fd_ = -1;
};

}  // namespace mxp
