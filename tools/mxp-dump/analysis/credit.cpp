#include "mxp-dump/analysis/credit.h"

#include <algorithm>

namespace mxp::dump {

void Credit::from_sender(const Frame& frame, std::int64_t time_ns, std::uint64_t number) {
  if (const auto* blocked = std::get_if<DataBlockedFrame>(&frame)) {
    begin({Kind::connection, 0}, blocked->limit, time_ns, number);
  } else if (const auto* stream = std::get_if<StreamDataBlockedFrame>(&frame)) {
    begin({Kind::stream, stream->stream.value()}, stream->limit, time_ns, number);
  } else if (const auto* messages = std::get_if<MessagesBlockedFrame>(&frame)) {
    begin({Kind::messages, 0}, messages->bytes, time_ns, number);
  } else if (const auto* data = std::get_if<StreamFrame>(&frame)) {
    if (data->data.empty()) return;
    resume({Kind::connection, 0}, time_ns);
    resume({Kind::stream, data->stream.value()}, time_ns);
  } else if (std::holds_alternative<MessageFrame>(frame) || std::holds_alternative<MessagePartFrame>(frame)) {
    resume({Kind::messages, 0}, time_ns);
  }
}

void Credit::from_receiver(const Frame& frame, std::int64_t time_ns) {
  if (const auto* data = std::get_if<MaxDataFrame>(&frame)) grant({Kind::connection, 0}, data->limit, time_ns);
  else if (const auto* stream = std::get_if<MaxStreamDataFrame>(&frame))
    grant({Kind::stream, stream->stream.value()}, stream->limit, time_ns);
  else if (const auto* messages = std::get_if<MaxMessagesFrame>(&frame))
    grant({Kind::messages, 0}, messages->bytes, time_ns);
}

void Credit::begin(Key key, std::uint64_t limit, std::int64_t time_ns, std::uint64_t number) {
  const auto known = waiting_.find(key);
  if (known != waiting_.end()) {
    if (limit <= known->second.limit) return;  // said again
    end(known, time_ns);
  }
  if (waiting_.size() == kMaxWaiting) return;
  waiting_[key] = {limit, time_ns, std::nullopt};
  Waits& waits = waits_[static_cast<std::size_t>(key.kind)];
  ++waits.count;
  waits.evidence.add(number);
}

void Credit::grant(Key key, std::uint64_t limit, std::int64_t time_ns) {
  const auto it = waiting_.find(key);
  if (it == waiting_.end() || limit <= it->second.limit || it->second.granted_ns) return;
  it->second.granted_ns = time_ns;
}

void Credit::resume(Key key, std::int64_t time_ns) {
  if (waiting_.empty()) return;
  const auto it = waiting_.find(key);
  if (it != waiting_.end() && it->second.granted_ns) end(it, time_ns);
}

void Credit::end(std::map<Key, Waiting>::iterator it, std::int64_t time_ns) {
  Waits& waits = waits_[static_cast<std::size_t>(it->first.kind)];
  const std::int64_t waited = std::max<std::int64_t>(time_ns - it->second.since_ns, 0);
  waits.total_ns += waited;
  waits.grant_ns += std::max<std::int64_t>(it->second.granted_ns.value_or(time_ns) - it->second.since_ns, 0);
  if (waited >= waits.longest_ns) {
    waits.longest_ns = waited;
    if (it->first.kind == Kind::stream) waits.stream = StreamId(it->first.stream);
  }
  waiting_.erase(it);
}

void Credit::finish(std::int64_t time_ns) {
  while (!waiting_.empty()) end(waiting_.begin(), time_ns);
}

}  // namespace mxp::dump
