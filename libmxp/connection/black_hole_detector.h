// Notices that a path no longer carries packets of a size it once carried (RFC 8899 §4.3, threat t45).
//
// A route that changed to a smaller MTU says nothing: it swallows large packets and lets small ones pass. A loss by
// itself means little, because paths lose packets of every size. What tells a black hole from bad luck is that every
// large packet is lost, and that none sent later arrives either. The detector therefore counts the large packets in a
// row that were lost while no packet of at least their size, sent after them, was acknowledged. A packet is only ever
// declared lost because one sent after it was acknowledged, so each loss in such a row also shows that smaller
// packets get through.
//
// Six losses in a row are proof enough on a path that loses one packet in a hundred. On one that loses a third of them
// they come by chance once in a thousand packets, and the row has to be longer. The detector measures what share of the
// large packets is lost in ordinary times, and multiplies it up along the row: that product is the probability of
// seeing the row by chance, and the verdict waits until it is at most one in a hundred million. With a loss of 4 % or
// less that takes six packets, with 10 % eight, with 30 % sixteen.
//
// An outage, which swallows packets of every size, can look the same when the first packet after it is a small one. The
// owner meets that: it asks once, with one probe, whether the old size still passes (datagram_size_search.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "mxp/ids.h"

namespace mxp {

// One for each path. Give it packets larger than the base size only. Within one ACK, report what was acknowledged
// before what was lost.
class BlackHoleDetector {
 public:
  void on_acknowledged(PacketNumber number, std::size_t size);
  // True: a black hole; the row is forgotten with that.
  [[nodiscard]] bool on_lost(PacketNumber number, std::size_t size);
  // What is known of sizes is void: the size in use has changed. The share of losses is kept.
  void forget();

  double loss_share() const { return loss_share_; }  // of large packets, in ordinary times: 0..1

 private:
  // Our choices. The share starts high, so that a connection that is seconds old does not judge by its first few
  // packets; a hundred packets without a loss bring it below 5 %.
  static constexpr unsigned kLeastLosses = 6;
  static constexpr double kByChance = 1e-8;
  static constexpr double kInitialLossShare = 0.25;
  static constexpr double kLargestLossShare = 0.5;
  static constexpr double kLossShareWeight = 1.0 / 64;
  static constexpr std::size_t kMaxArrivals = 8;

  // Packets lost in a row.
  struct Row {
    unsigned losses = 0;  // 0: there is none
    PacketNumber first;
    std::size_t smallest = 0;
    double by_chance = 1;
  };
  // An acknowledged packet. It shows that what was sent before it, and is not larger, was not lost for its size.
  struct Arrival {
    PacketNumber number;
    std::size_t size = 0;
  };

  bool explained_by_arrival(PacketNumber number, std::size_t size) const;
  void remember(Arrival arrival);
  void count_ordinary_losses(unsigned losses);

  // In the order of numbers, sizes falling: those that no other one implies. Almost always there is just one. Where
  // there is no room, a new one is merged with the last one, in the direction that explains more losses.
  std::array<Arrival, kMaxArrivals> arrivals_{};
  std::size_t arrival_count_ = 0;
  Row row_;
  double loss_share_ = kInitialLossShare;
};

}  // namespace mxp
