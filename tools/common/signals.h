// SIGINT, SIGTERM and SIGHUP as a readable descriptor. The first signal asks for a clean end; a second SIGINT or SIGTERM
// ends the process at once with 130. SIGHUP does not count for that: a terminal that closes may send it twice, by the
// shell and by the kernel, and it may come before a SIGINT that was sent sooner. Where SIGHUP is ignored from the start
// (nohup), it stays ignored.
#pragma once

namespace mxp::tools {

// One per process. Restores the former dispositions when it goes.
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  // Readable once a signal came: EventLoop::watch(fd(), FdEvent::readable, …), or poll(2).
  int fd() const;
  // The signal that came, or 0; after a SIGHUP, the first other one. Also tells without fd(): set inside the signal handler.
  int received() const;
};

// Opens /dev/null in place of a closed stdin, stdout or stderr, so that no socket or file takes its number. A closed
// stdout is made to refuse writing, so that lost data are an error. From then on a write to a reader that is gone, or
// past the limit of a file's size, fails (EPIPE, EFBIG) in place of ending the process by SIGPIPE or SIGXFSZ. The first
// thing a tool's main does.
void prepare_process();

}  // namespace mxp::tools
