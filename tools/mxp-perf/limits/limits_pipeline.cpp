#include "mxp-perf/limits/limits_pipeline.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "udp/clock.h"
#include "udp/linux_carrier.h"

namespace mxp::perf {

namespace {

struct Arrived {
  std::uint64_t bytes;
  std::int64_t nanoseconds;  // first to last
};

SocketConfig loopback_socket() { return {.bind = SocketAddress::ipv4(127, 0, 0, 1, 0)}; }

// Runs in the child. Counts what comes until nothing has come for a while.
[[noreturn]] void count_and_exit(Carrier& carrier, const std::function<std::size_t(const ReceivedRun&)>& receive,
                                 int report_fd) {
  constexpr int kFirstWaitMs = 5000, kSilenceMs = 200;
  Arrived arrived{0, 0};
  Timestamp first{}, last{};
  bool any = false;
  for (;;) {
    pollfd readable{carrier.fd(), POLLIN, 0};
    if (poll(&readable, 1, any ? kSilenceMs : kFirstWaitMs) <= 0) break;
    for (;;) {
      const ReceiveResult result = carrier.receive();
      if (result.runs.empty()) break;
      last = monotonic_now();
      for (const ReceivedRun& run : result.runs) {
        const std::size_t useful = receive(run);
        // The first run only starts the clock, as in a test.
        if (!any) first = last, any = true;
        else arrived.bytes += useful;
      }
      last = monotonic_now();
      if (result.status != ReceiveStatus::more) break;
    }
  }
  arrived.nanoseconds = (last - first).count();
  const bool told = write(report_fd, &arrived, sizeof arrived) == static_cast<ssize_t>(sizeof arrived);
  _exit(told ? 0 : 1);
}

}  // namespace

pid_t fork_partner() {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);  // it had ended before we asked to end with it
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
  }
  return child;
}

tools::Result<double> measure_pipeline(Duration duration, std::size_t datagram_bytes,
                                       const std::function<std::size_t(MutableBytes)>& fill,
                                       const std::function<std::size_t(const ReceivedRun&)>& receive) {
  auto receiver = make_linux_carrier(loopback_socket());
  auto sender = make_linux_carrier(loopback_socket());
  if (!receiver) return tools::fail(tools::ErrorKind::network, receiver.error().message);
  if (!sender) return tools::fail(tools::ErrorKind::network, sender.error().message);
  int report[2];
  if (pipe(report) != 0) return tools::fail_errno(tools::ErrorKind::io, "pipe", errno);
  const pid_t child = fork_partner();
  if (child < 0) return tools::fail_errno(tools::ErrorKind::io, "fork", errno);
  if (child == 0) {
    close(report[0]);
    count_and_exit(**receiver, receive, report[1]);
  }
  close(report[1]);

  std::vector<std::uint8_t> buffer(65536);
  const SocketAddress to = (*receiver)->local_address();
  for (const Timestamp end = monotonic_now() + duration; monotonic_now() < end;) {
    const std::size_t used = fill(buffer);
    OutgoingRun run{Transmit{to, {}, datagram_bytes, used}, ByteView(buffer).first(used)};
    while ((*sender)->send({&run, 1}) != SendStatus::all_sent) {
      pollfd writable{(*sender)->fd(), POLLOUT, 0};
      poll(&writable, 1, 10);
    }
  }
  Arrived arrived{};
  const bool heard = read(report[0], &arrived, sizeof arrived) == static_cast<ssize_t>(sizeof arrived);
  close(report[0]);
  waitpid(child, nullptr, 0);
  if (!heard || arrived.nanoseconds <= 0)
    return tools::fail(tools::ErrorKind::network, "the calibrator's receiver got nothing over loopback");
  return static_cast<double>(arrived.bytes) * 8e9 / static_cast<double>(arrived.nanoseconds);
}

}  // namespace mxp::perf
