#include "mxp-perf/baseline/tls_baseline.h"

#include <fmt/format.h>
#include <unistd.h>

#include <vector>

#include "mxp-perf/baseline/tls_session.h"
#include "mxp-perf/partner.h"
#include "mxp-perf/workloads/bulk.h"
#include "mxp-perf/workloads/latency_histogram.h"
#include "udp/clock.h"

namespace mxp::perf {

using tools::ErrorKind;

namespace {

constexpr std::size_t kTlsChunk = 256 * 1024;  // that one write offers, as for MXP

// What the receiver of bulk data counted; it goes through a pipe between the two processes.
struct Counted {
  std::uint64_t bytes = 0;
  std::int64_t nanoseconds = 0;
};

// Both ends of bulk data, whichever process they are in.
// `signals` end it early; the child gets none.
bool goes_on(const tools::SignalWatch* signals) { return signals == nullptr || signals->received() == 0; }

void send_bulk(TlsSession& session, Timestamp end, const tools::SignalWatch* signals) {
  const std::vector<std::uint8_t> chunk(kTlsChunk, 0x5a);
  while (monotonic_now() < end && goes_on(signals) && session.write(chunk)) {
  }
}

Counted receive_bulk(TlsSession& session, const Workload& workload, const tools::SignalWatch* signals) {
  BulkMeter meter(workload.omit, workload.duration);
  std::vector<std::uint8_t> buffer(kTlsChunk);
  while (const std::size_t got = session.read_some(buffer)) {
    const Timestamp now = monotonic_now();
    meter.on_bytes(now, got);
    if ((meter.closes() && now > *meter.closes()) || !goes_on(signals)) break;
  }
  return {.bytes = meter.bytes(), .nanoseconds = (meter.last() - meter.first()).count()};
}

class TlsServer {
 public:
  TlsServer(const Workload& workload, SSL_CTX* context, int listener, int report_fd)
      : workload_(workload), context_(context), listener_(listener), report_fd_(report_fd) {}

  // In the child, until it is killed.
  [[noreturn]] void run() {
    for (;;) {
      auto session = TlsSession::accept(context_, listener_);
      if (session) serve(*session);
    }
  }

 private:
  void serve(TlsSession& session) {
    if (workload_.test == Test::rr) return echo(session);
    std::vector<std::uint8_t> byte(1);
    if (workload_.test == Test::connect) return (void)session.read_some(byte);  // until the client is gone
    if (workload_.flow == LoadDirection::down) return send_bulk(session, monotonic_now() + workload_.duration, nullptr);
    const Counted counted = receive_bulk(session, workload_, nullptr);
    if (write(report_fd_, &counted, sizeof counted) != static_cast<ssize_t>(sizeof counted)) _exit(1);
  }
  void echo(TlsSession& session) {
    std::vector<std::uint8_t> call(workload_.size);
    while (session.read(call) && session.write(call)) {
    }
  }

  const Workload& workload_;
  SSL_CTX* context_;
  int listener_;
  int report_fd_;
};

class TlsClient {
 public:
  TlsClient(const Options& options, SSL_CTX* context, std::uint16_t port, int report_fd,
            const tools::SignalWatch& signals)
      : options_(options),
        workload_(options.workload),
        context_(context),
        port_(port),
        report_fd_(report_fd),
        signals_(signals) {}

  std::expected<TlsFigures, std::string> measure() {
    if (workload_.test == Test::connect) return measure_handshakes();
    auto session = TlsSession::connect(context_, port_, options_.mtu);
    if (!session) return std::unexpected(session.error());
    return workload_.test == Test::rr ? measure_calls(*session) : measure_bulk(*session);
  }

 private:
  std::expected<TlsFigures, std::string> measure_bulk(TlsSession& session) {
    Counted counted;
    if (workload_.flow == LoadDirection::down) {
      counted = receive_bulk(session, workload_, &signals_);
    } else {
      send_bulk(session, monotonic_now() + workload_.duration, &signals_);
      session.close();
      if (read(report_fd_, &counted, sizeof counted) != static_cast<ssize_t>(sizeof counted))
        return std::unexpected("its server counted nothing");
    }
    if (counted.nanoseconds <= 0) return std::unexpected("no data came through");
    return TlsFigures{.goodput_bits_per_second =
                          static_cast<double>(counted.bytes) * 8e9 / static_cast<double>(counted.nanoseconds)};
  }

