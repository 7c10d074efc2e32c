// Packets that come in another order, twice, or changed; and what is sent again because of that.
#include <fmt/format.h>

#include <algorithm>

#include "common/counted.h"
#include "mxp-dump/analysis/judges.h"

namespace mxp::dump {
namespace {

using tools::counted;

// Our choices: half a per cent, and five at least, so that a single odd packet is no finding.
bool many(std::uint64_t count, std::uint64_t of) { return count >= 5 && count * 200 >= of; }

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

void judge_direction(const Story& story, TrafficDirection which, Findings& findings) {
  const DirectionStory& direction = story.direction(which);
  const std::uint64_t late = std::max(direction.late_here, direction.late_after);
  const bool reordered = many(late, direction.opened);
  if (reordered) {
    findings.push_back({"reordering", 0.9, std::min(0.62 + share(late, direction.opened), 0.8),
                        fmt::format("{}: {} came after later ones, by {} at most{}", direction_phrase(which),
                                    counted(late, "packet"), counted(direction.deepest_late, "number"),
                                    direction.late_here >= direction.late_after ? "" : ", as the acknowledgements say"),
                        direction.late.frames(),
                        "links that are used in turn (bonding, several radio links), or a capture from several "
                        "queues of an interface: compare with one at the sender"});
  }
  if (const std::uint64_t needless = direction.needless(); needless >= 5 && needless * 500 >= direction.opened) {
    findings.push_back(
        {"spurious-retransmission", reordered ? 0.6 : 0.85, 0.7,
         fmt::format("{}: {} with data that was sent before, and only {} of this place of the capture; the others "
                     "had arrived or were about to",
                     direction_phrase(which), counted(direction.repeated.count(), "packet"),
                     counted(direction.lost_after.lost_packets(), "loss behind it", "losses behind it")),
         direction.repeated.frames(),
         "the round trip in these moments: a delay that jumps, or order that changes, makes it"});
  }
  if (const std::uint64_t twice = direction.duplicates.count(); many(twice, direction.packets)) {
    const bool captured_twice = twice * 100 >= direction.packets * 45;
    findings.push_back({"duplicates", captured_twice ? 0.6 : 0.9, captured_twice ? 0.4 : 0.72,
                        fmt::format("{}: {} came twice{}", direction_phrase(which), counted(twice, "packet"),
                                    captured_twice ? ", which is nearly each: they were probably captured twice" : ""),
                        direction.duplicates.frames(), "a capture on a single interface, at the other end"});
  }
  const std::uint64_t broken = direction.damaged.count() + (direction.opened > 0 ? direction.unread.count() : 0);
  if (broken >= 3 && broken * 500 >= direction.packets) {
    findings.push_back({"damaged", 0.9, std::min(0.7 + share(broken, direction.packets), 0.85),
                        fmt::format("{}: {} damaged or do not verify", direction_phrase(which),
                                    counted(broken, "packet is", "packets are")),
                        direction.damaged.count() > 0 ? direction.damaged.frames() : direction.unread.frames(),
                        "error counters of interfaces; offloads of checksums; who else sends from that address?"});
  }
}

}  // namespace

void judge_order(const Story& story, Findings& findings) {
  for (const TrafficDirection which : kDirections) judge_direction(story, which, findings);
}

}  // namespace mxp::dump
