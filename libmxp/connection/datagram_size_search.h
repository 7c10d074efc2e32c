// The largest datagram that a path carries: packetization-layer path MTU discovery, RFC 8899 and RFC 9000 §14.3.
//
// Routers used to report a packet that was too large. Many do not any more, and a report can be forged by anybody
// (threat t44), so nothing here listens to one. Instead the sender asks the path itself: it sends a *probe*, a packet
// padded to the size in question, and takes an acknowledgement for a yes. A lost probe may have been lost for any
// reason, so that a size has failed only after three of them (RFC 8899 §5.1.2, MAX_PROBES); the loss of a probe says
// nothing about congestion. One answer counts at once: when the host's own interface refuses to send such a packet.
// That answer comes from the kernel, and nobody on the path can forge it.
//
// The order of the questions:
//   1. The ceiling: what both ends allow. On loopback it passes, and the search is over after one round trip. Where our
//      own interface takes less, its refusal answers at once.
//   2. The sizes that paths usually have, below it.
//   3. Just above the one that passed. Nearly always that fails, and the search is over.
//   4. Otherwise halves of the interval between what passed and what failed, until it is small.
//   5. Before the search rests, the smallest size that failed is asked once more: on a path that loses a tenth of its
//      packets, one size in a thousand fails by chance. After ten minutes everything above is asked again (RFC 8899
//      §5.1.1, PMTU_RAISE_TIMER).
//
// A size is used, and asked for, only while the congestion window holds at least four such packets. With fewer there
// are too few packets in flight to notice a loss by the packets that follow, and each lost one is a large part of what
// may be sent. So on a young connection, with a window of less than 48 KiB, the search begins with the largest usual
// size that is no larger than Ethernet's. Once Ethernet's was asked for, it is until it passes or fails, and what is
// just above it comes next: where one of them fails, the large ones, whose probes take much room, are never asked for.
//
// A path can shrink. Then large packets vanish and small ones pass, which black_hole_detector.h notices; the size goes
// back to the base at once, the size that failed is asked once more with a single probe, because a short outage looks
// the same, and then the search begins anew below it (threat t45).
//
// All sizes are bytes of UDP payload. Sans-I/O; no clock; used from the thread of its connection only.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "connection/black_hole_detector.h"
#include "mxp/address.h"
#include "mxp/config.h"
#include "mxp/ids.h"
#include "mxp/time.h"

namespace mxp {

// One for each path: a new path gets a new one.
class DatagramSizeSearch {
 public:
  // What every path carries (RFC 9000 §14): the handshake has shown it.
  static constexpr std::size_t kBase = kMinInitialSize;
  // A search ends when the size that passed is at most so many bytes below one that failed. Our choice: 1 % of the
  // base.
  static constexpr std::size_t kGap = 16;
  // A size is used, and asked for, while the window holds so many of it. Our choice; above.
  static constexpr std::uint64_t kDatagramsInWindow = 4;
  // A bound for searches that chance leads astray; an undisturbed one takes less than half of it.
  static constexpr unsigned kMaxProbes = 100;

  // `family` of the path's addresses. `ceiling`: the largest size worth asking for, which is the smaller of our own
  // upper bound and the peer's max_udp_payload; less than the base counts as the base.
  DatagramSizeSearch(AddressFamily family, std::size_t ceiling);

  // For another path that is expected to be like this one, on which nothing was sent yet.
  DatagramSizeSearch carried_on() const {
    DatagramSizeSearch other = *this;
    other.probe_.reset();
    other.detector_ = BlackHoleDetector();
    return other;
  }

  std::size_t ceiling() const { return ceiling_; }

  // The largest size known to pass; kBase at first. Never above the ceiling.
  std::size_t size() const { return passed_; }
  // What to cut datagrams to while the congestion window is `window` bytes: size(), or halves of it as far as the
  // window needs them, so that the size in use does not change with every byte of the window. At least kBase.
  std::size_t usable_size(std::uint64_t window) const;

  // The size to send a probe of now. Nothing while one is in flight, while the search rests, or while the window holds
  // too few of every size worth asking for. Do not ask while probe timeouts go unanswered: a path that is silent
  // answers no question. To ask and send nothing is fine.
  std::optional<std::size_t> probe_due(Timestamp now, std::uint64_t window);
  // `number` of the packet that is the probe. REQUIRES: no probe is in flight; kBase < size <= the ceiling.
  void on_probe_sent(PacketNumber number, std::size_t size);
  // A probe that is not known any more, because a black hole was found in between, is ignored.
  void on_probe_acknowledged(Timestamp now, PacketNumber number);
  void on_probe_lost(Timestamp now, PacketNumber number);
  // The local interface refused a single datagram of this size (EMSGSIZE), probe or not; not for other errors, and not
  // for a train of datagrams. Returns the probe that was in flight if it had this size: it was not sent.
  std::optional<PacketNumber> on_refused(Timestamp now, std::size_t size);

  // Ordinary packets of this path, of any size. Within one ACK, report what was acknowledged before what was lost.
  void on_packet_acknowledged(PacketNumber number, std::size_t size);
  void on_packet_lost(PacketNumber number, std::size_t size);
  // Nothing at all came back for several probe timeouts in a row: the path may be another one now. For the detection
  // of a black hole to work, what is sent at a probe timeout must not be larger than kBase.
  void on_persistent_timeout();

  // The search is over for now. It has no deadline: a connection with nothing to send need not wake up for the next
  // one.
  bool resting() const { return !searching_; }
  unsigned probes_sent() const { return probes_; }       // in the current or latest search
  unsigned black_holes() const { return black_holes_; }  // how often the size fell back to the base
  bool is_probe(PacketNumber number) const { return probe_ && probe_->number == number; }

 private:
  static constexpr unsigned kMaxLosses = 3;                           // RFC 8899 §5.1.2: MAX_PROBES
  static constexpr Duration kRaiseAfter = std::chrono::seconds(600);  // RFC 8899 §5.1.1: PMTU_RAISE_TIMER

  struct Probe {
    PacketNumber number;
    std::size_t size = 0;
  };
  // The size in use before a black hole was suspected, and what was known then.
  struct Suspect {
    std::size_t size = 0;
    std::size_t failed = 0;
    bool searching = false;
    Timestamp rest_until = kNever;
  };

  std::optional<std::size_t> next_size(std::uint64_t window) const;
  std::optional<std::size_t> next_usual_size(std::uint64_t window, std::size_t& remaining) const;
  void begin();
  void rest(Timestamp now);
  void rest_if_done(Timestamp now);
  void on_failed(Timestamp now, std::size_t size);
  void fall_back();
  bool is_usual(std::size_t size) const;
  bool is_worth_asking(std::size_t size, std::uint64_t window) const;

  std::size_t overhead_;  // IP and UDP headers
  std::size_t ceiling_;
  std::size_t passed_ = kBase;
  std::size_t failed_;  // the smallest size known or believed not to pass: always above passed_
  bool searching_ = true;
  bool asked_again_ = false;   // the size that failed last has had its second chance
  bool asking_again_ = false;  // it is being asked
  std::optional<Suspect> suspect_;
  std::optional<Probe> probe_;
  std::size_t asked_size_ = 0;  // the size whose losses are counted
  unsigned losses_ = 0;
  unsigned probes_ = 0;
  unsigned black_holes_ = 0;
  Timestamp rest_until_ = kNever;
  BlackHoleDetector detector_;
};

}  // namespace mxp
