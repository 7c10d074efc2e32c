// All links of a relay: which client is on which, and which have something to deliver.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <set>
#include <utility>
#include <vector>

#include "mxp-netem/link_group.h"
#include "mxp-netem/link_plan.h"
#include "mxp/address.h"

namespace mxp::tools {

class LinkBook {
 public:
  // `plans` outlive it. REQUIRES: the last one is for all other clients.
  LinkBook(const std::vector<LinkPlan>& plans, std::uint64_t seed, const netem::Recording* replay = nullptr);

  void start(Timestamp now);
  // The first plan that matches; numbers of clients count from 1.
  LinkPair& join(const SocketAddress& client, std::uint64_t client_number);
  void leave(LinkPair& pair, netem::FlowId flow);

  // To be told after each offer to a pair, and after it has delivered.
  void offered(LinkPair& pair);
  // When a link has something to deliver or to change.
  Timestamp next_event() const;

  // Those that may have something to deliver by `now`.
  template <typename Deliver>
  void deliver_due(Timestamp now, Deliver deliver) {
    while (!schedule_.empty() && schedule_.begin()->first <= now) {
      LinkPair& pair = *schedule_.begin()->second;
      deliver(pair);
      reschedule(pair, now);
    }
  }

  // Plays the timelines; `rebind` is called with each group whose clients get new source ports now.
  void advance(Timestamp now, const std::function<void(const LinkGroup&)>& rebind);

  // See LinkGroup; of the links of all other clients.
  void choose(LinkGroup::Chooser chooser);

  const std::list<LinkGroup>& groups() const { return groups_; }
  // That of all other clients.
  LinkGroup& main() { return groups_.back(); }
  const LinkGroup& main() const { return groups_.back(); }

 private:
  void reschedule(LinkPair& pair, Timestamp now);
  void unschedule(LinkPair& pair);

  std::list<LinkGroup> groups_;  // they point to each other, so they do not move
  std::set<std::pair<Timestamp, LinkPair*>> schedule_;
};

}  // namespace mxp::tools
