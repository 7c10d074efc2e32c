// SIGUSR1 as a readable descriptor: somebody wants to see what the program is about.
#pragma once

#include "udp/unique_fd.h"

namespace mxp::tools {

// One per process. Restores the former disposition when it goes.
class DumpSignal {
 public:
  DumpSignal();
  ~DumpSignal();
  DumpSignal(const DumpSignal&) = delete;
  DumpSignal& operator=(const DumpSignal&) = delete;

  // Readable once a signal came; take() makes it unreadable again.
  int fd() const { return read_end_.get(); }
  void take();

 private:
  UniqueFd read_end_;
  UniqueFd write_end_;
};

}  // namespace mxp::tools
