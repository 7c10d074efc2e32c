// What made the losses of a direction: the state of the path at the time when the lost packets were sent.
#include <algorithm>

#include "mxp-dump/analysis/judges.h"

namespace mxp::dump {
namespace {

// Slots of 100 ms at least, or two round trips: shorter ones see single bursts.
std::vector<Slot> slots_of(const DirectionStory& direction, std::int64_t& width) {
  return direction.history.in_slots_of(std::max<std::int64_t>(100'000'000, 2 * direction.round_trip.shortest_ns()),
                                       width);
}

bool waits(const Slot& slot, std::int64_t shortest) {
  return slot.longest_rtt_ns > shortest + shortest / 4 + 3'000'000;
}

// A policer lets a rate pass and drops the rest at once: what is acknowledged stays at one rate while packets are lost,
// and no packet ever waits. Behind a queue, whoever tries out more than the rate makes packets wait.
bool is_policed(const std::vector<Slot>& slots, std::int64_t shortest) {
  constexpr std::size_t kEnoughSlots = 6;
  if (slots.size() < kEnoughSlots + 3) return false;
  std::vector<double> passed;
  std::size_t waiting = 0;
  // Without the beginning, in which the rate grows, and the end.
  for (std::size_t i = 2; i + 1 < slots.size(); ++i) {
    if (slots[i].acknowledged_bytes > 0) passed.push_back(static_cast<double>(slots[i].acknowledged_bytes));
    if (slots[i].longest_rtt_ns > shortest + shortest / 10 + 2'000'000) ++waiting;
  }
  if (passed.size() < kEnoughSlots) return false;
  std::ranges::sort(passed);
  const double middle = passed[passed.size() / 2];
  const double spread = passed[passed.size() * 3 / 4] - passed[passed.size() / 4];
  return spread <= 0.2 * middle && waiting * 5 <= passed.size();
}

}  // namespace

LossPlace loss_place(const DirectionStory& direction) {
  const LossPattern& after = direction.lost_after;
  const LossPattern& before = direction.gaps.lost_before();
  if (after.lost_packets() == 0 && before.lost_packets() == 0) return {};
  if (after.lost_packets() >= before.lost_packets()) return {&after, false};
  return {&before, true};
}

LossCause loss_cause(const DirectionStory& direction) {
  if (direction.lost_after.lost_packets() == 0) return LossCause::none;
  std::int64_t width = 0;
  const std::vector<Slot> slots = slots_of(direction, width);
  const std::int64_t shortest = direction.round_trip.shortest_ns();
  if (shortest < 200'000) return LossCause::unknown;  // the receiver is here: what waits was not seen from here
  std::uint64_t lost[2] = {}, sent[2] = {};
  for (std::size_t i = 0; i < slots.size(); ++i) {
    // The round trip of what was sent in one slot may be told in the next.
    const bool waited = waits(slots[i], shortest) || (i + 1 < slots.size() && waits(slots[i + 1], shortest));
    lost[waited ? 1 : 0] += slots[i].lost_packets;
    sent[waited ? 1 : 0] += slots[i].sent_packets;
  }
  if (is_policed(slots, shortest)) return LossCause::policer;
  // Nearly all losses fell where packets waited, and few where they did not.
  const double calm = static_cast<double>(lost[0] + 1) / static_cast<double>(sent[0] + 1);
  const double loaded = static_cast<double>(lost[1]) / static_cast<double>(sent[1] + 1);
  if (lost[1] * 10 >= (lost[0] + lost[1]) * 8 &&
      (loaded > 3 * calm || (sent[0] * 10 < sent[1] && queue_stands(direction) && direction.lost_after.bursty())))
    return LossCause::queue;
  return LossCause::unknown;
}

bool queue_stands(const DirectionStory& direction) {
  const RoundTrip& round_trip = direction.round_trip;
  // Our choice: twice as long and 20 ms more than the shortest, in half of all samples. Rate control that keeps queues
  // short stays below, its start-up included; who talks to people notices more than that.
  // The time that four packets take is no queue either: no sender keeps less under way.
  const double rate = sustained_rate(direction.history, round_trip.shortest_ns());
  const auto four_packets = rate > 0 ? static_cast<std::int64_t>(4 * 1500 * 1e9 / rate) : 0;
  return round_trip.samples() >= 20 &&
         round_trip.quantile_ns(0.5) > round_trip.shortest_ns() * 2 + 20'000'000 + four_packets;
}

bool acknowledges_only(const DirectionStory& direction) {
  return direction.acks_only * 10 >= direction.opened * 7 && direction.opened >= 50;
}

double acknowledgements_lost(const DirectionStory& acknowledging) {
  const std::uint64_t absent = acknowledging.gaps.single_unknown() + acknowledging.gaps.lost_before().lost_packets();
  if (acknowledging.opened == 0) return 0;
  return static_cast<double>(absent) / static_cast<double>(absent + acknowledging.opened);
}

}  // namespace mxp::dump
