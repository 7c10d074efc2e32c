#include "netem/red.h"

#include <algorithm>
#include <cmath>

namespace mxp::netem {

double red_weight(double burst, double min) {
  // The average after L packets that arrive at once is L + 1 + ((1-w)^(L+1) - 1) / w packets.
  constexpr int kSmallest = 32;
  double weight = 0.5;
  for (int i = 1; i < kSmallest; ++i, weight /= 2) {
    const double average = burst + 1 + (std::pow(1 - weight, burst + 1) - 1) / weight;
    if (average <= min) break;
  }
  return weight;
}

RedLevels red_levels(const LinkSpec::Queue& queue, std::uint32_t limit_packets) {
  const double packet = queue.packet_bytes;
  RedLevels levels;
  levels.max_bytes = queue.max_bytes > 0 ? queue.max_bytes : std::max(packet * limit_packets / 4, 3 * packet);
  levels.min_bytes = queue.min_bytes > 0 ? queue.min_bytes : std::max(levels.max_bytes / 3, packet);
  if (queue.max_bytes == 0) levels.max_bytes = std::max(levels.max_bytes, 3 * levels.min_bytes);
  const double burst = queue.burst_packets > 0 ? queue.burst_packets
                                               : std::ceil((2 * levels.min_bytes + levels.max_bytes) / (3 * packet));
  levels.weight = red_weight(burst, levels.min_bytes / packet);
  return levels;
}

Red::Red(const LinkSpec::Queue& queue, const RedLevels& levels, ByteRate rate)
    : levels_(levels),
      probability_(queue.probability),
      ecn_(queue.ecn),
      harddrop_(queue.harddrop),
      packet_time_(rate.is_zero() ? Duration::zero() : rate.time_for(queue.packet_bytes)) {}

QueueFate Red::judge(std::uint64_t queued_bytes, bool may_mark, double u, Timestamp now) {
  if (queued_bytes == 0 && empty_since_ != Timestamp::min() && packet_time_.count() > 0) {
    // As if packets of the usual size had met an empty queue all the while.
    const double packets = static_cast<double>(std::max(now - empty_since_, Duration::zero()).count()) /
                           static_cast<double>(packet_time_.count());
    average_ *= std::pow(1 - levels_.weight, packets);
    empty_since_ = std::max(now, empty_since_);
  } else {
    average_ += levels_.weight * (static_cast<double>(queued_bytes) - average_);
  }
  const bool mark = ecn_ && may_mark;
  if (average_ < levels_.min_bytes) {
    unmarked_ = 0;
    return QueueFate::send;
  }
  if (average_ >= levels_.max_bytes) {
    unmarked_ = 0;
    return mark && !harddrop_ ? QueueFate::mark : QueueFate::drop;
  }
  const double base = probability_ * (average_ - levels_.min_bytes) / (levels_.max_bytes - levels_.min_bytes);
  // Divided by what is left, so that the number of packets from one choice to the next is uniform between 1 and 1/base
  // and neither bursts nor long gaps come up (§7 of the paper).
  const double left = 1 - static_cast<double>(unmarked_) * base;
  if (left > base && u >= base / left) {
    ++unmarked_;
    return QueueFate::send;
  }
  if (base <= 0) return QueueFate::send;
  unmarked_ = 0;
  return mark ? QueueFate::mark : QueueFate::drop;
}

}  // namespace mxp::netem
