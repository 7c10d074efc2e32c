#include "mxp-perf/workloads/rr_caller.h"

#include <algorithm>
#include <cmath>

#include "mxp-perf/options.h"

namespace mxp::perf {

RrCaller::RrCaller(std::uint64_t size, std::function<Timestamp()> now) : request_(size, 0x5a), now_(std::move(now)) {}

bool RrCaller::add_stream(Connection& connection) {
  const auto id = connection.open_stream(StreamType::bidirectional);
  if (!id) return false;
  Line& line = lines_[{&connection, id->value()}];
  line.connection = &connection;
  line.id = *id;
  idle_.push_back(&line);
  return true;
}

bool RrCaller::add_connection(Connection& connection, unsigned streams) {
  connections_.push_back(&connection);
  for (unsigned i = 0; i < streams; ++i)
    if (!add_stream(connection)) return false;
  return true;
}

bool RrCaller::add_stream_somewhere() {
  while (!connections_.empty() && lines_.size() < kMaxStreamsInAll) {
    next_connection_ %= connections_.size();
    Connection* const connection = connections_[next_connection_];
    if (add_stream(*connection)) return ++next_connection_, true;
    connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(next_connection_));
  }
  return false;
}

void RrCaller::begin_closed_loop(Timestamp measured_from) {
  measured_from_ = measured_from;
  for (; !idle_.empty(); idle_.pop_front()) call(*idle_.front(), now_());
}

void RrCaller::begin_open_loop(Timestamp begin, Timestamp measured_from, double calls_per_second) {
  begin_ = begin;
  measured_from_ = measured_from;
  calls_per_second_ = calls_per_second;
}

Timestamp RrCaller::due_time(std::uint64_t number) const {
  // Calculated from the number and not step by step, so that rounding does not add up.
  return begin_ + Duration(std::llround(static_cast<double>(number) * 1e9 / calls_per_second_));
}

std::optional<Timestamp> RrCaller::call_due(Timestamp now) {
  for (;;) {
    const Timestamp due = due_time(made_);
    if (due > now) return due;
    if (idle_.empty() && !add_stream_somewhere()) return std::nullopt;
    Line& line = *idle_.front();
    idle_.pop_front();
    ++made_;
    call(line, due);
  }
}

void RrCaller::call(Line& line, Timestamp due) {
  line.due = due;
  line.sent = calls_per_second_ > 0 ? now_() : due;
  line.to_write = line.to_receive = request_.size();
  ++outstanding_;
  write(line);
}

void RrCaller::write(Line& line) {
  const auto written = line.connection->write(line.id, ByteView(request_).last(line.to_write));
  if (written) line.to_write -= *written;
}

void RrCaller::on_writable(Connection& connection, StreamId id) {
  const auto found = lines_.find({&connection, id.value()});
  if (found != lines_.end() && found->second.to_write > 0) write(found->second);
}

void RrCaller::on_data(Connection& connection, StreamId id, std::size_t count) {
  const auto found = lines_.find({&connection, id.value()});
  if (found == lines_.end() || found->second.to_receive == 0) return;  // not an answer
  Line& line = found->second;
  line.to_receive -= std::min<std::uint64_t>(count, line.to_receive);
  if (line.to_receive > 0) return;
  const Timestamp now = now_();
  --outstanding_;
  ++answered_;
  if (line.due >= measured_from_) {
    latency_.record(now - line.due);
    service_time_.record(now - line.sent);
    shortest_ = std::min(shortest_.value_or(Duration::max()), Duration(now - line.sent));
    last_answer_ = now;
    if (!stopped_at_) ++measured_by_end_;
  }
  if (stopped_at_) return;
  if (calls_per_second_ == 0) return call(line, now);
  idle_.push_back(&line);
}

void RrCaller::stop(Timestamp end) {
  if (stopped_at_) return;
  if (calls_per_second_ > 0) (void)call_due(end - Duration(1));
  stopped_at_ = end;
}

void RrCaller::count_unanswered(Timestamp now) {
  if (!stopped_at_ || unanswered_counted_) return;
  unanswered_counted_ = true;
  for (const auto& [key, line] : lines_) {
    if (line.to_receive == 0 || line.due < measured_from_) continue;
    latency_.record(now - line.due);
    ++unanswered_;
  }
  if (calls_per_second_ == 0) return;
  // Calls that were due and found no free stream. There can be very many, so only every so many is recorded, and it
  // stands for its neighbours.
  constexpr std::uint64_t kMostSteps = 10'000;
  const auto due_before = [this](Timestamp time) {
    const double seconds = std::chrono::duration<double>(time - begin_).count();
    return static_cast<std::uint64_t>(std::max(0.0, std::ceil(seconds * calls_per_second_ - 1e-6)));
  };
  const std::uint64_t end = due_before(*stopped_at_);
  const std::uint64_t first = std::max(made_, due_before(measured_from_));
  if (end <= first) return;
  const std::uint64_t step = (end - first) / kMostSteps + 1;
  for (std::uint64_t number = first; number < end; number += step)
    latency_.record(now - due_time(number), std::min(step, end - number));
  unanswered_ += end - first;
}

}  // namespace mxp::perf
