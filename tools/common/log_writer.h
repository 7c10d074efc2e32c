// What a tool says on stderr, which somebody may have stopped reading: saying it never waits for them.
// What does not go out at once is kept, up to a bound, and tried again with the next message and at the end. Beyond the
// bound messages are dropped whole and counted, and the count is told when there is room again.
// Results do not pass here: those wait for their reader (common/write_all.h).
// Threads: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "udp/unique_fd.h"

namespace mxp::tools {

class LogWriter {
 public:
  // `fd` stays the caller's, and its flags, which other processes may share, stay as they are.
  explicit LogWriter(int fd);

  void write(std::string_view text);
  // For the last word, or a line that a script waits for: waits at most `patience` for a reader to take what is kept.
  // A reader that let one wait end in vain is not waited for again before it has taken something.
  void flush(std::chrono::milliseconds patience);

  std::uint64_t dropped() const { return dropped_; }  // messages, since the last that told of them

 private:
  enum class Kind : std::uint8_t { file, stream, socket };

  void send_kept();
  // Bytes written; fewer than asked where nobody reads. What cannot be written at all is gone.
  std::size_t send(std::string_view text);

  int fd_;
  Kind kind_ = Kind::stream;
  UniqueFd reopened_;
  std::string kept_;
  std::uint64_t dropped_ = 0;
  bool given_up_ = false;  // a wait has ended in vain
};

// The process's stderr.
LogWriter& stderr_log();
// How long the tools wait for a reader of their last word.
inline constexpr std::chrono::milliseconds kLastWordPatience{1000};

}  // namespace mxp::tools
