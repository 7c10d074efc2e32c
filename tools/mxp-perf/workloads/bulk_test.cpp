#include "mxp-perf/workloads/bulk_test.h"

#include <algorithm>
#include <chrono>

#include "common/units.h"

namespace mxp::perf {

namespace {

double seconds_between(Timestamp first, Timestamp last) {
  return std::max(0.0, std::chrono::duration<double>(last - first).count());
}

}  // namespace

BulkTest::BulkTest(const Workload& workload, EventLoop& loop, const ClientLoads& loads)
    : workload_(workload), loop_(loop), loads_(loads), meter_(workload.omit, workload.duration) {}

std::expected<void, std::string> BulkTest::begin(Timestamp now) {
  if (!sends()) return {};
  loop_.at(now + workload_.omit, [this] {
    if (abandoned_) return;
    counting_since_ = last_progress_ = loop_.now();
    acknowledged_before_ = last_acknowledged_ = acknowledged();
  });
  for (const auto& [connection, load] : loads_)
    if (!senders_.try_emplace(connection, *connection).first->second.start(workload_.streams))
      return std::unexpected("the server allows too few streams");
  return {};
}

void BulkTest::on_data(Connection&, StreamId, std::size_t count, bool) { meter_.on_bytes(loop_.now(), count); }

void BulkTest::on_writable(Connection& connection, StreamId id) {
  if (const auto found = senders_.find(&connection); found != senders_.end()) found->second.on_writable(id);
}

void BulkTest::stop() {
  for (auto& [connection, sender] : senders_) sender.stop();
}

std::optional<LoadDirection> BulkTest::stuck() const {
  if (workload_.flow != LoadDirection::up && meter_.total() == 0) return LoadDirection::down;
  if (sends() && acknowledged() == 0) return LoadDirection::up;
  return std::nullopt;
}

std::uint64_t BulkTest::acknowledged() const {
  if (!sends()) return 0;
  std::uint64_t total = 0, control = 0;
  for (const auto& [connection, load] : loads_) {
    total += connection->stats().stream_bytes_acknowledged;
    control += load.control_bytes;
  }
  return total - std::min(total, control);
}

void BulkTest::note_acknowledged() {
  if (!counting_since_) return;
  const std::uint64_t count = acknowledged();
  if (count <= last_acknowledged_) return;  // less: a control line went out and is not acknowledged yet
  last_acknowledged_ = count;
  last_progress_ = loop_.now();
}

std::string BulkTest::describe_rate(double bytes_per_second) const {
  return tools::format_bit_rate(bytes_per_second * 8);
}

void BulkTest::add_to(Result& result) {
  // The bytes delivered at the receivers, over the time from the first to the last of them. In a test both ways: the
  // sum of both, over the longer of the two times.
  result.bytes = meter_.bytes();
  result.seconds = seconds_between(meter_.first(), meter_.last());
  if (sends() && all_reported(loads_)) {
    ArrivalSpan span;
    for (const auto& [connection, load] : loads_) {
      if (load.report->bytes == 0) continue;
      result.bytes += load.report->bytes;
      span.add(*load.report);
    }
    result.seconds = std::max(result.seconds, span.seconds());
  } else if (sends() && counting_since_) {
    note_acknowledged();
    result.bytes += last_acknowledged_ - acknowledged_before_;
    result.seconds = std::max(result.seconds, seconds_between(*counting_since_, last_progress_));
  }
  if (result.seconds > 0) result.goodput_bits_per_second = static_cast<double>(result.bytes) * 8 / result.seconds;
}

}  // namespace mxp::perf
