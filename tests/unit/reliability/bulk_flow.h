// A sender that always has data, a bottleneck with a queue, and a receiver, in virtual time: Recovery against
// AckTracker with nothing in between but delay, loss and reordering. Packets that are lost are not repeated: only the
// flow is looked at.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>

#include "mxp/rate.h"
#include "reliability/ack_tracker.h"
#include "unit/reliability/sender.h"

namespace mxp::testing {

struct BulkPath {
  ByteRate rate;                  // of the bottleneck
  Duration round_trip{};          // without queueing
  std::uint64_t queue_bytes = 0;  // what the bottleneck holds; more is dropped
  std::uint32_t lose_every = 0;   // 0: none
  std::uint32_t delay_every = 0;  // 0: none; each so many packets, one takes `extra` longer
  Duration extra{};
};

class BulkFlow {
 public:
  explicit BulkFlow(const BulkPath& path,
                    const RecoveryConfig& config = {.congestion_control = CongestionControl::cubic})
      : path_(path), sender_(config) {
    sender_.recovery.set_handshake_confirmed();
    sender_.path.seed_rtt(now_, path.round_trip);
  }

  void run(Duration span) {
    const Timestamp end = now_ + span;
    schedule(now_, [this] { transmit(); });
    while (!events_.empty() && events_.top().at <= end) {
      const Event event = events_.top();
      events_.pop();
      now_ = std::max(now_, event.at);
      event.action();
    }
    now_ = end;
  }

  const Sender& sender() const { return sender_; }
  const Recovery& recovery() const { return sender_.recovery; }
  std::uint64_t received_bytes() const { return received_bytes_; }
  std::uint64_t wake_ups() const { return wake_ups_; }
  std::uint64_t packets() const { return sender_.next; }

 private:
  struct Event {
    Timestamp at;
    std::uint64_t order;
    std::function<void()> action;
    bool operator<(const Event& other) const { return at != other.at ? at > other.at : order > other.order; }
  };

  void schedule(Timestamp when, std::function<void()> action) { events_.push({when, order_++, std::move(action)}); }

  void transmit() {
    ++wake_ups_;
    if (now_ >= sender_.recovery.deadline()) sender_.deadline(now_);
    SendPermit permit = sender_.recovery.permit(now_);
    for (; !permit.blocked(); permit = sender_.recovery.permit(now_)) {
      for (std::uint64_t bytes = permit.bytes; bytes >= kDatagram; bytes -= kDatagram) {
        enter_link(sender_.send(now_, kDatagram, true, permit.probe));
      }
    }
    const Timestamp wake = std::min(permit.retry_at, sender_.recovery.deadline());
    if (wake != kNever && (wake < wake_at_ || wake_at_ <= now_)) {
      wake_at_ = std::max(wake, now_);
      schedule(wake_at_, [this] { transmit(); });
    }
  }

  void enter_link(std::uint64_t number) {
    if (path_.lose_every != 0 && number % path_.lose_every == path_.lose_every - 1) return;
    link_free_at_ = std::max(link_free_at_, now_);
    if (path_.rate.bytes_in(link_free_at_ - now_) + kDatagram > path_.queue_bytes) return;
    link_free_at_ += path_.rate.time_for(kDatagram);
    const bool late = path_.delay_every != 0 && number % path_.delay_every == path_.delay_every - 1;
    schedule(link_free_at_ + path_.round_trip / 2 + (late ? path_.extra : Duration::zero()),
             [this, number] { receive(number); });
  }

  void receive(std::uint64_t number) {
    received_bytes_ += kDatagram;
    tracker_.on_packet_received(now_, PacketNumber(number), true);
    acknowledge_if_due();
    if (tracker_.deadline() != kNever) schedule(tracker_.deadline(), [this] { acknowledge_if_due(); });
  }

  void acknowledge_if_due() {
    if (!tracker_.ack_due(now_)) return;
    const std::vector<AckRange> ranges(tracker_.ranges().begin(), tracker_.ranges().end());
    schedule(now_ + path_.round_trip / 2, [this, ranges, delay = tracker_.delay(now_)] {
      sender_.ack(now_, AckOf(ranges, delay));
      transmit();
    });
    tracker_.on_ack_sent(now_);
    // As if an ACK of ours were acknowledged now and then.
    if (++acks_ % 100 == 0 && ranges.front().last.value() > 5000)
      tracker_.on_ack_acknowledged(PacketNumber(ranges.front().last.value() - 5000));
  }

  BulkPath path_;
  Timestamp now_{std::chrono::seconds(1)};
  Sender sender_;
  AckTracker tracker_{std::chrono::milliseconds(25)};
  std::priority_queue<Event> events_;
  std::uint64_t order_ = 0;
  Timestamp link_free_at_{};
  Timestamp wake_at_ = kNever;
  std::uint64_t received_bytes_ = 0;
  std::uint64_t wake_ups_ = 0;
  std::uint64_t acks_ = 0;
};

}  // namespace mxp::testing
