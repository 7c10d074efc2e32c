#include "mxp-perf/workloads/rr_lines.h"

#include <algorithm>

namespace mxp::perf {

bool RrLines::add_stream(Connection& connection) {
  const auto id = connection.open_stream(StreamType::bidirectional);
  if (!id) return false;
  Line& line = lines_[{&connection, id->value()}];
  line.connection = &connection;
  line.id = *id;
  idle_.push_back(&line);
  return true;
}

bool RrLines::add_connection(Connection& connection, unsigned streams) {
  connections_.push_back(&connection);
  for (unsigned i = 0; i < streams; ++i)
    if (!add_stream(connection)) return false;
  return true;
}

bool RrLines::add_stream_somewhere() {
  while (!connections_.empty() && lines_.size() < kMaxStreamsInAll) {
    next_connection_ %= connections_.size();
    Connection* const connection = connections_[next_connection_];
    if (add_stream(*connection)) return ++next_connection_, true;
    connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(next_connection_));
  }
  return false;
}

bool RrLines::call(std::uint64_t number) {
  if (idle_.empty() && (when_busy_ == WhenBusy::wait || !add_stream_somewhere())) return false;
  Line& line = *idle_.front();
  idle_.pop_front();
  line.number = number;
  line.to_write = line.to_receive = request_.size();
  write(line);
  return true;
}

void RrLines::write(Line& line) {
  const auto written = line.connection->write(line.id, ByteView(request_).last(line.to_write));
  if (written) line.to_write -= *written;
}

void RrLines::on_writable(const Connection& connection, StreamId id) {
  const auto found = lines_.find({&connection, id.value()});
  if (found != lines_.end() && found->second.to_write > 0) write(found->second);
}

std::optional<std::uint64_t> RrLines::on_data(const Connection& connection, StreamId id, std::size_t count) {
  const auto found = lines_.find({&connection, id.value()});
  if (found == lines_.end() || found->second.to_receive == 0) return std::nullopt;  // not an answer
  Line& line = found->second;
  line.to_receive -= std::min<std::uint64_t>(count, line.to_receive);
  if (line.to_receive > 0) return std::nullopt;
  idle_.push_back(&line);
  return line.number;
}

}  // namespace mxp::perf
