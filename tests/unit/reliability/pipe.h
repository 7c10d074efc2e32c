// One BBR controller on a path that keeps the order: a bottleneck with a queue, a delay, and an ACK for every second
// packet. Smaller than a Recovery and a link, so that the machine's states can be looked at while it runs.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "mxp/rate.h"
#include "reliability/bbr.h"
#include "reliability/rate_sampler.h"
#include "reliability/rtt_estimator.h"

namespace mxp::testing {

class Pipe {
 public:
  static constexpr std::uint32_t kSize = 1200;

  ByteRate rate = ByteRate::bits_per_second(20'000'000);
  Duration round_trip = std::chrono::milliseconds(40);
  std::uint64_t queue_bytes = 1'000'000;
  std::uint32_t lose_every = 0;  // 0: none
  bool marks = false;            // routers mark what is acknowledged from now on (ECN)
  ByteRate application;          // zero: it always has more
  bool sending = true;

  Bbr bbr{kSize};

  struct Change {
    Timestamp at;
    Bbr::State state;
  };

  void run(Duration span) {
    for (const Timestamp end = now_ + span; now_ < end; now_ += kStep) {
      receive();
      transmit();
    }
  }
  // Until the state is entered, but no longer than `limit`. Whether it was.
  bool run_until(Bbr::State state, Duration limit) {
    for (const Timestamp end = now_ + limit; now_ < end; run(kStep))
      if (bbr.state() == state) return true;
    return false;
  }

  Timestamp now() const { return now_; }
  const RttEstimator& rtt() const { return rtt_; }
  std::uint64_t in_flight() const { return in_flight_; }
  std::uint64_t delivered() const { return sampler_.delivered(); }
  std::uint64_t sent_packets() const { return next_; }
  std::uint64_t lost_packets() const { return lost_; }
  std::uint64_t bdp() const { return rate.bytes_in(round_trip); }
  // Of the bottleneck, in what waits now.
  Duration queue() const { return free_at_ > now_ ? free_at_ - now_ : Duration::zero(); }
  const std::vector<Change>& changes() const { return changes_; }
  double pacing_mbit() const { return static_cast<double>(bbr.pacing_rate(rtt_).bits_per_second()) * 1e-6; }

 private:
  static constexpr Duration kStep = std::chrono::microseconds(100);
  static constexpr std::uint64_t kBurst = 4 * kSize;

  struct Sent {
    SentPacket packet;
    Timestamp acknowledged_at;  // kNever: it is lost
  };

  void transmit() {
    const ByteRate pace = bbr.pacing_rate(rtt_);
    credit_ = std::min(credit_ + pace.bytes_in(kStep), std::max<std::uint64_t>(kBurst, 2 * pace.bytes_in(kStep)));
    if (!application.is_zero()) offered_ = std::min(offered_ + application.bytes_in(kStep), std::uint64_t{4} * kSize);
    while (sending && credit_ >= kSize && in_flight_ + kSize <= bbr.window()) {
      if (!application.is_zero()) {
        if (offered_ < kSize) break;
        offered_ -= kSize;
      }
      send();
      credit_ -= kSize;
    }
    if (in_flight_ + kSize <= bbr.window() && (!sending || !application.is_zero()))
      sampler_.on_application_limited(next_);
  }

  void send() {
    Sent sent{.packet = {.number = PacketNumber(next_),
                         .sent_at = now_,
                         .size_bytes = kSize,
                         .ack_eliciting = true,
                         .in_flight = true},
              .acknowledged_at = kNever};
    sent.packet.delivery = sampler_.on_packet_sent(now_, in_flight_, kSize);
    bbr.on_packet_sent(sent.packet, in_flight_);
    in_flight_ += kSize;
    ++next_;
    const bool drawn = lose_every != 0 && next_ % lose_every == 0;
    if (!drawn && rate.bytes_in(queue()) + kSize <= queue_bytes) {
      free_at_ = std::max(free_at_, now_) + rate.time_for(kSize);
      sent.acknowledged_at = free_at_ + round_trip;
    }
    under_way_.push_back(sent);
  }

  void receive() {
    // Two at a time, or one that has nothing behind it.
    for (;;) {
      std::vector<SentPacket> acknowledged;
      std::vector<LostPacket> lost;
      std::size_t taken = 0;
      for (const Sent& sent : under_way_) {
        if (acknowledged.size() == 2) break;
        if (sent.acknowledged_at == kNever) {
          lost.push_back({sent.packet, LossReason::reordering});
        } else if (sent.acknowledged_at <= now_) {
          acknowledged.push_back(sent.packet);
          taken = acknowledged.size() + lost.size();
        } else {
          break;
        }
      }
      if (acknowledged.empty()) return;
      while (!lost.empty() && lost.back().packet.number > acknowledged.back().number) lost.pop_back();
      under_way_.erase(under_way_.begin(), under_way_.begin() + static_cast<std::ptrdiff_t>(taken));
      settle(acknowledged, lost);
    }
  }

  void settle(const std::vector<SentPacket>& acknowledged, const std::vector<LostPacket>& lost) {
    const std::uint64_t before = in_flight_;
    for (const SentPacket& packet : acknowledged) sampler_.on_acknowledged(packet);
    rtt_.on_sample(now_, now_ - acknowledged.back().sent_at, Duration::zero());
    in_flight_ -= (acknowledged.size() + lost.size()) * kSize;
    if (!lost.empty()) {
      lost_ += lost.size();
      sampler_.on_lost(lost.size() * kSize);
      bbr.on_loss({.now = now_,
                   .lost = lost,
                   .bytes = lost.size() * kSize,
                   .packets = lost.size(),
                   .latest_sent_at = lost.back().packet.sent_at,
                   .in_flight_before = before,
                   .total_lost = sampler_.lost()},
                  rtt_);
    }
    bbr.on_ack({.now = now_,
                .acknowledged = acknowledged,
                .bytes = acknowledged.size() * kSize,
                .largest = acknowledged.back().number,
                .rtt_sampled = true,
                .in_flight_before = before,
                .in_flight = in_flight_,
                .rate = sampler_.finish_ack(now_),
                .ecn_ce = marks ? acknowledged.size() : 0},
               rtt_);
    if (changes_.empty() || changes_.back().state != bbr.state()) changes_.push_back({now_, bbr.state()});
  }

  Timestamp now_{std::chrono::seconds(1)};
  RttEstimator rtt_{std::chrono::milliseconds(333)};
  RateSampler sampler_;
  std::deque<Sent> under_way_;
  std::uint64_t next_ = 0;
  std::uint64_t in_flight_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t credit_ = kBurst;
  std::uint64_t offered_ = 0;
  Timestamp free_at_{};
  std::vector<Change> changes_;
};

}  // namespace mxp::testing
