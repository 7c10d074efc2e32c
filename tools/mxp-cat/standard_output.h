// stdout without waiting: gathers small pieces into large writes, and says when it has no room.
// What it was given is written at the end of that turn of the loop at the latest.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "common/tool_error.h"
#include "mxp/bytes.h"
#include "mxp/event_loop.h"
#include "udp/unique_fd.h"

namespace mxp::tools {

class StandardOutput {
 public:
  explicit StandardOutput(EventLoop& loop);
  ~StandardOutput();
  StandardOutput(const StandardOutput&) = delete;
  StandardOutput& operator=(const StandardOutput&) = delete;

  // Takes what there is room for. Nothing is taken after an error.
  std::size_t take(ByteView data);
  // Takes all of it, or nothing where there is no room. What is larger than the buffer is taken when nothing else
  // waits.
  bool take_whole(ByteView data);
  // Takes all of it, beyond the bound: for what a closed connection still held (at most its flow-control window).
  void take_all(ByteView data);

  bool drained() const { return start_ == buffer_.size(); }
  const std::optional<ToolError>& error() const { return error_; }

  // Called from the loop when everything that was taken has been written, or has failed for good.
  void when_drained(std::function<void()> callback) { on_drained_ = std::move(callback); }

 private:
  void schedule();
  // Writes until empty, blocked or failed.
  void flush();
  void notify();

  EventLoop& loop_;
  int fd_ = 1;
  UniqueFd reopened_;
  bool is_socket_ = false;
  bool flags_changed_ = false;
  bool blocked_ = false;
  bool scheduled_ = false;
  std::size_t start_ = 0;  // of what is not yet written
  std::vector<std::uint8_t> buffer_;
  std::optional<ToolError> error_;
  std::function<void()> on_drained_;
};

}  // namespace mxp::tools
