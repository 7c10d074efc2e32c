#include "mxp-netem/link_book.h"

#include <algorithm>

namespace mxp::tools {

LinkBook::LinkBook(const std::vector<LinkPlan>& plans, std::uint64_t seed, const netem::Recording* replay) {
  for (const LinkPlan& plan : plans) groups_.emplace_back(plan, seed, replay);
}

void LinkBook::start(Timestamp now) {
  for (LinkGroup& group : groups_) group.start(now);
}

LinkPair& LinkBook::join(const SocketAddress& client, std::uint64_t client_number) {
  const auto found = std::find_if(groups_.begin(), groups_.end(), [&](const LinkGroup& group) {
    return group.plan().name.empty() || group.plan().match(client, client_number);
  });
  return (found == groups_.end() ? groups_.back() : *found).join(client_number);
}

void LinkBook::leave(LinkPair& pair, netem::FlowId flow) {
  if (pair.group->plan().sharing == LinkSharing::one_for_each) unschedule(pair);
  pair.group->leave(pair, flow);
}

void LinkBook::offered(LinkPair& pair) {
  const auto next = pair.next_departure();
  if (!next || *next >= pair.scheduled) return;
  unschedule(pair);
  pair.scheduled = *next;
  schedule_.emplace(*next, &pair);
}

// A managed queue may name a time that has passed by the time it is asked again; it is looked at later, not in a loop.
void LinkBook::reschedule(LinkPair& pair, Timestamp now) {
  auto entry = schedule_.extract({pair.scheduled, &pair});
  const auto next = pair.next_departure();
  pair.scheduled = next ? std::max(*next, now + Duration(1)) : kNever;
  if (!next) return;
  if (entry.empty()) {
    schedule_.emplace(pair.scheduled, &pair);
    return;
  }
  entry.value().first = pair.scheduled;  // the node is used again: a steady load allocates nothing
  schedule_.insert(std::move(entry));
}

void LinkBook::unschedule(LinkPair& pair) {
  if (pair.scheduled != kNever) schedule_.erase({pair.scheduled, &pair});
  pair.scheduled = kNever;
}

Timestamp LinkBook::next_event() const {
  Timestamp next = schedule_.empty() ? kNever : schedule_.begin()->first;
  for (const LinkGroup& group : groups_) next = std::min(next, group.next_change());
  return next;
}

void LinkBook::choose(LinkGroup::Chooser chooser) {
  main().choose(std::move(chooser));
  main().for_each_pair([&](LinkPair& pair) { offered(pair); });
}

void LinkBook::advance(Timestamp now, const std::function<void(const LinkGroup&)>& rebind) {
  for (LinkGroup& group : groups_) {
    if (group.next_change() > now) continue;
    if (group.advance(now)) rebind(group);
    // What waits for the wire of a managed queue may leave earlier than it would have.
    group.for_each_pair([&](LinkPair& pair) { offered(pair); });
  }
}

}  // namespace mxp::tools
