// stdin without waiting: a file, a pipe, a terminal or a socket. Its flags are left alone, as other processes may share
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "mxp/bytes.h"
#include "udp/unique_fd.h"

namespace mxp::tools {

class StandardInput {
 public:
  StandardInput();
  ~StandardInput();

  struct ReadResult {
    enum class Kind : std::uint8_t { bytes, nothing_now, end, error };
    Kind kind;
    std::size_t count = 0;  // bytes
    int error = 0;          // errno
  };
  // Never waits. After the end: the end again.
  ReadResult read(MutableBytes buffer);

  int fd() const { return fd_; }
  bool is_terminal() const { return is_terminal_; }
  // Whether all that will ever come has been read. Looks at the descriptor: a limit (below) may have been reached
  // exactly where the writer ended.
  bool at_end() const;
  // Size of the regular file less what had been read of it before us; nothing for any other kind.
  std::optional<std::uint64_t> file_bytes() const { return file_bytes_; }

  // From now on only what has arrived already is read, then the end is told: all of a regular file, what a pipe holds.
  void stop_after_arrived();
  // For the next connection that reads from it.
  void lift_limit() { limited_ = false; }

 private:
  enum class Kind : std::uint8_t { file, stream, socket };

  int fd_ = 0;
  UniqueFd reopened_;
  Kind kind_ = Kind::stream;
  bool is_terminal_ = false;
  bool flags_changed_ = false;
  bool limited_ = false;
  bool at_end_ = false;
  std::size_t budget_ = 0;  // bytes still to be read when limited_
  std::optional<std::uint64_t> file_bytes_;
};

}  // namespace mxp::tools
