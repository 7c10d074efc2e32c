// The packets of one direction that were captured and are under way to their receiver, and what the acknowledgements
// of the other direction say of them:
//
//   outstanding ──► acknowledged
//        └────────► missing (an ACK left it out between its ranges) ──► acknowledged late, or lost in the end
//
// A missing packet is given up as lost when the acknowledged numbers have gone further by kPatience, which is more
// than any path reorders by. The peer says all of this: memory and work are bounded whatever it says.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "core/frames.h"

namespace mxp::dump {

struct SentPacket {
  std::uint64_t number = 0;
  std::uint64_t frame = 0;
  std::int64_t time_ns = 0;
  std::uint32_t size = 0;
  bool eliciting = false;
  bool size_probe = false;  // asks whether the path carries its size (docs/protocol.md §6)
  bool repeats = false;     // stream data of an earlier packet
  enum class State : std::uint8_t { outstanding, missing, acknowledged } state = State::outstanding;
};

class Flight {
 public:
  static constexpr std::uint64_t kPatience = 512;    // our choice, in packet numbers
  static constexpr std::size_t kMaxPackets = 16384;  // our choice: 900 KiB at most

  enum class Fate : std::uint8_t { delivered, lost, unknown };
  using Settled = std::function<void(const SentPacket&, Fate)>;

  // False if the number was there already.
  bool sent(const SentPacket& packet, const Settled& settled);

  struct Answer {
    std::vector<SentPacket> newly_acknowledged;  // from the highest number down
    std::uint64_t late = 0;                      // of them, those that were missing before
    std::uint64_t deepest_late = 0;              // by how many numbers
    std::vector<SentPacket> newly_missing;
  };
  // Valid until the next call.
  const Answer& acknowledged(const AckFrame& frame, const Settled& settled);
  // Nothing more comes: what is missing is lost.
  void finish(const Settled& settled);

  std::uint64_t bytes() const { return bytes_; }  // outstanding and ack-eliciting
  std::uint64_t packets() const { return outstanding_; }
  std::uint64_t largest_acknowledged() const { return largest_acknowledged_; }
  // When the oldest of them was sent; 0 if there is none.
  std::int64_t oldest_ns() const;

 private:
  void take(SentPacket& packet);
  void leave(const SentPacket& packet);
  void settle(const Settled& settled);

  std::deque<SentPacket> packets_;  // ascending
  std::uint64_t bytes_ = 0, outstanding_ = 0, largest_acknowledged_ = 0;
  Answer answer_;
};

inline const Flight::Settled kNothingToSettle = [](const SentPacket&, Flight::Fate) {};

// The round trip that ends with `frame` at `time_ns`, the delay of its sender included; nothing if it acknowledges no
// packet that was waited for, or not the newest of them (RFC 9002 §5.1). `answer` is what the flight made of the frame.
std::optional<std::int64_t> round_trip_ns(const Flight::Answer& answer, const AckFrame& frame, std::int64_t time_ns);
// A delay that is longer than the round trip is not believed.
std::int64_t without_ack_delay(std::int64_t whole_ns, Duration delay);

}  // namespace mxp::dump
