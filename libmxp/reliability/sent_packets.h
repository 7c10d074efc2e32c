// All packets whose fate is open, in a ring indexed by packet number: record = number − base. Look-up is O(1) without a
// map, and skipped numbers have records too. A run of acknowledged packets is jumped over in O(1): the records of a run
// link to where it ends, and the links are compressed while walking (the path halving of union-find). So an ACK that
// repeats old ranges costs nothing like their length.
//
// A lost packet keeps its record for a while, so that a late acknowledgement of it is recognised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/range_set.h"
#include "core/work.h"
#include "mxp/require.h"
#include "mxp/trace.h"
#include "reliability/sent_packet.h"

namespace mxp {

class SentPackets {
 public:
  // No more numbers than this are kept between the oldest open packet and the newest. This bounds the memory when a
  // peer acknowledges everything but one packet, or nothing while we only acknowledge: 12 MiB of records at most.
  // 65,536 packets (half of it) may be in flight, which are 78 MB of 1200-byte packets.
  static constexpr std::uint64_t kMaxSpan = std::uint64_t{1} << 17;
  // Packets that are not in flight (ACK only) are forgotten unacknowledged after this many more packets: a peer has no
  // reason to acknowledge them on their own.
  static constexpr std::uint64_t kKeptNotInFlight = 256;
  // How many ranges of skipped numbers are remembered after everything around them is settled.
  static constexpr std::size_t kKeptSkips = 64;

  struct Late {  // a packet that was declared lost and arrived after all
    SentPacket packet;
    LossReason reason;
    std::uint32_t episode;  // as given to mark_lost
  };

  // The number that follows the largest ever sent.
  std::uint64_t next() const { return next_; }
  // Whether each of first..last was sent.
  bool were_sent(std::uint64_t first, std::uint64_t last) const;

  // Numbers between next() and this packet become skipped ones. REQUIRES: packet.number >= next().
  void add(const SentPacket& packet);

  // Marks first..last acknowledged. In ascending order it calls acknowledged(const SentPacket&) for each that was
  // outstanding, and on_late(const Late&) for each that had been declared lost. REQUIRES: were_sent(first, last).
  template <typename Acknowledged, typename OnLate>
  void acknowledge(std::uint64_t first, std::uint64_t last, Acknowledged&& acknowledged, OnLate&& on_late) {
    MXP_REQUIRE(last < next_);
    std::uint64_t number = first < base_ ? base_ : first;
    while ((number = skip_acknowledged(number)) <= last && number < next_) {
      const std::uint64_t run = number;
      for (; number <= last && record(number).state != State::acknowledged; ++number) {
        MXP_WORK(1);
        Record& it = record(number);
        const State before = it.state;
        const std::uint32_t episode = it.link;
        it.state = State::acknowledged;
        it.link = 1;
        if (before == State::outstanding) {
          acknowledged(it.packet);
        } else if (before == State::lost_reordering || before == State::lost_time) {
          on_late(Late{it.packet, before == State::lost_time ? LossReason::time : LossReason::reordering, episode});
        }
      }
      record(run).link = static_cast<std::uint32_t>(number - run);
    }
  }

  // The oldest outstanding number at or after `from`; next() if there is none. `from` may be below the ring.
  std::uint64_t first_outstanding(std::uint64_t from);
  std::uint64_t first_outstanding() { return first_outstanding_ = first_outstanding(first_outstanding_); }
  // Whether one of from..to (both tracked) is acknowledged.
  bool any_acknowledged(std::uint64_t from, std::uint64_t to) const;
  // REQUIRES: base() <= number < next().
  const SentPacket& packet(std::uint64_t number) const {
    MXP_REQUIRE(number >= base_ && number < next_);
    return record(number).packet;
  }
  void mark_lost(std::uint64_t number, LossReason reason, std::uint32_t episode);
  // It did not leave this machine, and is waited for no longer. REQUIRES: it is outstanding.
  void mark_unsent(std::uint64_t number);
  bool is_outstanding(std::uint64_t number) const {
    return number >= base_ && number < next_ && record(number).state == State::outstanding;
  }

  // Gives back the settled records at the front; those of lost packets only if they were sent before `lost_before`.
  void trim(Timestamp lost_before);
  // Gives back the memory that the records do not need now.
  void shrink();
  std::size_t memory() const { return ring_.capacity() * sizeof(Record); }

  std::uint64_t base() const { return base_; }
  // From the oldest outstanding packet to the newest packet.
  std::uint64_t span() const { return next_ - first_outstanding_; }

  // visit(const SentPacket&) -> bool for each outstanding packet, ascending; false stops.
  template <typename Visit>
  void for_each_outstanding(Visit&& visit) const {
    for (std::uint64_t number = first_outstanding_; number < next_;) {
      MXP_WORK(1);
      const Record& it = record(number);
      if (it.state == State::outstanding && !visit(it.packet)) return;
      number += it.state == State::acknowledged ? it.link : 1;
    }
  }

 private:
  enum class State : std::uint8_t { skipped, outstanding, acknowledged, lost_reordering, lost_time, forgotten };
  struct Record {
    SentPacket packet;
    std::uint32_t link = 0;  // acknowledged: distance to a record at or before the end of the run; lost: the episode
    State state = State::skipped;
  };
  static_assert(sizeof(Record) <= 96);

  Record& record(std::uint64_t number) { return ring_[number & mask_]; }
  const Record& record(std::uint64_t number) const { return ring_[number & mask_]; }
  std::uint64_t skip_acknowledged(std::uint64_t number);
  void reserve_one();
  void resize_ring(std::size_t size);

  static constexpr std::size_t kFirstRecords = 4;  // enough for an idle connection, which sends a packet now and then

  std::vector<Record> ring_;  // empty, or a power of two
  std::uint64_t mask_ = 0;
  std::uint64_t base_ = 0;  // number of the oldest record
  std::uint64_t next_ = 0;
  std::uint64_t first_outstanding_ = 0;  // there is none below it
  RangeSet skipped_;
};

}  // namespace mxp
