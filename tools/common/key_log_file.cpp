#include "common/key_log_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "common/escape.h"

namespace mxp::tools {
namespace {

// What the user can only mend by naming another file is a usage error.
ErrorKind kind_of(int code) {
  return code == EPERM || code == ELOOP || code == ENOTSUP ? ErrorKind::usage : ErrorKind::io;
}

std::string text_of(const char* path, int code) {
  const std::string name = escape(path);
  switch (code) {
    case EPERM:
      return fmt::format("the key log {} (from MXPKEYLOGFILE) belongs to another user, who could read this traffic",
                         name);
    case ELOOP:
      return fmt::format("the key log {} (from MXPKEYLOGFILE) is a symbolic link: name the file itself", name);
    default: return fmt::format("cannot open the key log {} (from MXPKEYLOGFILE): {}", name, std::strerror(code));
  }
}

}  // namespace

Result<std::unique_ptr<KeyLogFile>> key_log_from_environment(Output& output) {
  const char* path = std::getenv("MXPKEYLOGFILE");
  if (path == nullptr || *path == '\0') return nullptr;
  auto file = KeyLogFile::open(path, [&output](const IoError& error) { output.warning("cannot " + error.message); });
  if (!file) return fail(kind_of(file.error().code), text_of(path, file.error().code));
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
