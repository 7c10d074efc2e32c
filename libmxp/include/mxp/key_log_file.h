// A key log in a file (docs/protocol.md §8), as programs write them for TLS: with it mxp-dump shows what is inside the
// packets. WHOEVER HAS THE FILE CAN READ THE TRAFFIC: write one only where the user asked for it.
//
//   auto keys = KeyLogFile::open(path);
//   if (!keys) return complain(keys.error());
//   auto loop = EventLoop::create(socket, config, handler, keys->get());
//
// Outlives the loop or endpoint that it is given to. Threads: one object for each endpoint; several objects, also of
// several processes, may append to one file.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "mxp/error.h"
#include "mxp/trace.h"

#pragma GCC visibility push(default)
namespace mxp {

// Both lines of a key phase, each with its newline, for sinks that write elsewhere. The text is as secret as what it
// holds.
std::string key_log_lines(const TraceSecrets& secrets);

class KeyLogFile final : public TraceSink {
 public:
  // Appends to `path`. A new file gets mode 0600; an existing one keeps its mode. `on_error` is called from within on()
  // for the first write that fails (a full disk, say), and must not call the endpoint; the connection goes on without
  // its log. Errors: the system's; also ELOOP for a symbolic link, which is not followed; EPERM for a file that belongs
  // to neither this process's user nor root, since its owner could read all that is appended; ENOTSUP for a block
  // device.
  static std::expected<std::unique_ptr<KeyLogFile>, IoError> open(const std::string& path,
                                                                  std::function<void(const IoError&)> on_error = {});
  ~KeyLogFile() override;
  KeyLogFile(const KeyLogFile&) = delete;
  KeyLogFile& operator=(const KeyLogFile&) = delete;

  // Appends both lines of a TraceSecrets in one piece; ignores all other events.
  void on(Timestamp now, ConnectionId connection, const TraceEvent& event) override;

 private:
  KeyLogFile(int fd, std::string path, std::function<void(const IoError&)> on_error);
  int append(std::string_view lines);

  int fd_;
  std::string path_;
  std::function<void(const IoError&)> on_error_;
  bool told_ = false;
  bool torn_ = false;  // the file ends within a line, of ours or of an earlier run
};

}  // namespace mxp
#pragma GCC visibility pop
