// --stats summary: what all connections of a capture add up to. Bounded however long the capture is.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "mxp-dump/connection.h"

namespace mxp::dump {

// What was in the capture besides MXP.
struct CaptureCounts {
  std::uint64_t frames = 0;
  std::uint64_t other_udp = 0;
  std::uint64_t later_fragments = 0;  // IP fragments without a UDP header
  std::uint64_t malformed = 0;        // IP or UDP headers that contradict themselves or were cut off
  std::uint64_t unknown_link_type = 0;
};

class Summary {
 public:
  // A connection of which no more will be seen.
  void add(const Connection& connection);

  bool empty() const { return packets_ == 0; }
  std::uint64_t packets() const { return packets_; }
  std::uint64_t connections() const { return connections_; }

  // `forgotten`: connections that were dropped for want of room; they may be counted twice.
  nlohmann::json to_json(const CaptureCounts& counts, std::uint64_t forgotten) const;
  std::string to_text(const CaptureCounts& counts, std::uint64_t forgotten) const;
  // One line for each thing that keys would add or did not fit; none if all was opened.
  std::vector<std::string> key_notes() const;

 private:
  void add_side(const Connection& connection, TrafficDirection flow);
  std::optional<double> handshake_ms() const;

  std::uint64_t connections_ = 0, packets_ = 0, bytes_ = 0, retransmitted_ = 0;
  std::uint64_t opened_ = 0, no_key_ = 0, not_opened_ = 0;
  std::uint64_t initials_unanswered_ = 0;
  std::optional<std::uint64_t> lost_;
  std::vector<std::uint64_t> handshakes_ns_;           // the first kMaxHandshakes
  std::vector<std::string> missing_ids_, misfit_ids_;  // the first kMaxIds
  std::map<std::uint64_t, std::string> details_;       // by connection number; the first kMaxDetails that came
};

}  // namespace mxp::dump
