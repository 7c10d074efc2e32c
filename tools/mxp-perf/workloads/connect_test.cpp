#include "mxp-perf/workloads/connect_test.h"

#include <utility>

#include "common/escape.h"
#include "mxp/endpoint.h"

namespace mxp::perf {

ConnectTest::ConnectTest(const Workload& workload, EventLoop& loop, const ClientLoads& loads, const PublicKey& key)
    : loop_(loop),
      loads_(loads),
      key_(key),
      calls_(workload, loop, workload.most_waiting(), [this](std::uint64_t number) { return connect(number); }) {}

std::expected<void, std::string> ConnectTest::begin(Timestamp now) {
  // begin() is called from a callback of the connection on which the test was agreed on.
  loop_.at(now, [this, now] { calls_.begin(now); });
  return {};
}

bool ConnectTest::connect(std::uint64_t number) {
  const SocketAddress& server = loads_.begin()->first->remote_address();
  const auto connection = loop_.endpoint().connect(loop_.now(), server, key_);
  if (!connection) return false;
  shaking_hands_.emplace(*connection, number);
  return true;
}

void ConnectTest::go_on_later() {
  if (std::exchange(timer_set_, true)) return;
  loop_.at(loop_.now(), [this] {
    timer_set_ = false;
    calls_.go_on();
  });
}

bool ConnectTest::on_connected(Connection& connection) {
  const auto found = shaking_hands_.find(&connection);
  if (found == shaking_hands_.end()) return false;
  (void)calls_.on_answer(found->second);
  shaking_hands_.erase(found);
  closing_.insert(&connection);
  transport_.add(connection.stats());
  connection.close(static_cast<AppErrorCode>(AppCode::done), "done");
  go_on_later();
  return true;
}

bool ConnectTest::on_closed(Connection& connection, const CloseInfo& info) {
  if (closing_.erase(&connection) > 0) return true;
  const auto found = shaking_hands_.find(&connection);
  if (found == shaking_hands_.end()) return false;
  (void)calls_.on_failure(found->second);
  shaking_hands_.erase(found);
  if (first_failure_.empty()) first_failure_ = info.reason;
  go_on_later();
  return true;
}

std::optional<LoadDirection> ConnectTest::stuck() const {
  return calls_.book().answered() == 0 ? std::optional(LoadDirection::both) : std::nullopt;
}

std::string ConnectTest::what_is_missing() const {
  return "no handshake came to its end" + (first_failure_.empty() ? "" : " (" + tools::escape(first_failure_) + ")");
}

std::string ConnectTest::describe_rate(double per_second) const {
  return format_call_rate(per_second) + " handshakes/s";
}

void ConnectTest::add_to(Result& result) {
  calls_.add_to(result);
  result.handshakes_per_second = std::exchange(result.messages_per_second, std::nullopt);
  result.transport = transport_;
  for (const auto& [connection, load] : loads_) result.transport.add(connection->stats());
  if (result.calls) result.calls->first_failure = first_failure_;
}

}  // namespace mxp::perf
