// What a link does to packets, as plain values, and the text form of it: the grammar of `tc netem` (tc-netem(8)) and
// a few words past it.
//
//   delay TIME [JITTER [CORR%]] [distribution uniform|normal|pareto|paretonormal|FILE]      also: latency
//   loss [random] P% [CORR%]                                                           also: drop
//   loss gemodel P% [R% [1-H% [1-K%]]]
//   loss state P13 [P31 [P32 [P23 [P14]]]]
//   ecn                                             marks instead of losing, where the packet allows it
//   duplicate P% [CORR%]
//   corrupt P% [CORR%]
//   reorder P% [CORR%] [gap N]
//   gap N
//   rate RATE [OVERHEAD [CELLSIZE [CELLOVERHEAD]]]
//   limit PACKETS | limit auto
//   slot MIN [MAX] [packets N] [bytes N]
//   slot distribution NAME DELAY JITTER [packets N] [bytes N]
//
// past tc:
//
//   order keep|time
//   mtu BYTES
//   trace FILE
//   rebind TIME
//   outage TIME every TIME
//   queue droptail
//   queue codel [target TIME] [interval TIME] [ecn]                                    as tc-codel(8)
//   queue red [min BYTES] [max BYTES] [probability P%] [avpkt BYTES] [burst PACKETS] [ecn] [harddrop]   as tc-red(8)
//   marks keep|strip
//   droplist N|N-M|hN[,...]                         packets of each flow, from 1; hN: the N-th MXP handshake packet
//
// Keywords may be cut short as in tc: "dup", "dist", "lo". Where that leaves a choice, the first in tc's order is
// meant. Units are those of tc(8): a bare time is microseconds, a bare rate bits per second ("kbit" = 1000 bit/s,
// "kbps" = 1000 BYTES/s, "kibit" = 1024 bit/s), a percentage may leave out its sign ("loss 1" is one percent).
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mxp/address.h"
#include "mxp/rate.h"
#include "mxp/time.h"
#include "netem/shared_list.h"

namespace mxp::netem {

// A probability for each packet. With a correlation each draw is mixed with the one before, as the kernel does it. That
// makes the share of chosen packets another one than p (expectation.h), so bursts are better asked for with
// GilbertElliott.
struct Chance {
  double p = 0;            // 0..1
  double correlation = 0;  // 0..1
  bool operator==(const Chance&) const = default;
};

// The shape of jitter. Without a `distribution` the kernel draws uniformly, whatever older manuals say.
enum class Distribution : std::uint8_t { uniform, normal, pareto, paretonormal, table };

// A distribution of one's own, in the format of tc's `.dist` files: see delay_table.h.
struct DelayTable {
  std::string file;                 // who parsed the spec reads the file and fills in:
  SharedList<std::int16_t> values;  // deviations in units of jitter / 8192, equally likely
  bool operator==(const DelayTable&) const = default;
};

// Loss models. Probabilities 0..1.
struct NoLoss {
  bool operator==(const NoLoss&) const = default;
};
using RandomLoss = Chance;
// Gilbert-Elliott: a good and a bad state. Stationary loss = (r*loss_in_good + p*loss_in_bad) / (p + r); a stay in the
// bad state lasts 1/r packets in the mean.
struct GilbertElliott {
  double p = 0;             // good -> bad
  double r = 1;             // bad -> good; tc's default is 1-p
  double loss_in_bad = 1;   // "1-h" in tc
  double loss_in_good = 0;  // "1-k" in tc
  bool operator==(const GilbertElliott&) const = default;
};
// Four states: 1 good, 2 received within a burst, 3 lost within a burst, 4 isolated loss within the good period.
struct FourStateLoss {
  double p13 = 0;
  double p31 = 1;  // tc's default is 1-p13
  double p32 = 0;
  double p23 = 1;
  double p14 = 0;
  bool operator==(const FourStateLoss&) const = default;
};
using LossModel = std::variant<NoLoss, RandomLoss, GilbertElliott, FourStateLoss>;

// Which packet may overtake which.
enum class Order : std::uint8_t {
  keep,  // jitter alone never reorders: nothing departs before what was offered before it, except what `reorder` chose
  time,  // by departure time, as the kernel does it: jitter reorders
};

// What a link does with the ECN marks of the packets that enter it.
enum class Marks : std::uint8_t {
  keep,
  strip,  // as routers do that clear the old type-of-service byte; nothing can be marked then: what `ecn` chose is lost
};

// Who may wait for the wire. Anything but droptail needs a rate or a trace: otherwise nothing waits.
enum class QueueDiscipline : std::uint8_t { droptail, codel, red };

// Packets of each flow that are lost for certain. Numbers count from 1.
struct DropList {
  struct Range {
    std::uint32_t first = 1;
    std::uint32_t last = 1;
    bool operator==(const Range&) const = default;
  };
  std::vector<Range> packets;
  std::vector<Range> handshake;  // of those that are handshake packets of MXP (docs/protocol.md)
  bool empty() const { return packets.empty() && handshake.empty(); }
  bool operator==(const DropList&) const = default;
};

// A perfect link unless told otherwise.
struct LinkSpec {
  struct Delay {
    Duration mean{};
    Duration jitter{};  // half width (uniform) or standard deviation
    double correlation = 0;
    Distribution distribution = Distribution::uniform;
    DelayTable table;  // of Distribution::table
    bool operator==(const Delay&) const = default;
  };
  struct Reorder {
    Chance chance;          // share of packets sent at once while the others wait; needs a delay
    std::uint32_t gap = 0;  // N: after a packet was sent at once, at least N-1 are delayed; 0 and 1: any may be next
    bool operator==(const Reorder&) const = default;
  };
  struct Limit {
    static constexpr std::uint32_t kDefaultPackets = 1000;  // tc's default
    std::uint32_t packets = kDefaultPackets;  // held at a time, those on their way included, as in the kernel
    // Instead: 1.5 x rate x delay in bytes (no bound without a rate), so that delay x rate never drops.
    bool automatic = false;
    bool operator==(const Limit&) const = default;
  };
  // Link layers that cut packets into cells (ATM): see tc-netem(8), "rate".
  struct Framing {
    std::int32_t overhead_bytes = 0;  // added to each packet, may be negative
    std::uint32_t cell_bytes = 0;     // 0: no cells
    std::int32_t cell_overhead_bytes = 0;
    bool operator==(const Framing&) const = default;
  };
  // Packets leave in bursts when a slot opens (Wi-Fi, cellular uplink). Off while all times are zero.
  struct Slot {
    Duration min{};  // from a packet that finds no open slot to the next slot: drawn from [min, max]
    Duration max{};
    bool drawn = false;  // use delay/jitter/distribution instead of min and max
    Duration delay{};
    Duration jitter{};
    Distribution distribution = Distribution::uniform;
    DelayTable table;           // of Distribution::table
    std::uint32_t packets = 0;  // most in one slot, 0 = no bound
    std::uint32_t bytes = 0;
    bool enabled() const {
      return min.count() > 0 || max.count() > 0 || (drawn && (delay.count() > 0 || jitter.count() > 0));
    }
    bool operator==(const Slot&) const = default;
  };
  // Delivery opportunities in the format of Mahimahi: see delivery_trace.h. Replaces `rate`.
  struct Trace {
    std::string file;                            // who parsed the spec reads the file and fills in:
    SharedList<std::uint32_t> opportunities_ms;  // one entry for each 1500 bytes that may leave
    bool operator==(const Trace&) const = default;
  };
  struct Outage {
    Duration length{};
    Duration every{};  // period; each begins with the link up and ends with the outage. Zero: no outages
    bool operator==(const Outage&) const = default;
  };
  struct Queue {
    QueueDiscipline discipline = QueueDiscipline::droptail;
    bool ecn = false;  // marks packets that allow it instead of dropping them
    // CoDel, with the values of RFC 8289 §4.
    Duration target = std::chrono::milliseconds(5);
    Duration interval = std::chrono::milliseconds(100);
    // RED. Zero: max is a quarter of the limit, min a third of max, burst (2 min + max) / (3 avpkt), as tc has them.
    std::uint32_t min_bytes = 0;
    std::uint32_t max_bytes = 0;
    double probability = 0.02;          // of marking or dropping as the average reaches max
    std::uint32_t packet_bytes = 1000;  // avpkt: the usual size
    std::uint32_t burst_packets = 0;    // how long a burst may be that meets an empty queue and is not dropped
    bool harddrop = false;              // beyond max drop even where `ecn` could mark
    bool operator==(const Queue&) const = default;
  };

