#include "mxp/key_log_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

#include "trace/file_error.h"
#include "trace/json_text.h"
#include "trace/torn_line.h"

namespace mxp {
namespace {

// Appends one line. Its id is the one in the packets that the secret protects, which is the receiver's.
void append_line(std::string& text, std::string_view flow, std::uint32_t phase, ConnectionId id, ByteView secret) {
  fmt::format_to(std::back_inserter(text), "MXP_{}_TRAFFIC_SECRET_{} ", flow, phase);
  trace_json::append_hex(text, id.bytes());
  text += ' ';
  trace_json::append_hex(text, secret);
  text += '\n';
}

// The owner of the file can read all secrets that are appended to it, so a file that belongs to neither this user nor
// root is refused (EPERM). So is a block device, whose content would be destroyed (ENOTSUP).
int objection_to(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return errno;
  if (S_ISBLK(status.st_mode)) return ENOTSUP;
  return status.st_uid == ::geteuid() || status.st_uid == 0 ? 0 : EPERM;
}

}  // namespace

std::string key_log_lines(const TraceSecrets& secrets) {
  std::string lines;
  // Room for all of it at once, so that no copy of a secret is left behind in freed memory.
  lines.reserve(256 + 2 * (secrets.client_to_server.size() + secrets.server_to_client.size()));
  append_line(lines, "C2S", secrets.phase, secrets.server_id, secrets.client_to_server);
  append_line(lines, "S2C", secrets.phase, secrets.client_id, secrets.server_to_client);
  return lines;
}

std::expected<std::unique_ptr<KeyLogFile>, IoError> KeyLogFile::open(const std::string& path,
                                                                     std::function<void(const IoError&)> on_error) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
  if (fd < 0) return std::unexpected(file_error("open the key log", path, errno));
  if (const int code = objection_to(fd); code != 0) {
    ::close(fd);
    return std::unexpected(file_error("use as a key log", path, code));
  }
  return std::unique_ptr<KeyLogFile>(new KeyLogFile(fd, path, std::move(on_error)));
}

KeyLogFile::KeyLogFile(int fd, std::string path, std::function<void(const IoError&)> on_error)
    : fd_(fd), path_(std::move(path)), on_error_(std::move(on_error)), torn_(ends_in_torn_line(fd)) {}

KeyLogFile::~KeyLogFile() { ::close(fd_); }

// 0, or the errno of what did not work.
int KeyLogFile::append(std::string_view lines) {
  const std::size_t size = lines.size();
  while (!lines.empty()) {
    const ssize_t written = ::write(fd_, lines.data(), lines.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      torn_ = torn_ || lines.size() < size;
      return written < 0 ? errno : EIO;
    }
    torn_ = false;
    lines.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

void KeyLogFile::on(Timestamp, ConnectionId, const TraceEvent& event) {
  const auto* secrets = std::get_if<TraceSecrets>(&event);
  if (secrets == nullptr) return;
  std::string lines = key_log_lines(*secrets);
  if (torn_) lines.insert(0, 1, '\n');  // the broken line stays one line; there is room for it
  const int code = append(lines);
  ::explicit_bzero(lines.data(), lines.size());
  if (code == 0 || told_) return;
  told_ = true;
  if (on_error_) on_error_(file_error("write the key log", path_, code));
}

}  // namespace mxp
