#include "common/write_all.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/escape.h"

namespace mxp::tools {
namespace {

std::string reason_of(int errno_value) {
  switch (errno_value) {
    case EPIPE: return "its reader is gone (broken pipe)";
    case EBADF: return "it is closed";
    default: return std::strerror(errno_value);
  }
}

}  // namespace

int write_all_or_errno(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd writable{.fd = fd, .events = POLLOUT, .revents = 0};
      ::poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

Result<void> write_all(int fd, std::string_view bytes, std::string_view name) {
  if (const int error = write_all_or_errno(fd, bytes); error != 0) return std::unexpected(write_error(name, error));
  return {};
}

ToolError write_error(std::string_view name, int errno_value) {
  return {ErrorKind::io, fmt::format("cannot write to {}: {}", escape(name), reason_of(errno_value)), errno_value};
}

}  // namespace mxp::tools