  Delay delay;
  LossModel loss;
  bool ecn = false;
  Chance duplicate;
  Chance corrupt;
  Reorder reorder;
  ByteRate rate;  // zero = unlimited
  Framing framing;
  Limit limit;
  Slot slot;
  Order order = Order::keep;
  std::uint32_t mtu = 0;  // largest IP packet that passes, 0 = any
  Trace trace;
  Outage outage;
  Duration rebind_every{};  // zero = never. The link itself does nothing with it: the relay changes its port
  Queue queue;
  Marks marks = Marks::keep;
  DropList drops;
  // What each flow may send in all; from then on all of it is lost. Counted anew when this becomes another number. No
  // words in the text form: the toxic limit_data of mxp-netem's HTTP interface.
  std::optional<std::uint64_t> flow_bytes;
  // It has no words in the text form: it is for whoever builds a link by hand, as the simulator does. `ecn` marks by
  // chance, in place of a loss. `ce_threshold` marks by the length of the queue, as an active queue management does
  // (RFC 8257 §3.1; "ce_threshold" of tc-fq_codel(8)): each packet that may be marked and takes longer than this from
  // when it is ready for the wire until it has left it. Zero = never.
  Duration ce_threshold{};
  // IP and UDP headers that are added to each datagram for rate and mtu.
  std::uint32_t header_bytes = ip_and_udp_headers(AddressFamily::ipv4);

  bool operator==(const LinkSpec&) const = default;
};

// The error says which word is wrong and what would be right. An empty text is the perfect link.
std::expected<LinkSpec, std::string> parse_link_spec(std::string_view text);

// The link `base` with what the words of `text` say in place of what it said of the same; the rest stays.
std::expected<LinkSpec, std::string> change_link_spec(const LinkSpec& base, std::string_view text);

std::string_view to_string(Distribution distribution);  // the word of it; of a table "table"
std::string_view to_string(QueueDiscipline discipline);

// The canonical text; parsing it gives the same link. Empty for a perfect link.
std::string to_string(const LinkSpec& spec);

}  // namespace mxp::netem
