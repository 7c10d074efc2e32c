#include "trace/torn_line.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

namespace mxp {

bool ends_in_torn_line(int fd) {
  struct stat status{};
  if ((::fcntl(fd, F_GETFL) & O_APPEND) == 0 || ::fstat(fd, &status) != 0) return false;
  if (!S_ISREG(status.st_mode) || status.st_size == 0) return false;
  // The descriptor is for writing only. By its number the same file is opened, whatever its name leads to by now.
  const std::string same_file = fmt::format("/proc/self/fd/{}", fd);
  const int reader = ::open(same_file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (reader < 0) return false;
  char last = '\n';
  const bool read = ::pread(reader, &last, 1, status.st_size - 1) == 1;
  ::close(reader);
  return read && last != '\n';
}

}  // namespace mxp
