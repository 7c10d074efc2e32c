// A process beside this one for the other end of a measurement, with a pipe from it. It ends with its object, and with
// this process whatever ends that.
#pragma once

#include <sys/types.h>

#include <functional>

#include "common/tool_error.h"
#include "udp/unique_fd.h"

namespace mxp::perf {

// fork() for such a process: its child ends together with this one, and ignores SIGINT and SIGTERM: Ctrl-C goes to
// both, and this end would wait for ever for an answer.
pid_t fork_partner();

class Partner {
 public:
  // `work` runs in the child, with the end of the pipe to write to; what it returns is the exit code.
  static tools::Result<Partner> start(const std::function<int(int to_us)>& work);
  Partner(Partner&& other) noexcept;
  Partner& operator=(Partner&&) = delete;
  ~Partner();  // the child has nothing to save

  pid_t process() const { return process_; }
  // Its end of the pipe is closed when it has ended.
  int from_it() const { return from_it_.get(); }

 private:
  Partner(pid_t process, UniqueFd from_it) : process_(process), from_it_(std::move(from_it)) {}

  pid_t process_;
  UniqueFd from_it_;
};

}  // namespace mxp::perf
