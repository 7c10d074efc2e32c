#include "common/read_all.h"

#include <unistd.h>

#include <array>
#include <cerrno>

namespace mxp::tools {

std::expected<std::string, int> read_all_or_errno(int fd, std::size_t most) {
  std::string content;
  std::array<char, 64 * 1024> chunk;
  for (;;) {
    const ssize_t size = ::read(fd, chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::unexpected(errno);
    if (size == 0) return content;
    content.append(chunk.data(), static_cast<std::size_t>(size));
    if (content.size() > most) return std::unexpected(EFBIG);
  }
}

}  // namespace mxp::tools
