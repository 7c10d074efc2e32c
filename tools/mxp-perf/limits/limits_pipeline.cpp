#include "mxp-perf/limits/limits_pipeline.h"

#include <poll.h>
#include <unistd.h>

#include <vector>

#include "mxp-perf/partner.h"
#include "udp/clock.h"
#include "udp/linux_carrier.h"

namespace mxp::perf {

namespace {

struct Arrived {
  std::uint64_t bytes;
  std::int64_t nanoseconds;  // first to last
};

SocketConfig loopback_socket() { return {.bind = SocketAddress::ipv4(127, 0, 0, 1, 0)}; }

// Runs in the child. Counts what comes until nothing has come for a while. Returns its exit code.
int count_arrivals(Carrier& carrier, const std::function<std::size_t(const ReceivedRun&)>& receive, int report_fd) {
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
  return write(report_fd, &arrived, sizeof arrived) == static_cast<ssize_t>(sizeof arrived) ? 0 : 1;
}

}  // namespace

tools::Result<double> measure_pipeline(Duration duration, std::size_t datagram_bytes,
                                       const std::function<std::size_t(MutableBytes)>& fill,
                                       const std::function<std::size_t(const ReceivedRun&)>& receive) {
  auto receiver = make_linux_carrier(loopback_socket());
  auto sender = make_linux_carrier(loopback_socket());
  if (!receiver) return tools::fail(tools::ErrorKind::network, receiver.error().message);
  if (!sender) return tools::fail(tools::ErrorKind::network, sender.error().message);
  const auto partner = Partner::start([&](int report_fd) { return count_arrivals(**receiver, receive, report_fd); });
  if (!partner) return std::unexpected(partner.error());

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
  const bool heard = read(partner->from_it(), &arrived, sizeof arrived) == static_cast<ssize_t>(sizeof arrived);
  if (!heard || arrived.nanoseconds <= 0)
    return tools::fail(tools::ErrorKind::network, "the calibrator's receiver got nothing over loopback");
  return static_cast<double>(arrived.bytes) * 8e9 / static_cast<double>(arrived.nanoseconds);
}

}  // namespace mxp::perf
