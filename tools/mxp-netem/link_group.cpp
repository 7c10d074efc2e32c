#include "mxp-netem/link_group.h"

#include <algorithm>

namespace mxp::tools {

std::optional<Timestamp> LinkPair::next_departure() const {
  const auto from_up = up.next_departure();
  const auto from_down = down.next_departure();
  if (!from_up || !from_down) return from_up ? from_up : from_down;
  return std::min(*from_up, *from_down);
}

LinkGroup::LinkGroup(const LinkPlan& plan, std::uint64_t seed, const netem::Recording* replay)
    : plan_(plan),
      seed_(seed),
      replay_(replay),
      player_(plan_.timeline),
      up_state_(player_.link(netem::Direction::up)),
      down_state_(player_.link(netem::Direction::down)) {
  if (plan_.sharing == LinkSharing::one_for_all) make_pair(0);
}

netem::LinkState LinkGroup::state_for(netem::Direction direction, std::uint64_t client) const {
  return chooser_ ? chooser_(direction, client) : state(direction);
}

LinkPair& LinkGroup::make_pair(std::uint64_t client) {
  const netem::LinkState up = state_for(netem::Direction::up, client);
  const netem::LinkState down = state_for(netem::Direction::down, client);
  LinkPair& pair = pairs_.emplace_back(LinkPair{
      .up =
          netem::Link(up.spec, {.seed = seed_, .direction = netem::Direction::up, .replay = replay_, .counters = &up_}),
      .down = netem::Link(down.spec,
                          {.seed = seed_, .direction = netem::Direction::down, .replay = replay_, .counters = &down_}),
      .group = this,
      .client = client});
  pair.up.set_blocked(up.blocked);
  pair.down.set_blocked(down.blocked);
  return pair;
}

// Both directions share the port, so the shorter of the two intervals counts.
Duration LinkGroup::rebind_every() const {
  const Duration up = up_state_.spec.rebind_every;
  const Duration down = down_state_.spec.rebind_every;
  return up.count() == 0 ? down : down.count() == 0 ? up : std::min(up, down);
}

void LinkGroup::start(Timestamp now) {
  player_.start(now);
  rebinds_every_ = rebind_every();
  if (rebinds_every_.count() > 0) next_rebind_ = now + rebinds_every_;
}

LinkPair& LinkGroup::join(std::uint64_t client) {
  ++clients_;
  return plan_.sharing == LinkSharing::one_for_all ? pairs_.front() : make_pair(client);
}

void LinkGroup::leave(LinkPair& pair, netem::FlowId flow) {
  if (plan_.sharing == LinkSharing::one_for_all) {
    pair.up.forget(flow);
    pair.down.forget(flow);
    return;
  }
  pairs_.remove_if([&](const LinkPair& one) { return &one == &pair; });
}

Timestamp LinkGroup::next_change() const { return std::min(chooser_ ? kNever : player_.next_change(), next_rebind_); }

bool LinkGroup::advance(Timestamp now) {
  bool rebind = false;
  if (!chooser_) {
    while (const auto change = player_.take(now)) {
      play(*change);
      rebind = rebind || change->rebind;
    }
  }
  if (const Duration every = rebind_every(); every != rebinds_every_) {
    rebinds_every_ = every;
    next_rebind_ = every.count() > 0 ? now + every : kNever;
  }
  if (now >= next_rebind_) {
    rebind = true;
    // Not "now + interval": lateness must not add up.
    next_rebind_ += ((now - next_rebind_) / rebinds_every_ + 1) * rebinds_every_;
  }
  return rebind;
}

void LinkGroup::play(const netem::LinkChange& change) {
  ++version_;
  (change.direction == netem::Direction::up ? up_state_ : down_state_) = player_.link(change.direction);
  if (change.spec) ++changes_;
  for (LinkPair& pair : pairs_) netem::apply(change, pair.up, pair.down);
}

void LinkGroup::choose(Chooser chooser) {
  chooser_ = std::move(chooser);
  ++changes_;
  ++version_;
  // What all clients have in common: rebinding goes by it.
  up_state_ = chooser_(netem::Direction::up, 0);
  down_state_ = chooser_(netem::Direction::down, 0);
  for (LinkPair& pair : pairs_) {
    const netem::LinkState up = chooser_(netem::Direction::up, pair.client);
    const netem::LinkState down = chooser_(netem::Direction::down, pair.client);
    pair.up.set_blocked(up.blocked);
    pair.down.set_blocked(down.blocked);
    if (up.spec != pair.up.spec()) pair.up.change(up.spec);
    if (down.spec != pair.down.spec()) pair.down.change(down.spec);
  }
}

const netem::LinkState& LinkGroup::state(netem::Direction direction) const {
  return direction == netem::Direction::up ? up_state_ : down_state_;
}

std::size_t LinkGroup::queued_packets(netem::Direction direction) const {
  std::size_t queued = 0;
  for (const LinkPair& pair : pairs_)
    queued += (direction == netem::Direction::up ? pair.up : pair.down).queued_packets();
  return queued;
}

}  // namespace mxp::tools
