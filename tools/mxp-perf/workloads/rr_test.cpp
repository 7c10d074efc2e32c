#include "mxp-perf/workloads/rr_test.h"

namespace mxp::perf {

RrTest::RrTest(const Workload& workload, EventLoop& loop, const ClientLoads& loads)
    : workload_(workload),
      loads_(loads),
      lines_(workload.size, workload.calls_per_second > 0 ? RrLines::WhenBusy::open_more : RrLines::WhenBusy::wait),
      calls_(workload, loop, workload.most_waiting(), [this](std::uint64_t number) { return lines_.call(number); }) {}

std::expected<void, std::string> RrTest::begin(Timestamp now) {
  for (const auto& [connection, load] : loads_)
    if (!lines_.add_connection(*connection, workload_.streams))
      return std::unexpected("the server allows too few streams");
  calls_.begin(now);
  return {};
}

void RrTest::on_data(Connection& connection, StreamId id, std::size_t count, bool) {
  heard_data_ = true;
  const auto number = lines_.on_data(connection, id, count);
  if (number && calls_.on_answer(*number)) calls_.go_on();
}

std::optional<LoadDirection> RrTest::stuck() const {
  return heard_data_ ? std::nullopt : std::optional(LoadDirection::both);
}

std::string RrTest::describe_rate(double calls_per_second) const {
  return format_call_rate(calls_per_second) + " calls/s";
}

void RrTest::add_to(Result& result) {
  calls_.add_to(result);
  result.bytes = calls_.book().measured() * workload_.size;
}

}  // namespace mxp::perf
