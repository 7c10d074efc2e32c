#include "mxp-perf/workloads/streams_test.h"

#include <algorithm>
#include <utility>

namespace mxp::perf {

StreamsTest::StreamsTest(const Workload& workload, EventLoop& loop, const ClientLoads& loads)
    : workload_(workload),
      loads_(loads),
      payload_(workload.size, 0x5a),
      calls_(workload, loop, workload.most_waiting(), [this](std::uint64_t number) { return open(number); }) {}

std::expected<void, std::string> StreamsTest::begin(Timestamp now) {
  for (const auto& [connection, load] : loads_) connections_.push_back(connection);
  calls_.begin(now);
  if (workload_.calls_per_second == 0 && streams_.empty())
    return std::unexpected("the server allows no streams for the test");
  return {};
}

bool StreamsTest::open(std::uint64_t number) {
  // Each connection in turn; one whose peer allows no more streams now is passed over.
  for (std::size_t tried = 0; tried < connections_.size(); ++tried) {
    Connection& connection = *connections_[next_connection_++ % connections_.size()];
    const auto id = connection.open_stream(StreamType::bidirectional);
    if (!id) continue;
    ShortStream& stream = streams_[{&connection, id->value()}];
    stream = {.number = number, .to_write = payload_.size(), .to_receive = payload_.size()};
    write(connection, *id, stream);
    return true;
  }
  return false;
}

void StreamsTest::write(Connection& connection, StreamId id, ShortStream& stream) {
  const auto written = connection.write(id, ByteView(payload_).last(stream.to_write));
  if (!written) return;
  stream.to_write -= *written;
  if (stream.to_write == 0) (void)connection.finish(id);
}

void StreamsTest::on_writable(Connection& connection, StreamId id) {
  const auto found = streams_.find({&connection, id.value()});
  if (found != streams_.end() && found->second.to_write > 0) write(connection, id, found->second);
}

void StreamsTest::on_data(Connection& connection, StreamId id, std::size_t count, bool fin) {
  heard_data_ = heard_data_ || count > 0;
  const auto found = streams_.find({&connection, id.value()});
  if (found == streams_.end()) return;
  found->second.to_receive -= std::min<std::uint64_t>(count, found->second.to_receive);
  if (!fin) return;
  // A stream that ends before all its bytes are back is no answer.
  const ShortStream stream = found->second;
  streams_.erase(found);
  const bool whole = stream.to_receive == 0;
  if (whole ? calls_.on_answer(stream.number) : calls_.on_failure(stream.number)) calls_.go_on();
}

std::optional<LoadDirection> StreamsTest::stuck() const {
  return heard_data_ ? std::nullopt : std::optional(LoadDirection::both);
}

std::string StreamsTest::describe_rate(double per_second) const { return format_call_rate(per_second) + " streams/s"; }

void StreamsTest::add_to(Result& result) {
  calls_.add_to(result);
  result.bytes = calls_.book().measured() * workload_.size;
  result.streams_per_second = std::exchange(result.messages_per_second, std::nullopt);
}

}  // namespace mxp::perf
