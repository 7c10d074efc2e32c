#include "common/key_log_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdlib>

#include "common/escape.h"

namespace mxp::tools {

Result<std::unique_ptr<KeyLogFile>> key_log_from_environment(Output& output) {
  const char* path = std::getenv("MXPKEYLOGFILE");
  if (path == nullptr || *path == '\0') return nullptr;
  auto file = KeyLogFile::open(path, [&output](const IoError& error) { output.warning("cannot " + error.message); });
  if (!file)
    return fail_errno(ErrorKind::io, fmt::format("cannot open the key log {} (from MXPKEYLOGFILE)", path),
                      file.error().code);
  output.warning(
      fmt::format("MXPKEYLOGFILE is set: session secrets are written to {}; who has it can read this traffic", path));
  // KeyLogFile makes a new file 0600 and leaves an old one's mode alone: it may be meant so, as for a group that
  // debugs.
  struct stat status{};
  if (::stat(path, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & (S_IRGRP | S_IROTH)) != 0)
    output.warning(fmt::format("others can read the key log {0} (mode {1:04o}): run `chmod 600 {0}`", escape(path),
                               status.st_mode & 07777));
  return std::move(*file);
}

}  // namespace mxp::tools
