// --stats summary: what all connections of a capture add up to. Its memory is bounded however long the capture is.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "mxp-dump/dissect/connection.h"
#include "mxp-dump/link/fragments.h"

namespace mxp::dump {

// What was in the capture besides MXP.
struct CaptureCounts {
  std::uint64_t frames = 0;
  std::uint64_t other_udp = 0;
  Fragments::Counts fragments;
  std::uint64_t malformed = 0;  // IP or UDP headers that contradict themselves or were cut off
  std::uint64_t unknown_link_type = 0;
  // How many frames were not looked into, by what they are: link types that are not read, and tunnels.
  std::map<std::string, std::uint64_t> not_looked_into;
  std::uint64_t cut_headers = 0;   // packets of MXP cut before their connection id
  std::uint64_t out_of_order = 0;  // frames whose time is before that of the frame before
  bool unsorted = false;           // and they were too many to be put in order, or compressed
  bool compressed = false;         // the file

  std::uint64_t not_looked_into_total() const;
  // "12 frames of link type 147, 3 of GRE"; empty if there are none.
  std::string not_looked_into_text() const;
};

class Summary {
 public:
  // A connection of which no more will be seen.
  void add(const Connection& connection);

  bool empty() const { return packets_ == 0; }
  std::uint64_t packets() const { return packets_; }
  std::uint64_t connections() const { return connections_; }

  // `forgotten` is how many connections were dropped for want of room; they may be counted twice.
  nlohmann::json to_json(const CaptureCounts& counts, std::uint64_t forgotten) const;
  std::string to_text(const CaptureCounts& counts, std::uint64_t forgotten) const;
  // One line for each thing that stands between the user and the whole truth; none if all was read.
  std::vector<std::string> notes(const CaptureCounts& counts) const;

 private:
  // A sum that is known only if it is known for every direction.
  struct Figure {
    std::uint64_t sum = 0;
    bool known = true;
    std::optional<std::uint64_t> value() const { return known ? std::optional(sum) : std::nullopt; }
  };

  void add_side(const Connection& connection, TrafficDirection direction);
  bool one_direction() const { return server_packets_ == 0 && confirmed_without_answer_; }
  std::optional<std::uint64_t> lost() const;
  std::uint64_t unanswered() const { return one_direction() ? 0 : unanswered_; }

  std::uint64_t connections_ = 0, packets_ = 0, bytes_ = 0;
  std::uint64_t duplicates_ = 0, damaged_ = 0, cut_ = 0, not_verifying_ = 0, handshake_repeats_ = 0;
  std::uint64_t opened_ = 0, no_key_ = 0, not_opened_ = 0;  // not_opened_: of directions of which nothing opened
  std::uint64_t unanswered_ = 0, server_packets_ = 0;
  bool confirmed_without_answer_ = false;  // a client's 1-RTT packets, and nothing of its server
  Figure retransmitted_, lost_, not_captured_, unknown_;
  bool any_lost_known_ = false;                                  // of some direction acknowledgements were read
  std::vector<std::uint64_t> handshakes_ns_, confirmations_ns_;  // the first kMaxHandshakes
  std::vector<std::string> missing_ids_, misfit_ids_;            // the first kMaxIds
  std::map<std::uint64_t, std::string> details_;  // by connection number; the first kMaxDetails that came
};

}  // namespace mxp::dump
