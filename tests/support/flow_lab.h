// Congestion control under a magnifying glass: several bulk senders share one emulated link in virtual time. Each is a
// Recovery and an AckTracker with nothing in between but the link: no streams, no encryption, no repetition of what was
// lost, so that a minute of a busy link costs a second.
//
//     FlowLab lab({.up = "rate 100mbit delay 25ms loss 1% limit 520", .down = "delay 25ms"});
//     lab.add({.congestion_control = CongestionControl::bbr});
//     lab.run(30s);
//     lab.share(0, 10s, 30s);   // of the link's rate
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "mxp/config.h"
#include "netem/link.h"
#include "reliability/ack_frequency.h"
#include "reliability/ack_tracker.h"
#include "reliability/recovery.h"
#include "unit/reliability/ack_of.h"

namespace mxp::testing {

struct LabConfig {
  std::string up;                                    // data, in the grammar of mxp-netem
  std::string down;                                  // acknowledgements
  std::vector<std::uint32_t> opportunities_ms = {};  // where `up` says "trace": the trace (netem/delivery_trace.h)
  std::uint64_t seed = 1;
  std::size_t datagram = 1200;  // UDP payload
  bool ack_frequency = true;    // whether senders ask for fewer or more ACKs than receivers send by themselves
};

struct FlowPlan {
  CongestionControl congestion_control = CongestionControl::bbr;
  Duration starts_at{};
  Duration extra_delay{};  // on the way back, beyond the link's: another round trip for this flow alone
  std::uint64_t bytes = std::uint64_t{1} << 60;  // to send; the flow ends when they are delivered
  bool urgent = false;                           // data of the critical class are among them
};

class FlowLab {
 public:
  explicit FlowLab(const LabConfig& config);

  std::size_t add(const FlowPlan& plan);
  void run(Duration until);  // virtual time since the beginning

  // Of the link's own rate (IP bytes, headers counted), delivered in this time, duplicates left out.
  double share(std::size_t flow, Duration from, Duration to) const;
  double total_share(Duration from, Duration to) const;
  double rate_mbit(std::size_t flow, Duration from, Duration to) const;  // of payload
  double jain(Duration from, Duration to) const;
  // Time in the queue, by percentile (0 to 100), of packets that left in this time.
  Duration queue_delay(double percentile, Duration from, Duration to) const;
  double lost_share(std::size_t flow) const;  // declared lost, of the packets sent
  std::uint64_t sent_packets(std::size_t flow) const { return flows_[flow]->next; }
  std::uint64_t lost_packets(std::size_t flow) const { return flows_[flow]->lost; }  // declared lost
  std::optional<Duration> finished_at(std::size_t flow) const { return flows_[flow]->finished_at; }
  std::uint64_t delivered_bytes(std::size_t flow) const { return flows_[flow]->received.size() * config_.datagram; }
  const Recovery& recovery(std::size_t flow) const { return flows_[flow]->recovery; }

 private:
  struct Flow {
    Flow(const FlowPlan& plan_, const RecoveryConfig& config, std::size_t datagram)
        : plan(plan_), path(PathId::first, config, datagram), recovery(path) {}
    FlowPlan plan;
    PathControl path;
    Recovery recovery;
    AckTracker tracker{std::chrono::milliseconds(25)};
    AckFrequency ack_frequency;
    // The latest request and the packet that it travels in.
    std::optional<std::pair<std::uint64_t, AckFrequencyFrame>> request;
    std::uint64_t next = 0;
    std::uint64_t lost = 0;
    std::uint64_t delivered = 0;  // packets acknowledged
    Timestamp wake_at = kNever;
    std::vector<Duration> received;  // when each packet arrived
    std::vector<bool> seen;          // by number: a copy is not received
    std::uint64_t largest_acknowledgement_sent = 0;
    std::optional<Duration> finished_at;
  };
  struct Event {
    Timestamp at;
    std::uint64_t order;
    std::function<void()> action;
    bool operator<(const Event& other) const { return at != other.at ? at > other.at : order > other.order; }
  };

  void schedule(Timestamp when, std::function<void()> action) { events_.push({when, order_++, std::move(action)}); }
  void drain_links();
  void send(Flow& flow, std::size_t index);
  void on_data(std::size_t index, std::uint64_t number);
  void acknowledge_if_due(std::size_t index);
  void on_ack(std::size_t index, const std::vector<AckRange>& ranges, Duration delay);
  void count_losses(Flow& flow, const Outcome& outcome);

  LabConfig config_;
  netem::Link up_;
  netem::Link down_;
  ByteRate rate_;
  Timestamp now_{};
  std::vector<std::unique_ptr<Flow>> flows_;
  std::priority_queue<Event> events_;
  std::uint64_t order_ = 0;
  struct Ack {
    std::size_t flow;
    std::vector<AckRange> ranges;
    Duration delay;
  };
  std::unordered_map<std::uint64_t, Ack> acks_;
  std::uint64_t next_ack_ = 0;
  struct Departed {
    Duration at;
    Duration delay;
  };
  std::vector<Departed> departed_;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace mxp::testing