  std::expected<TlsFigures, std::string> measure_calls(TlsSession& session) {
    std::vector<std::uint8_t> call(workload_.size, 0x5a);
    return measure_each([&]() -> std::expected<Timestamp, std::string> {
      if (!session.write(call) || !session.read(call)) return std::unexpected("the connection was lost");
      return monotonic_now();
    });
  }

  std::expected<TlsFigures, std::string> measure_handshakes() {
    return measure_each([&]() -> std::expected<Timestamp, std::string> {
      auto session = TlsSession::connect(context_, port_, options_.mtu);
      if (!session) return std::unexpected(session.error());
      const Timestamp done = monotonic_now();
      session->close();
      return done;
    });
  }

  // One after the other, until the duration is over. `one` returns when it was answered.
  template <typename One>
  std::expected<TlsFigures, std::string> measure_each(const One& one) {
    LatencyHistogram latency;
    const Timestamp begin = monotonic_now() + workload_.omit, end = begin - workload_.omit + workload_.duration;
    std::uint64_t in_time = 0;
    for (Timestamp now = monotonic_now(); now < end && signals_.received() == 0; now = monotonic_now()) {
      const auto done = one();
      if (!done) return std::unexpected(done.error());
      if (now < begin) continue;
      latency.record(*done - now);
      if (*done < end) ++in_time;
    }
    if (latency.count() == 0) return std::unexpected("interrupted, or nothing was answered");
    const double per_second = static_cast<double>(in_time) / std::chrono::duration<double>(end - begin).count();
    TlsFigures figures{.latency_us = latency.percentiles()};
    (workload_.test == Test::connect ? figures.handshakes_per_second : figures.messages_per_second) = per_second;
    return figures;
  }

  const Options& options_;
  const Workload& workload_;
  SSL_CTX* context_;
  std::uint16_t port_;
  int report_fd_;
  const tools::SignalWatch& signals_;
};

}  // namespace

std::optional<std::string> why_no_baseline(const Options& options) {
  const Workload& workload = options.workload;
  if (options.command != Command::run)
    return "--baseline is for mxp-perf run: a server offers no other protocol, and no second port";
  if (!options.link.empty())
    return "--baseline excludes --link: the emulated link carries UDP, and TLS would go around it";
  if (options.waiting == Waiting::spinning) return "--baseline excludes --busy-poll: TLS would sleep where MXP spins";
  if (workload.test != Test::bulk && workload.test != Test::rr && workload.test != Test::connect)
    return fmt::format("--baseline is not for --test {}: it is for bulk, rr and connect", to_string(workload.test));
  if (workload.test == Test::bulk && workload.flow == LoadDirection::both)
    return "--baseline excludes --bidir: one direction is compared";
  if (workload.connections > 1 || workload.streams > 1 || (workload.test == Test::connect && workload.outstanding > 1))
    return "--baseline excludes --parallel, --streams and --rate: one connection is compared, with one call at a time";
  if (workload.calls_per_second > 0)
    return "--baseline excludes --rate: calls are compared one at a time, the next one when one is answered";
  return std::nullopt;
}

tools::Result<TlsFigures> measure_tls(const Options& options, std::string_view suite,
                                      const tools::SignalWatch& signals) {
  auto contexts = make_tls_contexts(suite);
  if (!contexts) return std::unexpected(contexts.error());
  auto listener = TlsListener::open(options.mtu);
  if (!listener) return std::unexpected(listener.error());
  const auto partner = Partner::start([&](int report_fd) -> int {
    TlsServer(options.workload, contexts->server.get(), listener->fd.get(), report_fd).run();
  });
  if (!partner) return std::unexpected(partner.error());
  auto figures = TlsClient(options, contexts->client.get(), listener->port, partner->from_it(), signals).measure();
  if (!figures) return tools::fail(ErrorKind::network, "--baseline tls: " + figures.error());
  return *figures;
}

}  // namespace mxp::perf
