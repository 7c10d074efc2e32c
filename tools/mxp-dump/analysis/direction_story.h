// What is known of the packets that one side of a connection sends, and of how the other side acknowledged them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "mxp-dump/analysis/credit.h"
#include "mxp-dump/analysis/flight.h"
#include "mxp-dump/analysis/history.h"
#include "mxp-dump/analysis/loss_pattern.h"
#include "mxp-dump/analysis/number_gaps.h"
#include "mxp-dump/analysis/round_trip.h"
#include "mxp-dump/analysis/size_story.h"
#include "mxp-dump/analysis/time_account.h"
#include "mxp-dump/dissect/record.h"

namespace mxp::dump {

struct DirectionStory {
  std::uint64_t packets = 0, bytes = 0;
  std::uint64_t short_packets = 0, opened = 0;
  std::uint64_t data_packets = 0, data_bytes = 0, acks_only = 0;
  std::uint64_t full_packets = 0;  // of data, as large as the largest or nearly
  std::uint64_t filled = 0;        // sent again what was lost before the capture saw it
  std::uint64_t late_here = 0, late_after = 0, deepest_late = 0;
  std::uint64_t marks = 0;  // packets that arrived with a mark of congestion, as the receiver has counted
  std::int64_t first_ns = 0, last_ns = 0;
  std::uint32_t largest_data = 0;
  Evidence duplicates, damaged, repeated, fills, late, unread, marked;

  Flight flight;
  NumberGaps gaps;
  LossPattern lost_after;  // captured, and lost between here and the receiver
  RoundTrip round_trip;
  History history;
  SizeStory sizes;
  Credit credit;
  TimeAccount account;

  // A packet that this side sent.
  void sent(const PacketRecord& record, std::int64_t time_ns, std::int64_t last_answer_ns);
  // The other side's acknowledgement of such packets.
  void acknowledged(const AckFrame& frame, std::int64_t time_ns, std::uint64_t frame_number);
  void finish(std::int64_t time_ns);

  bool drained() const { return drained_; }
  bool recovering() const { return recovery_ends_.has_value(); }
  // When an answer to what is under way is late: two round trips after the last one came, or after the first packet
  // that waits for one. 0: none is awaited.
  std::int64_t overdue_ns() const;
  std::uint64_t lost() const { return lost_after.lost_packets() + gaps.lost_before().lost_packets(); }
  // Data that was sent again although the capture has nothing that was lost.
  std::uint64_t needless() const {
    // What is lost goes again in one packet, or in two where it is cut anew.
    const std::uint64_t needed = 2 * lost();
    return round_trip.samples() > 0 && repeated.count() > needed ? repeated.count() - needed : 0;
  }

 private:
  struct StreamPlace {
    std::uint64_t highest = 0;
  };
  static constexpr std::size_t kMaxStreams = 256;  // our choice: whose data is followed
  struct Content {
    std::uint64_t data = 0;
    bool eliciting = false, ack = false, probe_only = true, fills = false;
    NumberGaps::Continuity continuity = NumberGaps::Continuity::unknown;
  };
  Content look_into(const PacketRecord& record);
  Flight::Settled settled();

  std::map<std::uint64_t, StreamPlace> streams_;
  double full_size_ = 0;
  bool drained_ = true;
  std::optional<std::uint64_t> recovery_ends_;  // once a number from here on is acknowledged
  std::uint64_t last_marks_ = 0;
  std::int64_t awaiting_since_ns_ = 0;
};

}  // namespace mxp::dump
