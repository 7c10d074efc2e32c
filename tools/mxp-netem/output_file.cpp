#include "mxp-netem/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "common/escape.h"

namespace mxp::tools {

Result<UniqueFd> open_output_file(const std::string& path, bool force) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY;
  UniqueFd fd(::open(path.c_str(), kFlags | O_EXCL, 0666));
  if (!fd && errno == EEXIST) {
    struct stat info{};
    if (!force && ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
      return fail(ErrorKind::usage, fmt::format("{} exists: use --force to overwrite it", escape(path)));
    }
    fd.reset(::open(path.c_str(), kFlags | O_TRUNC, 0666));
  }
  if (!fd) return fail_errno(ErrorKind::io, fmt::format("cannot write {}", escape(path)), errno);
  return fd;
}

}  // namespace mxp::tools
