// RED: random early detection (Floyd and Jacobson, "Random Early Detection Gateways for Congestion Avoidance", IEEE/ACM
// Transactions on Networking 1(4), 1993). It keeps a weighted average of the queue's length. Between `min` and `max` it
// marks or drops arriving packets with a probability that rises with the average, spaced evenly by counting those
// between; beyond `max` all of them. The parameters are those of tc-red(8).
#pragma once

#include <cstdint>
#include <string>

#include "mxp/rate.h"
#include "mxp/time.h"
#include "netem/codel.h"
#include "netem/spec.h"

namespace mxp::netem {

// The numbers in use once the defaults are filled in: see LinkSpec::Queue.
struct RedLevels {
  double min_bytes = 0;
  double max_bytes = 0;
  double weight = 0;  // of the new length in the average, a power of two
};
// `limit_packets` is what the defaults are taken from.
RedLevels red_levels(const LinkSpec::Queue& queue, std::uint32_t limit_packets);

// The largest power of two as a weight with which `burst` packets that meet an empty queue leave the average below
// `min` packets (§6 of the paper). REQUIRES: burst + 1 > min, otherwise no weight is large enough to matter and the
// largest is returned.
double red_weight(double burst, double min);

class Red {
 public:
  // `rate`: how fast the queue empties, which says how many small packets could have left while it was empty.
  Red(const LinkSpec::Queue& queue, const RedLevels& levels, ByteRate rate);

  // A packet arrives and meets `queued_bytes`; `u` in [0, 1) is its draw.
  QueueFate judge(std::uint64_t queued_bytes, bool may_mark, double u, Timestamp now);
  void on_empty(Timestamp since) { empty_since_ = since; }
  double average_bytes() const { return average_; }

 private:
  RedLevels levels_;
  double probability_;
  bool ecn_;
  bool harddrop_;
  Duration packet_time_;  // of one usual packet
  double average_ = 0;
  std::uint64_t unmarked_ = 0;  // packets since the last one that was chosen
  Timestamp empty_since_ = Timestamp::min();
};

}  // namespace mxp::netem
