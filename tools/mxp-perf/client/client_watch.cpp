// The client's talk with the server on the control streams, and what it concludes from silence.
#include <fmt/format.h>

#include <algorithm>

#include "common/escape.h"
#include "common/units.h"
#include "mxp-perf/client/client.h"
#include "mxp-perf/client/client_errors.h"
#include "mxp-perf/client/client_limits.h"

namespace mxp::perf {

using tools::ErrorKind;

void Client::send_control(Connection& connection, ClientLoad& load, const nlohmann::json& line) {
  load.control_bytes += send_line(connection, load.control, line);
}

void Client::on_control(Connection& connection, ClientLoad& load, ByteView data, bool fin) {
  if (!load.reader.add(data)) return fail(ErrorKind::peer, "the server's answer is too long; is it `mxp-perf server`?");
  while (const auto line = load.reader.poll_line()) {
    on_line(connection, load, *line);
    if (phase_ == Phase::over) return;
  }
  if (fin && !load.report)
    fail(ErrorKind::peer, fmt::format("{}: the peer ended the control stream {}; is it `mxp-perf server`?",
                                      server_.to_string(), load.ready ? "without a report" : "without an answer"));
}

void Client::on_line(const Connection& connection, ClientLoad& load, const std::string& line) {
  if (!load.ready) {
    if (!is_mark(line, Mark::ready))
      return fail(ErrorKind::peer, "the server's answer is not understood: " + tools::escape(line));
    load.ready = true;
    if (++ready_ == workload_.connections) begin_on_time();
    else loop_->at(loop_->now(), [this] { connect_more(); });  // later, because this is a callback of a connection
    return;
  }
  if (const auto sample = parse_clock_answer(line, loop_->now().time_since_epoch().count())) {
    if (!clock_.add(*sample))
      return fail(ErrorKind::peer, fmt::format("{}: the server's clock cannot be so", server_.to_string()));
    if (phase_ == Phase::running) loop_->at(loop_->now() + kClockPause, [this] { ask_for_clock(); });
    return;
  }
  const bool first = !load.report;
  load.report = parse_report(line);
  if (!load.report || !first || phase_ == Phase::connecting) {
    load.report.reset();
    return fail(ErrorKind::peer, "the server's report is not understood: " + tools::escape(line));
  }
  const ConnectionStats stats = connection.stats();
  const Duration passed = loop_->now() - begun_;
  const std::uint64_t datagrams = workload_.test == Test::datagrams ? stats.datagrams.sent : 0;
  const ReportBounds bounds{.sent = stats.stream_bytes_sent - load.control_bytes + datagrams * workload_.size,
                            .datagrams = datagrams,
                            .messages = stats.messages_sent,
                            // Datagrams count whenever they arrive: the path may hold the last ones.
                            .counted = workload_.test == Test::datagrams ? passed : workload_.duration - workload_.omit,
                            .passed = passed};
  if (const auto contradiction = why_impossible(*load.report, bounds)) {
    load.report.reset();
    return fail(ErrorKind::peer,
                fmt::format("{}: the server's report cannot be true: {}. The result is what this end saw",
                            server_.to_string(), *contradiction));
  }
  ++reported_;
  if (phase_ == Phase::ending) finish_when_done();
}

void Client::begin_on_time() {
  const double left = options_.start_at ? *options_.start_at - unix_seconds() : 0;
  if (left <= 0) {
    if (options_.start_at)
      output_.warning(fmt::format("the test begins {} after --start-at: client and server were not ready before",
                                  tools::format_duration(seconds_as_duration(-left))));
    return begin();
  }
  // Later, by the clock that --start-at means, which may be set meanwhile: so it is looked at again.
  loop_->at(loop_->now() + std::min<Duration>(seconds_as_duration(left), std::chrono::seconds(1)), [this] {
    if (phase_ != Phase::connecting) return;
    if (unix_seconds() >= *options_.start_at) begin();
    else begin_on_time();
  });
}

// On the first connection; the answer brings the next one.
void Client::ask_for_clock() {
  if (phase_ != Phase::running) return;
  auto& [connection, load] = *loads_.begin();
  send_control(*connection, load, clock_question(loop_->now().time_since_epoch().count()));
}

void Client::tick() {
  if (phase_ == Phase::over) return;
  if (phase_ == Phase::connecting) {
    check_requests();
  } else {
    test_->on_tick();
    if (phase_ == Phase::ending && test_->settled()) ask_for_reports();
  }
  loop_->at(loop_->now() + kTick, [this] { tick(); });
}

void Client::check_requests() {
  const Timestamp now = loop_->now();
  for (const auto& [connection, load] : loads_) {
    if (load.ready || !load.asked || now < *load.asked + kReadyLimit) continue;
    const bool arrived = connection->stats().stream_bytes_acknowledged >= load.control_bytes;
    const tools::ToolError error =
        no_answer_to_request(server_, arrived ? RequestFate::arrived : RequestFate::unknown, now - *load.asked);
    return fail(error.kind, error.message);
  }
}

void Client::tell_interval() {
  if (phase_ != Phase::running) return;
  intervals_.tell(loop_->now(), test_->progress());
  // The last one ends with the test: what would be left of one that began just before says little.
  const Timestamp next = loop_->now() + interval(), end = begun_ + workload_.duration;
  if (next + interval() / 8 < end) loop_->at(next, [this] { tell_interval(); });
}

// Without a word of the user's as long as a tenth of the test, and a second at most.
Duration Client::interval() const {
  if (options_.interval > Duration::zero()) return options_.interval;
  return std::clamp<Duration>(workload_.duration / 10, kMinInterval, std::chrono::seconds(1));
}

std::uint64_t Client::packets_received() const {
  std::uint64_t total = 0;
  for (const auto& [connection, load] : loads_) total += connection->stats().packets_received;
  return total;
}

}  // namespace mxp::perf
