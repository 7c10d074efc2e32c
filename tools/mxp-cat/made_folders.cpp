#include "mxp-cat/made_folders.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string_view>

#include "udp/unique_fd.h"

namespace mxp::tools {
namespace {

// Without following links, as the folder was made.
UniqueFd open_below(int folder, std::string_view path) {
  UniqueFd at(::fcntl(folder, F_DUPFD_CLOEXEC, 3));
  while (at && !path.empty()) {
    const auto slash = path.find('/');
    const std::string component(path.substr(0, slash));
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
    at = UniqueFd(::openat(at.get(), component.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  }
  return at;
}

}  // namespace

void MadeFolders::set_mode(const std::string& path, std::uint16_t mode) {
  if (const auto made = modes_.find(path); made != modes_.end()) made->second = mode;
}

std::optional<std::string> MadeFolders::apply(int folder) {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  std::optional<std::string> failed;
  int error = 0;
  // Backwards, "a/b" comes before "a", whose mode may close the way to it.
  for (auto made = modes_.rbegin(); made != modes_.rend(); ++made) {
    if (!made->second) continue;
    const UniqueFd at = open_below(folder, made->first);
    if (at && ::fchmod(at.get(), *made->second & ~mask) == 0) continue;
    if (!failed) error = errno;
    if (!failed) failed = made->first;
  }
  modes_.clear();
  errno = error;
  return failed;
}

}  // namespace mxp::tools
