#include "mxp-perf/workloads/message_source.h"

#include <algorithm>
#include <utility>

#include "mxp-perf/workloads/message_meter.h"

namespace mxp::perf {

std::optional<Timestamp> MessageSource::send_due(Timestamp until, Timestamp now) {
  if (std::exchange(blocked_, false)) room_since_ = now;
  std::optional<Timestamp> next;
  for (;; arrivals_->advance()) {
    const Timestamp due = arrivals_->next();
    if (due > until) {
      next = due;
      break;
    }
    if (!send_somewhere({.due = due, .made = now})) {
      blocked_ = true;
      break;
    }
    sender_late_.record(std::max(Duration::zero(), Duration(now - std::max(due, room_since_))));
  }
  flush_burst();
  return next;
}

void MessageSource::flush_burst() {
  std::ranges::sort(burst_);
  const auto twice = std::ranges::unique(burst_);
  burst_.erase(twice.begin(), twice.end());
  for (Connection* connection : burst_) connection->uncork();
  burst_.clear();
}

bool MessageSource::send_somewhere(const CallBook::Call& times) {
  // Each connection in turn; one without room is passed over.
  for (std::size_t full = 0; full < connections_.size(); ++full) {
    Connection& connection = *connections_[next_connection_++ % connections_.size()];
    if (!send(connection, times)) continue;
    if (burst_.empty() || burst_.back() != &connection) burst_.push_back(&connection);
    return true;
  }
  return false;
}

MessageType MessageSource::next_type() const {
  constexpr auto c = MessageType::call, s = MessageType::stream_chunk, e = MessageType::event;
  constexpr MessageType kMixed[] = {c, s, c, e, c, s, c, s, c, e};
  return mix_ == Mix::events ? e : kMixed[taken_ % std::size(kMixed)];
}

bool MessageSource::send(Connection& connection, const CallBook::Call& times) {
  const MessageType type = next_type();
  const bool is_call = type == MessageType::call;
  if (is_call && waiting_calls_.size() == most_calls_) return false;
  if (payload_.size() >= kStampSize) write_stamp(payload_, times.due);
  if (!connection.send_message({.type = type, .id = taken_, .payload = payload_})) return false;
  if (is_call) waiting_calls_.emplace_hint(waiting_calls_.end(), taken_, times);
  ++taken_;
  return true;
}

std::optional<CallBook::Call> MessageSource::on_answer(std::uint64_t id) {
  const auto call = waiting_calls_.find(id);
  if (call == waiting_calls_.end()) return std::nullopt;
  const CallBook::Call times = call->second;
  waiting_calls_.erase(call);
  return times;
}

}  // namespace mxp::perf
