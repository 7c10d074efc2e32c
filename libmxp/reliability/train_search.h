// Start-up for a connection that carries urgent data: finds the rate of the path without filling its queue.
//
// An ordinary start-up doubles its rate in each round trip until that no longer helps. What it sends too much in the
// last of them is a whole product of rate and round trip, and waits in the queue, in front of urgent data. Here only a
// short train of packets goes at twice the rate, and a gap after it makes up for that:
//
//          ┌────┐
//     2 ×  │    │
//     1 × ─┘    │    ┌──── calm ────── ─ ─        one in each round trip
//     ½ ×       └────┘
//          train  gap
//
// If the path takes less than twice the rate, the packets of the train wait for each other: a later one has a longer
// round trip than those before the train had. Sent bytes, divided by the time in which they arrived, are what the path
// takes (packet train dispersion: Dovrolis, Ramanathan and Moore, "What do packet dispersion techniques measure?",
// INFOCOM 2001; in start-up: Misund and Briscoe, "Paced Chirping", 2019). The rate is set to that, or doubled. When three
// trains in a row find no more than what is known, the search is over. The queue is not longer than a train.
//
// One connection, one thread. Cost: constant for each packet and for each ACK.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "mxp/rate.h"
#include "mxp/time.h"
#include "reliability/sent_packet.h"

namespace mxp {

class TrainSearch {
 public:
  // Our choice. On a shorter round trip the queue of an ordinary start-up is hardly longer than a train.
  static constexpr Duration kLeastRoundTrip = std::chrono::milliseconds(10);

  // Of a train: two or three ACKs come in the least, and ACKs come as often as in the other at the least.
  static constexpr Duration kLeastLength = std::chrono::milliseconds(5);
  static constexpr int kLengthDivisor = 16;
  static Duration length_at(Duration round_trip) { return std::max(kLeastLength, round_trip / kLengthDivisor); }

  // `rate` is known to be no more than the path takes.
  explicit TrainSearch(ByteRate rate);

  // Returns whether another pacing gain holds from now on. `packet` has its DeliveryState.
  bool on_packet_sent(const SentPacket& packet, Duration min_rtt);
  // An ACK: the newest packet that it acknowledges, and its round trip without what the peer held the ACK back, if it
  // was measured. Returns whether the search is over: rate() is what the path takes.
  bool on_ack(const SentPacket& newest, std::optional<Duration> round_trip);

  ByteRate rate() const { return rate_; }
  double pacing_gain() const;

 private:
  enum class Stage : std::uint8_t { ready, train, gap, calm };
  // Of some ACKs, added up.
  struct Sum {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;  // sent since the train began
    Duration sent_in{};
    Duration round_trips{};
  };

  void judge();

  Stage stage_ = Stage::ready;
  unsigned trains_without_growth_ = 0;
  ByteRate rate_;
  double train_gain_;
  Duration usual_{};      // round trip of packets that went shortly before a train; 0 before the first
  Duration deviation_{};  // from that: where round trips vary, trains are longer

  // The present train.
  Duration length_{};               // as it was meant
  Timestamp began_at_{};            // when its first packet went
  Timestamp ended_at_{};            // when the first one after it went
  Timestamp calm_from_{};           // when the first one after the gap went
  Timestamp compared_from_{};       // the same, of the train before
  std::uint64_t bytes_before_ = 0;  // sent on this path in total
  Sum before_;                      // of packets that went at the known rate before it
  Sum tail_;                        // of packets of its second half
};

// Nothing while there is no search: connections that carry no urgent data, and those that wait, are many. A copy of the
// controller begins without one.
class TrainSearchSlot {
 public:
  TrainSearchSlot() = default;
  TrainSearchSlot(const TrainSearchSlot&) {}
  TrainSearchSlot& operator=(const TrainSearchSlot&) = delete;

  explicit operator bool() const { return search_ != nullptr; }
  TrainSearch* operator->() const { return search_.get(); }
  void begin(ByteRate rate) { search_ = std::make_unique<TrainSearch>(rate); }
  void end() { search_.reset(); }

 private:
  std::unique_ptr<TrainSearch> search_;
};

}  // namespace mxp
