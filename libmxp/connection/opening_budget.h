// How much work an endpoint does for the payloads that peers send sealed or compressed (threat t80). Few bytes ask for
// very much of it: 136 of them for two X25519 operations, as many as a thousand for 16 MiB of zeros. So the work of all
// connections together has a rate, and whoever comes when it is used up gets a place in a queue: its message stays
// where it is, as if the application did not take it, and uses up the peer's own credit.
//
// This is the generic cell rate algorithm (ITU-T I.371, Annex A, "virtual scheduling"): one point in time, up to which
// the work that was let in uses up the rate. Work may begin when the clock has reached that point, and each piece of
// work moves the point on by its cost. It falls behind the clock by the burst at most, so that no more than that is
// saved up. A connection that has to wait takes its place at once and comes back when its time has come; so those that
// wait are served in turn, each wakes up once for each payload, and nobody looks for them.
//
// The work is counted and not measured, because nothing below the event loop reads a clock.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "mxp/time.h"

namespace mxp {

class OpeningBudget {
 public:
  // `per_second`: how many sealed payloads, 1 to 1,000,000.
  explicit OpeningBudget(std::size_t per_second)
      : unit_(Duration(std::chrono::seconds(1)) / static_cast<Duration::rep>(per_second)) {}

  // What opening one sealed payload costs.
  Duration seal() const { return unit_; }
  // What decompressing so many bytes costs, at most kMaxMessagePayload.
  Duration content(std::size_t bytes) const {
    return unit_ * static_cast<Duration::rep>(std::max(bytes, kLeastContent)) / kContentOfSeal;
  }

  // Takes a place for work of this cost and says when it may begin: `now`, or later.
  Timestamp reserve(Timestamp now, Duration cost) {
    const Timestamp begin = std::max(used_until_, now - kBurst);
    used_until_ = begin + cost;
    spent_ += cost;
    return std::max(begin, now);
  }
  // The cost of all work so far, without what it waited for.
  Duration spent() const { return spent_; }

 private:
  // Our choice. Both X25519 operations take about as long as zstd takes for 256 KiB, and what decompressing costs
  // beside its bytes is as much as for 4 KiB.
  static constexpr Duration::rep kContentOfSeal = 256 * 1024;
  static constexpr std::size_t kLeastContent = 4096;
  static constexpr Duration kBurst = std::chrono::milliseconds(100);

  Duration unit_;
  Timestamp used_until_{};
  Duration spent_{};
};

}  // namespace mxp
