#include "mxp-perf/workloads/message_source.h"

#include <algorithm>
#include <cmath>

#include "mxp-perf/workloads/message_meter.h"

namespace mxp::perf {

Timestamp MessageSource::due_time(std::uint64_t number) const {
  // Calculated from the number and not step by step, so that rounding does not add up.
  return begin_ + Duration(std::llround(static_cast<double>(number) * 1e9 / per_second_));
}

std::uint64_t MessageSource::due_before(Timestamp time) const {
  const double seconds = std::chrono::duration<double>(time - begin_).count();
  return static_cast<std::uint64_t>(std::max(0.0, std::ceil(seconds * per_second_ - 1e-6)));
}

std::optional<Timestamp> MessageSource::send_due(Timestamp now) {
  for (;;) {
    const Timestamp due = due_time(taken_);
    if (due > now) return due;
    // Each connection in turn; one without room is passed over.
    std::size_t full = 0;
    while (full < connections_.size() && !send(*connections_[next_connection_ % connections_.size()], due))
      ++full, ++next_connection_;
    if (full == connections_.size()) return std::nullopt;
    ++next_connection_;
  }
}

MessageType MessageSource::next_type() const {
  constexpr auto c = MessageType::call, s = MessageType::stream_chunk, e = MessageType::event;
  constexpr MessageType kMixed[] = {c, s, c, e, c, s, c, s, c, e};
  return mix_ == Mix::events ? e : kMixed[taken_ % std::size(kMixed)];
}

bool MessageSource::send(Connection& connection, Timestamp due) {
  const MessageType type = next_type();
  const bool is_call = type == MessageType::call;
  if (is_call && waiting_calls_.size() == kMostCalls) return false;
  if (payload_.size() >= kStampSize) write_stamp(payload_, due);
  if (!connection.send_message({.type = type, .id = taken_, .payload = payload_})) return false;
  if (is_call) waiting_calls_.emplace_hint(waiting_calls_.end(), taken_, due);
  ++taken_;
  return true;
}

std::optional<Timestamp> MessageSource::on_answer(std::uint64_t id) {
  const auto call = waiting_calls_.find(id);
  if (call == waiting_calls_.end()) return std::nullopt;
  const Timestamp due = call->second;
  waiting_calls_.erase(call);
  return due;
}

}  // namespace mxp::perf
