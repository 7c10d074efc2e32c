// The links of some clients: one pair that they share, or one pair for each of them. All pairs of a group have the same
// spec, follow the same timeline, and count together.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <optional>
#include <string>

#include "mxp-netem/link_plan.h"
#include "mxp/time.h"
#include "netem/link.h"
#include "netem/timeline.h"

namespace mxp::tools {

class LinkGroup;

struct LinkPair {
  netem::Link up;
  netem::Link down;
  LinkGroup* group;
  std::uint64_t client = 0;      // whose it is, from 1; 0: of several
  Timestamp scheduled = kNever;  // when LinkBook looks at it again

  std::optional<Timestamp> next_departure() const;
};

class LinkGroup {
 public:
  // `plan` outlives it, and so does `replay`, which says what becomes of its packets, if any.
  LinkGroup(const LinkPlan& plan, std::uint64_t seed, const netem::Recording* replay = nullptr);

  void start(Timestamp now);
  // The pair for a client that is new, and the end of it: a pair of its own is gone then.
  LinkPair& join(std::uint64_t client);
  void leave(LinkPair& pair, netem::FlowId flow);

  // When the timeline, or a rebinding, wants attention.
  Timestamp next_change() const;
  // Plays what is due. True if the clients of this group get new source ports now.
  bool advance(Timestamp now);
  // From now on somebody else says what each link is, and the timeline is over. Those that are there change at once.
  using Chooser = std::function<netem::LinkState(netem::Direction, std::uint64_t client)>;
  void choose(Chooser chooser);

  const LinkPlan& plan() const { return plan_; }
  const netem::LinkState& state(netem::Direction direction) const;
  const netem::LinkCounters& counters(netem::Direction direction) const {
    return direction == netem::Direction::up ? up_ : down_;
  }
  std::size_t queued_packets(netem::Direction direction) const;
  // How often the spec has become another one; 0: it is what was asked for.
  std::uint64_t changes() const { return changes_; }
  // Another number whenever the spec or a black-out has changed.
  std::uint64_t version() const { return version_; }
  std::uint64_t clients() const { return clients_; }

  template <typename Visit>
  void for_each_pair(Visit visit) {
    for (LinkPair& pair : pairs_) visit(pair);
  }

 private:
  LinkPair& make_pair(std::uint64_t client);
  netem::LinkState state_for(netem::Direction direction, std::uint64_t client) const;
  void play(const netem::LinkChange& change);
  Duration rebind_every() const;

  const LinkPlan& plan_;
  std::uint64_t seed_;
  const netem::Recording* replay_;
  netem::LinkCounters up_;
  netem::LinkCounters down_;
  std::list<LinkPair> pairs_;
  netem::TimelinePlayer player_;
  netem::LinkState up_state_;
  netem::LinkState down_state_;
  Chooser chooser_;  // in place of the timeline
  Duration rebinds_every_{};
  Timestamp next_rebind_ = kNever;
  std::uint64_t changes_ = 0;
  std::uint64_t version_ = 0;
  std::uint64_t clients_ = 0;
};

}  // namespace mxp::tools
