// Calls and their answers: how long each took, and how much of lower classes the answering side sent meanwhile.
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "mxp-dump/analysis/finding.h"
#include "mxp-dump/dissect/record.h"

namespace mxp::dump {

class CallStory {
 public:
  static constexpr std::size_t kMaxOpen = 256;  // our choice: calls that are followed at a time

  // Of one packet that was opened. `round_trip_ns`: the whole round trip as it is now; 0 if it is not known.
  void add(const PacketRecord& record, std::int64_t time_ns, std::int64_t round_trip_ns);

  std::uint64_t answered() const { return answered_; }
  std::uint64_t held_behind() const { return held_behind_; }
  std::int64_t longest_ns() const { return longest_ns_; }
  std::uint64_t most_bytes_between() const { return most_bytes_; }
  const Evidence& evidence() const { return evidence_; }

 private:
  struct Key {
    TrafficDirection caller;
    std::uint64_t id;
    auto operator<=>(const Key&) const = default;
  };
  struct Open {
    std::int64_t since_ns = 0;
    std::uint64_t lower_bytes = 0;  // of the answering side until then
  };
  std::map<Key, Open> open_;
  std::array<std::uint64_t, 2> lower_bytes_{};  // of classes below critical, by direction
  std::uint64_t answered_ = 0, held_behind_ = 0, most_bytes_ = 0;
  std::int64_t longest_ns_ = 0;
  Evidence evidence_;
};

}  // namespace mxp::dump
