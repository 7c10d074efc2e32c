// The key log named by MXPKEYLOGFILE (docs/protocol.md §8), as SSLKEYLOGFILE is for TLS: whoever has it can read the
// traffic. Lines are appended whole, so that several processes may share one file.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "common/output.h"
#include "common/tool_error.h"
#include "common/unique_fd.h"
#include "mxp/trace.h"

namespace mxp::tools {

class KeyLogFile : public TraceSink {
 public:
  // Appends to `path`; a new file gets mode 0600.
  static Result<std::unique_ptr<KeyLogFile>> open(const std::string& path);
  // Null if MXPKEYLOGFILE is unset or empty. Warns on `output`, loudly, if it is set.
  static Result<std::unique_ptr<KeyLogFile>> from_environment(Output& output);

  void on(Timestamp now, ConnectionId connection, const TraceEvent& event) override;

 private:
  KeyLogFile(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  UniqueFd fd_;
  std::string path_;
  bool complained_ = false;
};

// Both lines of one key phase, each with its newline.
std::string key_log_lines(const TraceSecrets& secrets);

}  // namespace mxp::tools
