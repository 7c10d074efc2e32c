#include "common/key_log_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "common/digest.h"

namespace mxp::tools {

std::string key_log_lines(const TraceSecrets& secrets) {
  // Each line carries the id that stands in the packets of its direction: the receiver's (docs/protocol.md §8).
  return fmt::format("MXP_C2S_TRAFFIC_SECRET_{0} {1} {2}\nMXP_S2C_TRAFFIC_SECRET_{0} {3} {4}\n",
                     static_cast<unsigned>(secrets.phase), to_hex(secrets.server_id.bytes()),
                     to_hex(secrets.client_to_server), to_hex(secrets.client_id.bytes()),
                     to_hex(secrets.server_to_client));
}

Result<std::unique_ptr<KeyLogFile>> KeyLogFile::open(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600));
  if (!fd)
    return fail_errno(ErrorKind::io, fmt::format("cannot open the key log {} (from MXPKEYLOGFILE)", path), errno);
  return std::unique_ptr<KeyLogFile>(new KeyLogFile(std::move(fd), path));
}

Result<std::unique_ptr<KeyLogFile>> KeyLogFile::from_environment(Output& output) {
  const char* path = std::getenv("MXPKEYLOGFILE");
  if (path == nullptr || *path == '\0') return nullptr;
  auto file = open(path);
  if (file) {
    output.warning(
        fmt::format("MXPKEYLOGFILE is set: session secrets are written to {}; who has it can read this traffic", path));
  }
  return file;
}

void KeyLogFile::on(Timestamp, ConnectionId, const TraceEvent& event) {
  const auto* secrets = std::get_if<TraceSecrets>(&event);
  if (secrets == nullptr) return;
  std::string lines = key_log_lines(*secrets);
  ssize_t written = 0;
  do {
    written = ::write(fd_.get(), lines.data(), lines.size());
  } while (written < 0 && errno == EINTR);
  const bool whole = written == static_cast<ssize_t>(lines.size());
  ::explicit_bzero(lines.data(), lines.size());
  if (!whole && !complained_) {
    // The session is worth more than its log: say so once and go on.
    complained_ = true;
    std::fprintf(stderr, "warning: key log %s: %s\n", path_.c_str(),
                 written < 0 ? std::strerror(errno) : "short write");
  }
}

}  // namespace mxp::tools
