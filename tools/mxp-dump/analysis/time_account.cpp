#include "mxp-dump/analysis/time_account.h"

#include <algorithm>
#include <numeric>

namespace mxp::dump {
namespace {

// A queue stands where even the shortest round trip of a slot is this much longer than the shortest of all. Our choice:
// a quarter is what BBR adds by itself while it probes, and 2 ms are noise of timers.
bool queue_stands(const Slot& slot, std::int64_t shortest_ns) {
  return slot.shortest_rtt_ns > shortest_ns + shortest_ns / 4 + 2'000'000;
}

std::int64_t ninth_tenth(std::vector<std::int64_t> values) {
  if (values.empty()) return 0;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) * 9 / 10);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace

std::string_view word_of(Limit limit) {
  constexpr std::array<std::string_view, kLimits> kWords{
      "start_up", "application", "receiver_window", "recovery", "path_rate", "congestion_window", "pacing", "not_told"};
  return kWords[static_cast<std::size_t>(limit)];
}

std::string_view phrase_of(Limit limit) {
  constexpr std::array<std::string_view, kLimits> kPhrases{"start-up",
                                                           "the application or its buffer",
                                                           "the receiver's window",
                                                           "recovery from loss",
                                                           "the path's rate",
                                                           "the congestion window",
                                                           "pacing",
                                                           "not told here"};
  return kPhrases[static_cast<std::size_t>(limit)];
}

std::int64_t TimeAccount::Sums::total() const { return std::accumulate(ns.begin(), ns.end(), std::int64_t{0}); }

void TimeAccount::event(std::int64_t time_ns, const State& after, History& history) {
  const auto add = [&](Limit limit, std::int64_t span) {
    plain_[static_cast<std::size_t>(limit)] += span;
    if (limit != Limit::application) {
      pause_ns_ = 0;
      return;
    }
    constexpr std::int64_t kPauseNs = 5'000'000;
    if (pause_ns_ < kPauseNs && pause_ns_ + span >= kPauseNs) ++pauses_;
    pause_ns_ += span;
    longest_pause_ns_ = std::max(longest_pause_ns_, pause_ns_);
  };
  if (begun_ && time_ns > last_ns_) {
    std::int64_t span = time_ns - last_ns_;
    if (!state_.confirmed) {
      add(Limit::start_up, span);
    } else if (!state_.readable) {
      add(Limit::not_told, span);
    } else if (state_.waits_for_credit) {
      add(Limit::receiver_window, span);
    } else if (!state_.in_flight) {
      const std::int64_t under_way = state_.drained ? 0 : std::min(span, state_.answer_ns);
      if (under_way > 0) history.at(last_ns_).busy_ns += under_way;
      // Behind a pause of the path nothing is seen to be under way; but what ends it is a repair.
      add(after.repairs ? Limit::recovery : Limit::application, span - under_way);
    } else {
      // What is overdue is a loss that is waited for.
      const std::int64_t overdue =
          state_.answer_overdue_ns == 0 ? 0 : std::clamp<std::int64_t>(time_ns - state_.answer_overdue_ns, 0, span);
      add(Limit::recovery, overdue);
      span -= overdue;
      if (state_.recovering) add(Limit::recovery, span);
      else if (state_.drained) add(Limit::application, span);
      else history.at(last_ns_).busy_ns += span;
    }
  }
  begun_ = true;
  last_ns_ = std::max(last_ns_, time_ns);
  state_ = after;
}

TimeAccount::Sums TimeAccount::sums(const Busy& busy) const {
  Sums sums{plain_};
  const auto add = [&](Limit limit, std::int64_t span) { sums.ns[static_cast<std::size_t>(limit)] += span; };
  const std::int64_t shortest = busy.round_trip->shortest_ns();
  std::int64_t width = 0;
  const std::vector<Slot> slots = busy.history->in_slots_of(2 * shortest, width);
  std::vector<std::int64_t> flights;
  bool queue_seen = false;
  for (const Slot& slot : slots) {
    if (slot.highest_flight > 0) flights.push_back(static_cast<std::int64_t>(slot.highest_flight));
    queue_seen = queue_seen || (slot.shortest_rtt_ns != 0 && slot.longest_rtt_ns > shortest + shortest / 8 + 500'000);
  }
  const auto usual_flight = static_cast<std::uint64_t>(ninth_tenth(flights));
  const double cap = sustained_rate(*busy.history, shortest);
  bool started = false;
  for (const Slot& slot : slots) {
    started = started || slot.highest_flight * 2 >= usual_flight;
    const double rate = static_cast<double>(slot.acknowledged_bytes) * 1e9 / static_cast<double>(width);
    if (busy.at_receiver) add(Limit::not_told, slot.busy_ns);
    else if (!started) add(Limit::start_up, slot.busy_ns);
    else if (queue_stands(slot, shortest)) add(Limit::path_rate, slot.busy_ns);
    else if (busy.window_was_cut) add(Limit::congestion_window, slot.busy_ns);
    // The path is full where its rate is reached and the packets have begun to wait for each other.
    else if (queue_seen && rate >= 0.8 * cap) add(Limit::path_rate, slot.busy_ns);
    else add(paced() && !busy.lost_much ? Limit::pacing : Limit::congestion_window, slot.busy_ns);
  }
  return sums;
}

double sustained_rate(const History& history, std::int64_t round_trip_ns) {
  std::int64_t width = 0;
  // Not shorter than 50 ms, since acknowledgements come in lumps.
  const std::vector<Slot> slots = history.in_slots_of(std::max<std::int64_t>(2 * round_trip_ns, 50'000'000), width);
  std::vector<std::int64_t> rates;
  for (std::size_t i = 0; i + 1 < slots.size() || i == 0; ++i) {
    if (i >= slots.size()) break;
    if (slots[i].acknowledged_bytes > 0) rates.push_back(static_cast<std::int64_t>(slots[i].acknowledged_bytes));
  }
  return width == 0 ? 0 : static_cast<double>(ninth_tenth(std::move(rates))) * 1e9 / static_cast<double>(width);
}

}  // namespace mxp::dump
