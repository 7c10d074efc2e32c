// --stats streams: what each direction of each stream carried.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <tuple>
#include <vector>

#include "mxp-dump/dissect/number_ledger.h"
#include "mxp-dump/dissect/record.h"

namespace mxp::dump {

class StatsStreams {
 public:
  // Our choice: those that came first; with their ledgers at most 18 MiB, and usually less than 1.
  static constexpr std::size_t kMaxStreams = 4096;

  void see(const PacketRecord& record);
  void drop(std::uint64_t connection);
  std::vector<nlohmann::json> rows() const;
  // STREAM frames of streams that are not among the rows, for want of room.
  std::uint64_t frames_not_listed() const { return frames_not_listed_; }

 private:
  struct Key {
    std::uint64_t connection, stream;
    TrafficDirection direction;
    auto operator<=>(const Key&) const = default;
  };
  struct Stream {
    std::uint64_t bytes = 0, repeated = 0, packets = 0, last_packet = 0;
    std::optional<std::uint64_t> first_ns, last_ns, reset_code;
    bool fin = false;
    NumberLedger ledger;
  };
  Stream* find(const PacketRecord& record, StreamId id);
  static void touch(Stream& stream, const PacketRecord& record);

  std::map<Key, Stream> streams_;
  std::uint64_t frames_not_listed_ = 0;
};

}  // namespace mxp::dump
