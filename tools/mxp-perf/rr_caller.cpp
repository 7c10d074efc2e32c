#include "mxp-perf/rr_caller.h"

namespace mxp::perf {

RrCaller::RrCaller(std::uint64_t size, std::function<Timestamp()> now) : request_(size, 0x5a), now_(std::move(now)) {}

void RrCaller::add_stream(Connection& connection, StreamId id, bool call_at_once) {
  Line& line = lines_[{&connection, id.value()}];
  line.connection = &connection;
  line.id = id;
  if (call_at_once) {
    call(line, now_());
  } else {
    open_loop_ = true;
    idle_.push_back(&line);
  }
}

void RrCaller::call_due(Timestamp due) {
  if (stopped_) return;
  if (idle_.empty()) {
    overdue_.push_back(due);
    return;
  }
  Line& line = *idle_.front();
  idle_.pop_front();
  call(line, due);
}

void RrCaller::call(Line& line, Timestamp due) {
  line.due = due;
  line.sent = open_loop_ ? now_() : due;
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
  if (found == lines_.end()) return;
  Line& line = found->second;
  line.to_receive -= std::min<std::uint64_t>(count, line.to_receive);
  if (line.to_receive > 0) return;
  const Timestamp now = now_();
  --outstanding_;
  if (measuring_) {
    latency_.record(now - line.due);
    service_time_.record(now - line.sent);
  }
  if (stopped_) return;
  if (!open_loop_) return call(line, now);
  if (overdue_.empty()) {
    idle_.push_back(&line);
  } else {
    const Timestamp due = overdue_.front();
    overdue_.pop_front();
    call(line, due);
  }
}

}  // namespace mxp::perf
