// The receiver's side: which packet numbers arrived, when the peer must hear of them, and what the ACK says. The
// policy is that of docs/protocol.md §6, unless the peer has asked for another one with ACK_FREQUENCY. Memory is
// bounded: at most 1 + kMaxAckRanges ranges are kept, and the oldest are forgotten (threat t03). Recording a packet
// costs at most one move of that list, whatever the peer sends. Numbers that arrive in order need one range, so the
// list begins small and grows with the gaps.
#pragma once

#include <algorithm>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <vector>

#include "core/frames.h"
#include "mxp/ecn.h"
#include "mxp/error.h"
#include "mxp/ids.h"
#include "mxp/time.h"
#include "reliability/receive_time_log.h"

namespace mxp {

class AckTracker {
 public:
  // docs/protocol.md §6.
  static constexpr std::uint64_t kEarlyPackets = 100;  // ack-eliciting ones
  static constexpr std::uint32_t kEarlyInterval = 2;
  static constexpr std::uint32_t kInterval = 10;

  // `max_ack_delay` is how long an acknowledgement may be held back, as we announced it to the peer.
  explicit AckTracker(Duration max_ack_delay)
      : min_ack_delay_(announced_min_delay(max_ack_delay)), max_ack_delay_(max_ack_delay) {}
  // The min_ack_delay that goes with it: timers are as fine as that. Whole microseconds.
  static Duration announced_min_delay(Duration max_ack_delay) {
    return std::chrono::floor<std::chrono::microseconds>(
        std::min<Duration>(std::chrono::milliseconds(1), max_ack_delay));
  }

  // The peer wants to be told when packets arrived, and so do we (receive_time_log.h): the `most` newest in each ACK,
  // 1..kMaxReceiveTimes, counted from `epoch`.
  void report_receive_times(std::size_t most, Timestamp epoch) { receive_times_.begin(most, epoch); }

  // The peer asks for another policy than ours. An older request than the latest is ignored. PROTOCOL_VIOLATION for a
  // delay that is shorter than what we announced.
  std::expected<void, TransportError> on_request(const AckFrequencyFrame& frame);
  // The packet that is being read asks for an ACK at once.
  void on_immediate_ack() { at_once_ = true; }

  // A packet was opened and is not a duplicate. A number that is already recorded changes nothing.
  void on_packet_received(Timestamp now, PacketNumber number, bool ack_eliciting, Ecn ecn = Ecn::not_ect);
  // An ACK with ranges() went out, and with those of receive_times() for which there was room.
  void on_ack_sent(Timestamp now);
  // The peer acknowledged a packet that carried an ACK of ours, whose largest number was `largest`. What that ACK said
  // need not be said again, so the ranges up to there are dropped (RFC 9000 §13.2.4). The largest number ever received
  // is kept.
  void on_ack_acknowledged(PacketNumber largest);

  // Whether an ACK must go now, with or without other frames.
  bool ack_due(Timestamp now) const;
  // When an ACK falls due at the latest; kNever if nothing ack-eliciting waits. It lies in the past if an ACK is due at
  // once.
  Timestamp deadline() const;
  // Whether an ACK would tell the peer anything new, so that it is worth adding to a packet that goes anyway.
  bool has_something_new() const { return something_new_; }

  // From the highest to the lowest, at most 1 + kMaxAckRanges; valid until the next call that changes something.
  std::span<const AckRange> ranges() const { return ranges_; }
  // How long the largest number has waited for its ACK; never negative.
  Duration delay(Timestamp now) const;
  // Of the newest ack-eliciting packets since the last ACK, the earliest first; valid until the next call that changes
  // something. Empty if nobody wants them.
  std::span<const ReceiveTime> receive_times() const { return receive_times_.newest(); }
  // nullopt as long as no packet carried a mark.
  std::optional<EcnCounts> ecn() const;

  // Bytes that receive times take; the ranges are among what every connection takes.
  std::size_t memory() const { return receive_times_.memory(); }
  // Gives back memory that only a time with many gaps needed.
  void shrink() { ranges_.shrink_to_fit(); }

 private:
  bool is_due_for_order(std::uint64_t number, std::uint64_t expected) const;
  std::optional<std::uint64_t> smallest_missing(std::uint64_t from) const;
  bool record(std::uint64_t number);  // false if it is known already, or older than what is kept
  void erase_range(std::size_t index);
  void insert_range(std::size_t index, std::uint64_t number);

  static constexpr std::size_t kCapacity = kMaxAckRanges + 1;
  static constexpr std::size_t kFirstCapacity = 4;

  Duration min_ack_delay_;
  Duration max_ack_delay_;  // ours, or what the peer asked for last
  // Of the latest request.
  std::uint64_t next_sequence_ = 0;  // 0: there was none
  std::uint32_t threshold_ = 0;      // so many packets may wait, and one more makes an ACK due
  std::uint32_t reordering_threshold_ = 1;

  std::vector<AckRange> ranges_;  // descending, so that a packet in order touches only the first; at most kCapacity
  Timestamp largest_received_at_{};
  std::uint64_t eliciting_received_ = 0;
  std::uint32_t eliciting_waiting_ = 0;  // since the last ACK
  Timestamp waiting_since_{};            // when the first of them arrived
  bool at_once_ = false;
  bool something_new_ = false;
  std::uint64_t told_below_ = 0;     // one more than the largest number of the latest ACK
  std::uint64_t settled_below_ = 0;  // the ranges do not say what arrived of the numbers below

  // Some numbers arrived below the largest. An ACK is certain to tell of them only if its largest number is above
  // late_mark_, which is the largest number at the latest such arrival. Until an ACK like that is acknowledged, nothing
  // from lowest_late_ on is dropped.
  std::optional<std::uint64_t> lowest_late_;
  std::uint64_t late_mark_ = 0;
  EcnCounts ecn_{};
  ReceiveTimeLog receive_times_;
};

}  // namespace mxp
