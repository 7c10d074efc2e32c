// One direction of an emulated link, without sockets or clocks: offer(packet, now), next_departure(), take(now). The
// simulator drives it with virtual time, mxp-netem with the real clock; both see the same decisions.
//
//     Link link(*parse_link_spec("delay 20ms loss 1% rate 10mbit"), {.seed = 7, .direction = Direction::up});
//     link.offer(bytes, now);
//     while (auto packet = link.take(now)) deliver(packet->bytes);   // due by now
//     wake_at(link.next_departure());                                // std::nullopt: nothing on its way
//
// Decisions (lost? copied? how long?) come from a counter-based generator keyed by seed, direction, flow, the packet's
// index in its flow and the purpose: they depend neither on timing nor on how flows interleave, so every flow has a
// chain of its own in the models with memory (correlation, bursts, gap). Queue, rate and slots are shared by all flows;
// what those decide (tail drops, times) follows from the arrival times.
//
// The order of decisions is that of the kernel's sch_netem: copy, lose, corrupt, queue limit, delay or reorder. A copy
// goes through the same steps itself, but is not copied again. (One difference: where the kernel draws both "copy" and
// "lose" it sends the packet once for sure; here the original is lost and the copy takes its own chance.)
//
// `queue codel` and `queue red` manage those that wait for the wire; there a packet waits first and is delayed after it
// has left the wire. With droptail it is the other way round, as in the kernel, which comes to the same without jitter.
//
// Cost: O(log queue) per packet; buffers are recycled, so a steady load allocates nothing.
// Thread rule: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mxp/bytes.h"
#include "mxp/endpoint.h"
#include "mxp/rate.h"
#include "mxp/time.h"
#include "netem/bottleneck.h"
#include "netem/delay_histogram.h"
#include "netem/draws.h"
#include "netem/loss_chain.h"
#include "netem/recording.h"
#include "netem/serializer.h"
#include "netem/spec.h"

namespace mxp::netem {

struct LinkCounters;

struct LinkIdentity {
  std::uint64_t seed = 0;
  Direction direction = Direction::up;
  // Decides in place of the spec, as far as it goes; outlives the link.
  const Recording* replay = nullptr;
  LinkCounters* counters = nullptr;  // of several links together, which outlive them; none: counters of its own
};

// What became of an offered packet, for the comment in a capture. It speaks of the packet itself; a copy may fare
// differently.
enum class Fate : std::uint8_t {
  passed,
  lost,
  lost_too_big,
  lost_outage,
  lost_listed,
  lost_over_limit,
  tail_dropped,
  queue_dropped
};
// "passed", "loss", "mtu", "outage", "drop list", "byte limit", "queue limit", "queue management"
std::string_view to_string(Fate fate);

struct Verdict {
  Fate fate = Fate::passed;
  bool duplicated = false;  // a copy was made
  bool corrupted = false;
  bool reordered = false;   // sent at once, ahead of those that wait
  bool marked = false;      // congestion experienced: instead of lost, or because the queue is long
  std::uint64_t index = 0;  // of the packet in its flow, from 0
};

struct Departure {
  ByteView bytes;  // valid until the next offer()
  FlowId flow = 0;
  std::uint64_t index = 0;
  Ecn ecn = Ecn::not_ect;
  bool duplicate = false;  // this is the copy
  bool corrupted = false;
  bool reordered = false;
  std::uint64_t flipped_bit = 0;  // if corrupted: of the payload, modulo its size
  Timestamp offered_at;
  Duration waited{};  // before it was offered, as the caller stated
  Timestamp due_at;
};

// Once the link has drained: in = out - duplicated + lost + tail_dropped + queue_dropped.
struct LinkCounters {
  std::uint64_t in = 0;
  std::uint64_t out = 0;
  std::uint64_t lost = 0;           // by the loss model, the MTU, outages, the drop list and the byte limit
  std::uint64_t lost_too_big = 0;   // the part of `lost` that exceeded the MTU
  std::uint64_t lost_outage = 0;    // the part of `lost` that fell into an outage
  std::uint64_t lost_listed = 0;    // the part of `lost` that the drop list took
  std::uint64_t tail_dropped = 0;   // by the queue limit
  std::uint64_t queue_dropped = 0;  // by CoDel or RED
  std::uint64_t duplicated = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t reordered = 0;
  std::uint64_t marked = 0;     // ECN CE
  std::uint64_t bytes_in = 0;   // UDP payload
  std::uint64_t bytes_out = 0;  // UDP payload
  DelayHistogram delay;         // from offer() to take(), and what they had waited before
  // What `order keep` added to the delays that jitter drew, over all packets whose place it kept: a packet that would
  // overtake others waits for them.
  DelayHistogram order_shift;

  // Of the IP packets that left, from the first to the last departure; zero with fewer than two of them.
  ByteRate rate() const;

  std::uint64_t ip_bytes_after_first = 0;  // what rate() is made of
  Timestamp first_out;
  Timestamp last_out;
};

class Link {
 public:
  // REQUIRES: a spec with trace.file set has its opportunities filled in.
  explicit Link(LinkSpec spec, LinkIdentity identity = {});

  // The bytes are copied. `now` never goes back. A caller that offers a packet later than it came says how long it has
  // `waited`, so that its delay is counted from when it came.
  Verdict offer(ByteView bytes, Timestamp now, FlowId flow = 0, Ecn ecn = Ecn::not_ect, Duration waited = {});

  // When the next packet is due; std::nullopt while none is on its way. Under a managed queue it may be earlier than
  // that: then take() at this time returns nothing, and the next answer is a later one.
  std::optional<Timestamp> next_departure() const;

