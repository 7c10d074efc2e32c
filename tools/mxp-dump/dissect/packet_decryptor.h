// Opens the 1-RTT packets of one direction as an onlooker. Packets come twice and out of order, and the capture may
// have begun late or have holes. So two things must be found out that a receiver always knows: the upper bits of the
// packet number, and the key phase beyond its lowest bit (docs/protocol.md §3, §3.1).
//
//   open     what follows from the packets before: the present phase, the next, the one before; near numbers
//   search   phases further ahead and distant numbers, with a bounded number of trials
//
// There is no replay window, because a duplicate is something to show. Nothing changes before a tag has verified. A
// trial is one opening by the AEAD. Trials are all that a forged packet costs, besides the keys of the phases that are
// searched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "crypto/packet_protection.h"
#include "mxp-dump/capture/captured_packet.h"

namespace mxp::dump {

class PacketDecryptor {
 public:
  // How many trials one open() and one search() make at most. Our choice: a search in vain takes tens of milliseconds.
  static constexpr std::size_t kOpenTrials = 34, kSearchTrials = 32768;
  // How many phases after the present one a search looks at: those that the key log names and a few more, but never
  // more than the first of these constants; and as many as the second in any case, since the log may be older than the
  // capture. Our choice: 4096 phases are at least 50 GB or three days of a connection, 512 are at least 6 GB or eight
  // hours.
  static constexpr std::uint32_t kMaxPhasesAhead = 4096, kBlindPhasesAhead = 512;

  PacketDecryptor(Suite suite, const TrafficSecret& phase_0);

  struct Opened {
    PacketNumber number;
    std::uint32_t phase = 0;
    std::uint8_t first_byte = 0;
    MutableBytes payload;  // in `scratch`
  };
  // `expected` is the number that follows the largest one opened so far.
  std::optional<Opened> open(ByteView packet, std::uint64_t expected, std::vector<std::uint8_t>& scratch);

  struct Search {
    std::uint32_t highest_named = 0;  // the latest phase in the key log
    // How many packets in a row were searched in vain before this one. Neighbours have nearly the same phase and
    // number, so each round looks at numbers beyond those of the round before.
    std::size_t round = 0;
  };
  std::optional<Opened> search(ByteView packet, std::uint64_t expected, const Search& how,
                               std::vector<std::uint8_t>& scratch);

  // Another one that goes on from the present phase. `phase_0` is the secret that this one began with.
  PacketDecryptor copy(const TrafficSecret& phase_0) const;
  // What open() tries first, and nothing else. `room` is of the packet's size. OpenedAhead::source stays 0.
  std::optional<OpenedAhead> open_likely(ByteView packet, std::uint64_t expected, MutableBytes room);
  // Takes over what a copy has opened, if open() would open it in its first trial and in the present phase.
  std::optional<Opened> adopt(const OpenedAhead& ahead, std::uint64_t expected);

  Suite suite() const { return suite_; }
  std::uint32_t phase() const { return phase_; }  // the latest that a packet was opened in
  std::uint64_t trials() const { return trials_; }

 private:
  // A packet, and its header in the clear, which is the associated data.
  struct Unmasked {
    ByteView packet;
    MutableBytes scratch;  // of the packet's size; begins with the header, and what is opened goes behind it
    std::size_t header_size = 0;
    std::size_t number_size = 0;
    std::uint64_t truncated = 0;
    std::uint64_t window = 0;  // the distance of the numbers that it may have
    std::uint64_t likely = 0;  // the one that a receiver would choose
    bool odd_phase = false;
  };

  PacketDecryptor(Suite suite, const PacketKeys& keys, const TrafficSecret& secret);
  std::optional<Unmasked> unmask(ByteView packet, std::uint64_t expected, std::vector<std::uint8_t>& scratch);
  Unmasked unmask_in(MutableBytes room, ByteView packet, std::uint64_t expected);
  bool try_number(PhaseKeys& keys, const Unmasked& packet, std::optional<std::uint64_t> number);
  std::optional<Opened> try_present(const Unmasked& packet, std::size_t first, std::size_t count);
  std::optional<Opened> try_next(const Unmasked& packet, std::optional<std::uint64_t> number);
  std::optional<Opened> try_previous(const Unmasked& packet, std::optional<std::uint64_t> number);

  // A place in the chain of secrets, and what lies just before it.
  struct Link {
    std::uint32_t phase = 0;
    TrafficSecret secret;
    TrafficSecret before;
    void step();
  };
  std::optional<Opened> search_phases(const Unmasked& packet, Link& link, std::uint32_t last, std::size_t trials,
                                      std::size_t round);
  void turn(std::uint64_t number);
  void jump(const Link& link, PhaseKeys keys, std::uint64_t number);

  Suite suite_;
  HeaderProtector header_;  // phase 0's serves all phases
  PhaseKeys present_;
  std::optional<PhaseKeys> previous_;
  std::optional<PhaseKeys> next_;  // made when a packet first asks for them, and kept
  TrafficSecret secret_;           // of the present phase
  std::uint32_t phase_ = 0;
  std::uint64_t lowest_of_phase_ = 0;  // the smallest number opened in the present phase
  std::uint64_t trials_ = 0;
};

}  // namespace mxp::dump
