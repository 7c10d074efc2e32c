// Where the time of one direction went: "why is it slow" as a sum. Each span between two events of the connection is
// put to what held the sender back in it, after Siekkinen et al., "A root cause analysis toolkit for TCP" (Computer
// Networks 52(9), 2008). The spans add up to the connection's time exactly.
//
//   nothing is under way, or the last packet was not full      the application (or the sender's own buffer: a capture
//                                                              cannot tell these two apart)
//   the sender has said that it waits for credit               the receiver's window
//   something was reported missing, or nothing comes back      recovery from loss
//   before the handshake is confirmed                          start-up
//   otherwise data is under way: see judge_busy()              start-up, the path's rate, congestion window, pacing
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "mxp-dump/analysis/history.h"
#include "mxp-dump/analysis/round_trip.h"

namespace mxp::dump {

enum class Limit : std::uint8_t {
  start_up,
  application,
  receiver_window,
  recovery,
  path_rate,
  congestion_window,
  pacing,
  not_told,  // without keys, or at the receiver's end
};
inline constexpr std::size_t kLimits = 8;
std::string_view word_of(Limit limit);    // for scripts: "path_rate"
std::string_view phrase_of(Limit limit);  // for people: "the path's rate"

class TimeAccount {
 public:
  // What is true of the direction from this event on.
  struct State {
    bool confirmed = false;
    bool readable = true;
    bool waits_for_credit = false;
    bool in_flight = false;
    // How long after an acknowledgement has passed here what it lets go can pass: the part of the round trip that
    // lies on the sender's side.
    std::int64_t answer_ns = 0;
    bool drained = false;                // the last packet of data was not full: there was no more
    bool recovering = false;             // something is missing, and nothing that was sent since was acknowledged
    bool repairs = false;                // this event sends again what was lost
    std::int64_t answer_overdue_ns = 0;  // from when on an answer to what is in flight is late; 0: none is awaited
  };
  // The span from the last event until this one is put to what was true after the last one.
  void event(std::int64_t time_ns, const State& after, History& history);

  struct Sums {
    std::array<std::int64_t, kLimits> ns{};
    std::int64_t total() const;
    double share(Limit limit) const {
      const std::int64_t all = total();
      return all == 0 ? 0 : static_cast<double>(ns[static_cast<std::size_t>(limit)]) / static_cast<double>(all);
    }
  };
  // Sends that came right behind an acknowledgement, and others: what the window lets go, and what a pacer does.
  void sent(bool behind_acknowledgement) { ++(behind_acknowledgement ? clocked_ : free_); }
  bool paced() const { return free_ > clocked_; }
  // Spans in which the application sent nothing, of 5 ms and more, and the longest.
  std::uint64_t pauses() const { return pauses_; }
  std::int64_t longest_pause_ns() const { return longest_pause_ns_; }

  // `window_was_cut`: the path has marked packets.
  struct Busy {
    const History* history = nullptr;
    const RoundTrip* round_trip = nullptr;
    bool window_was_cut = false;
    bool lost_much = false;    // what does not fill the path then is held back by its window
    bool at_receiver = false;  // the round trip on its side is not seen
  };
  Sums sums(const Busy& busy) const;

 private:
  std::array<std::int64_t, kLimits> plain_{};
  State state_;
  std::int64_t last_ns_ = 0;
  bool begun_ = false;
  std::uint64_t clocked_ = 0, free_ = 0, pauses_ = 0;
  std::int64_t pause_ns_ = 0, longest_pause_ns_ = 0;
};

// The most that the path has acknowledged over a while, in bytes a second: the ninth tenth of the slots in use, each
// at least two round trips long. 0: nothing to tell.
double sustained_rate(const History& history, std::int64_t round_trip_ns);

}  // namespace mxp::dump
