#include "mxp-dump/output/stats_streams.h"

#include <nlohmann/json.hpp>

#include "mxp-dump/dissect/words.h"

namespace mxp::dump {

StatsStreams::Stream* StatsStreams::find(const PacketRecord& record, StreamId id) {
  const Key key{record.connection, id.value(), record.direction};
  if (const auto found = streams_.find(key); found != streams_.end()) return &found->second;
  if (streams_.size() == kMaxStreams) {
    ++frames_not_listed_;
    return nullptr;
  }
  return &streams_[key];
}

void StatsStreams::touch(Stream& stream, const PacketRecord& record) {
  if (record.time_ns) {
    stream.first_ns = std::min(stream.first_ns.value_or(*record.time_ns), *record.time_ns);
    stream.last_ns = std::max(stream.last_ns.value_or(*record.time_ns), *record.time_ns);
  }
  // Several frames of one packet count as one. Numbers begin at 0, so they are kept one higher.
  const std::uint64_t number = record.number->value() + 1;
  if (stream.last_packet != number) ++stream.packets;
  stream.last_packet = number;
}

void StatsStreams::see(const PacketRecord& record) {
  if (!record.number || record.duplicate || record.seen_before || record.connection == 0) return;
  for (const Frame& frame : record.frames) {
    if (const auto* data = std::get_if<StreamFrame>(&frame)) {
      Stream* stream = find(record, data->stream);
      if (stream == nullptr) continue;
      touch(*stream, record);
      const std::uint64_t fresh = stream->ledger.add(data->offset, data->offset + data->data.size());
      stream->bytes += fresh;
      stream->repeated += data->data.size() - fresh;
      stream->fin = stream->fin || data->fin;
    } else if (const auto* reset = std::get_if<ResetStreamFrame>(&frame)) {
      Stream* stream = find(record, reset->stream);
      if (stream == nullptr) continue;
      touch(*stream, record);
      stream->reset_code = reset->code;
    }
  }
}

void StatsStreams::drop(std::uint64_t connection) {
  const auto first = streams_.lower_bound({connection, 0, TrafficDirection::client_to_server});
  streams_.erase(first, streams_.lower_bound({connection + 1, 0, TrafficDirection::client_to_server}));
}

std::vector<nlohmann::json> StatsStreams::rows() const {
  std::vector<nlohmann::json> rows;
  for (const auto& [key, stream] : streams_) {
    nlohmann::json row{{"connection", key.connection},
                       {"stream", key.stream},
                       {"direction", direction_word(key.direction)},
                       {"bytes", stream.bytes},
                       {"packets", stream.packets},
                       {"retransmitted_bytes", stream.repeated},
                       {"fin", stream.fin}};
    if (stream.first_ns) row["first"] = static_cast<double>(*stream.first_ns) / 1e9;
    if (stream.last_ns) row["last"] = static_cast<double>(*stream.last_ns) / 1e9;
    if (stream.reset_code) row["reset"] = *stream.reset_code;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace mxp::dump
