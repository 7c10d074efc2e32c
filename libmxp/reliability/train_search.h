// Start-up for a connection that carries urgent data: finds the rate of the path without filling its queue.
//
// An ordinary start-up doubles its rate in each round trip until that no longer helps. What it sends too much in the
// last of them is a whole product of rate and round trip, and waits in the queue, in front of urgent data. Here only a
// short train of packets goes at twice the rate, and a gap after it makes up for that:
//
//          ┌────┐
//     2 ×  │    │
//     1 × ─┘    │         ┌── calm ─── ─ ─        once in a round trip, or in three lengths of a train
//     ½ ×       └─────────┘                       if those are longer
//          train    gap
//
// If the path takes less than twice the rate, the packets of the train wait for each other: a later one has a longer
// round trip than those before the train had. What was sent behind the first packet, divided by the time in which it
// arrived, is what the path takes (packet train dispersion: Dovrolis, Ramanathan and Moore, "What do packet dispersion
// techniques measure?", INFOCOM 2001; in start-up: Misund and Briscoe, "Paced Chirping", 2019). The rate is set to that,
// or doubled. When three trains in a row find no more than what is known, the search is over.
//
// Our own queue is hardly longer than a train while the known rate is no more than the path takes. The first one is a
// guess and may be more, and a train that is cut by a short queue, or that shares the path with others, finds too much.
// Bbr then sees a long queue, or loss, and drops the search, and so it does when others fill the queue.
//
// A peer that holds ACKs back or answers selectively makes the search find too little or too much, but no more than
// twice in a round trip, as in any start-up. The rate never goes below that of the smallest window, and a search whose
// trains teach nothing gives up.
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

  // A train lasts so long at least. Two or three ACKs come in the shortest one, and in a round trip at least as many
  // as the divisor says (ack_frequency.h).
  static constexpr Duration kLeastLength = std::chrono::milliseconds(5);
  static constexpr int kLengthDivisor = 16;
  static Duration length_at(Duration round_trip) { return std::max(kLeastLength, round_trip / kLengthDivisor); }

  // `rate` is what the path takes as far as it is known, and never goes below `least`. REQUIRES: least > 0.
  TrainSearch(ByteRate rate, ByteRate least);

  // Returns whether another pacing gain holds from now on. `packet` has its DeliveryState; `datagram_bytes` are those
  // of a full one.
  bool on_packet_sent(const SentPacket& packet, Duration min_rtt, std::uint64_t datagram_bytes);
  // An ACK: the newest packet that it acknowledges, and its round trip without what the peer held the ACK back, if it
  // was measured.
  enum class Verdict : std::uint8_t {
    goes_on,
    found,     // rate() is what the path takes
    given_up,  // trains show nothing here
  };
  Verdict on_ack(const SentPacket& newest, std::optional<Duration> round_trip);

  ByteRate rate() const { return rate_; }  // of what is sent, whatever of it is lost
  // Whether a train has waited in a queue: what is lost since then may be our doing.
  bool has_shown_queue() const { return has_shown_queue_; }
  double pacing_gain() const;

 private:
  enum class Stage : std::uint8_t { ready, train, gap, calm };
  // Of some ACKs, added up.
  struct Sum {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;  // sent behind the first packet of the train
    Duration sent_in{};       // since that one
    Duration round_trips{};
  };

  void begin_train(const SentPacket& packet, Duration min_rtt, std::uint64_t datagram_bytes);
  void judge(bool app_limited);
  bool is_in_vain() const;

  Stage stage_ = Stage::ready;
  bool was_sent_ = false;               // the latest train, about as fast as it was meant
  unsigned trains_ = 0;                 // while the application had enough to send
  unsigned trains_without_growth_ = 0;  // in a row
  unsigned trains_without_lesson_ = 0;  // in a row, of those of trains_, and of those that came too late
  bool has_shown_queue_ = false;
  ByteRate rate_;
  ByteRate least_;
  double train_gain_;
  Duration usual_{};      // round trip of packets that went shortly before a train; 0 before the first
  Duration deviation_{};  // from that: where round trips vary, trains are longer

  // The present train.
  Duration length_{};               // as it was meant
  Timestamp began_at_{};            // when its first packet went
  Timestamp ended_at_{};            // when the first one after it went
  Timestamp calm_from_{};           // when the first one after the gap went
  std::uint64_t bytes_before_ = 0;  // sent on this path in total, with its first packet
  Sum tail_;                        // of packets of its second half, and a little after it
  // What it is compared with: packets that went after the gap of the train before.
  Timestamp compared_from_{};
  Sum before_;
};

// Room for a search. Most connections never have one, so it is allocated when it begins. A copy of the controller has
// none and may begin another.
class TrainSearchSlot {
 public:
  TrainSearchSlot() = default;
  TrainSearchSlot(const TrainSearchSlot&) {}
  TrainSearchSlot& operator=(const TrainSearchSlot&) = delete;

  explicit operator bool() const { return search_ != nullptr; }
  TrainSearch* operator->() const { return search_.get(); }
  void begin(ByteRate rate, ByteRate least) { search_ = std::make_unique<TrainSearch>(rate, least); }
  void end() { search_.reset(); }
  // For good.
  void give_up() {
    end();
    given_up_ = true;
  }
  bool was_given_up() const { return given_up_; }
  // Because of a long queue; three times at most.
  void drop() {
    end();
    given_up_ |= ++drops_ == kMostDrops;
  }

 private:
  static constexpr unsigned kMostDrops = 3;
  std::unique_ptr<TrainSearch> search_;
  unsigned drops_ = 0;
  bool given_up_ = false;
};

}  // namespace mxp
