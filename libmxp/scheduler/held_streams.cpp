#include "scheduler/held_streams.h"

#include "core/work.h"

namespace mxp {

void HeldStreams::note(const Run& run) {
  const bool has_credit = run.credit == Run::Credit::left;
  served_.note(run.now, has_credit ? run.reason : BlockedBy::connection_credit);
  behind_.note(run.now, has_credit ? BlockedBy::traffic_class : BlockedBy::connection_credit);
  // Whoever was in the run has changed, and is looked at below.
  while (run.carried == Run::Carried::data && !following_.empty()) {
    MXP_WORK(1);
    on_changed(following_.front());
  }
  while (!changed_.empty()) {
    MXP_WORK(1);
    Stream& stream = changed_.front();
    changed_.remove(stream);
    judge(stream, run);
    stream.changed = stream.served = false;
  }
}

void HeldStreams::judge(Stream& stream, const Run& run) {
  FollowingBlockedTime& held = stream.held;
  if (!held.has_started()) held.start(run.now);
  const bool has_new = stream.send.has_new_data();
  if (!has_new && !stream.send.has_urgent())
    return held.set(run.now, stream.starved ? BlockedBy::stream_credit : BlockedBy::application);
  // A run without data changes nobody's place.
  const bool was_behind = held.follows(behind_) || held.has(BlockedBy::traffic_class);
  const bool is_behind = !stream.served && (run.carried == Run::Carried::data || was_behind);
  if (has_new) held.follow(run.now, is_behind ? behind_ : served_);
  else if (is_behind) held.set(run.now, BlockedBy::traffic_class);
  else held.follow(run.now, run.connection);
  if (!is_behind) following_.push_back(stream);
}

}  // namespace mxp
