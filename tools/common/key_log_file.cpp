#include "common/key_log_file.h"

#include <fmt/format.h>

#include <cstdlib>

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
  return std::move(*file);
}

}  // namespace mxp::tools