  // The next packet that is due by `now`, in order of departure. `now` never goes back.
  std::optional<Departure> take(Timestamp now);

  // Whether a datagram of this size would find room in the queue now.
  bool has_room(std::size_t payload_bytes) const;

  // Frees what is remembered of a flow; if it comes back, it starts again at packet 0.
  void forget(FlowId flow) { flows_.erase(flow); }

  // From the next offer on: a path whose MTU changes. 0 = any size passes.
  void set_mtu(std::uint32_t bytes) { spec_.mtu = bytes; }

  // From the next offer on the link is another one. What is on its way arrives as it would have, and what waits for the
  // wire does so at the new rate where the queue is managed. The draws go on: nothing is seeded again.
  // REQUIRES: as the constructor.
  enum class Path : std::uint8_t {
    same,   // what comes later finds the wire busy with what came before, and keeps its place behind it
    other,  // as after a hand-over: what is on the old way neither delays nor holds back what takes the new one
  };
  void change(LinkSpec spec, Path path = Path::same);
  // A black-out: nothing enters while it lasts (counted as an outage).
  void set_blocked(bool blocked) { blocked_ = blocked; }

  const LinkSpec& spec() const { return spec_; }
  const LinkCounters& counters() const { return *counters_; }
  std::size_t queued_packets() const { return queue_.size() + bottleneck_.size(); }

 private:
  struct Flow {
    explicit Flow(FlowDraws flow_draws) : draws(flow_draws) {}
    FlowDraws draws;
    LossChain loss;
    std::uint64_t packets = 0;
    std::uint32_t handshake_packets = 0;
    std::uint64_t bytes = 0;          // since the byte limit came
    std::uint64_t limit_changes = 0;  // as `bytes` was last set to 0
    std::uint32_t delayed_since_reorder = 0;
  };
  struct Packet {  // a recycled buffer and what travels with it
    std::vector<std::uint8_t> bytes;
    FlowId flow = 0;
    std::uint64_t index = 0;
    Ecn ecn = Ecn::not_ect;
    bool duplicate = false;
    bool corrupted = false;
    bool reordered = false;
    std::uint64_t flipped_bit = 0;
    Timestamp offered_at;
    Duration waited{};
    Duration delay{};  // still to come after the wire
  };
  struct Queued {
    Timestamp due;
    std::uint64_t sequence;  // first offered leaves first at equal times
    std::uint32_t buffer;    // its index in packets_
  };
  static bool leaves_later(const Queued& a, const Queued& b);

  // All that chance decides about one packet or its copy, before any look at the clock or the queue.
  struct Decision {
    bool lose = false;
    bool corrupt = false;
    bool at_once = false;  // reorder
    Duration delay{};
  };

  Flow& flow_of(FlowId id);
  Decision decide(Flow& flow, DrawIndex at) const;
  struct Offer {
    ByteView bytes;
    Timestamp now;
    FlowId flow = 0;
    Ecn ecn = Ecn::not_ect;
    Duration waited{};
  };
  Fate admit(const Decision& decision, const Offer& offer, const FlowDraws& draws, DrawIndex at, Verdict* verdict);
  // What a managed queue makes of a packet that arrives: the marks it leaves with, or nothing if it is dropped.
  std::optional<Ecn> judged_by_queue(const Offer& offer, Ecn ecn, const FlowDraws& draws, DrawIndex at);
  // Returns how long the packet waits for the wire and is on it; a managed queue cannot say that yet.
  Duration enqueue(std::uint32_t buffer, const Decision& decision, Timestamp now);
  // Does to a packet what the recording says.
  void repeat(std::span<const RecordedDeparture> departures, const Offer& offer, Verdict& verdict);
  std::uint32_t store(const Offer& offer, std::uint64_t index, Ecn ecn);
  void flip(Packet& packet, std::uint64_t bit);
  // Takes off the managed queue whose turn on the wire has come by `now`.
  void advance_bottleneck(Timestamp now);
  void send_all_that_waits();
  void put_on_wire(const Bottleneck::Packet& head, bool marked);
  void mark(Packet& packet);
  // The time at which a packet keeps its place behind those before it, under `order keep`.
  Timestamp keep_order(Timestamp ready);
  bool has_room_in_bottleneck(std::size_t payload_bytes) const;
  bool over_limit(Flow& flow, std::size_t bytes) const;
  bool listed(Flow& flow, const Verdict& verdict, ByteView bytes) const;
  bool in_outage(Timestamp now) const;
  std::uint32_t free_buffer();
  std::size_t ip_size(std::size_t payload) const { return payload + spec_.header_bytes; }

  LinkSpec spec_;
  LinkIdentity identity_;
  std::unique_ptr<LinkCounters> own_counters_;
  LinkCounters* counters_;
  Serializer serializer_;
  Bottleneck bottleneck_;
  std::unordered_map<FlowId, Flow> flows_;
  std::vector<Packet> packets_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> taken_;  // still looked at by the caller: free again at the next offer()
  std::vector<Queued> queue_;         // heap, earliest first
  std::uint64_t queued_bytes_ = 0;    // IP bytes
  std::uint64_t limit_bytes_ = 0;     // of `limit auto`
  std::uint64_t sequence_ = 0;
  bool blocked_ = false;
  std::uint64_t limit_changes_ = 0;  // how often the byte limit of a flow became another one
  std::optional<Timestamp> first_offer_;
  Timestamp last_ready_{};  // when the last packet that kept its place was ready for the wire
};

}  // namespace mxp::netem
