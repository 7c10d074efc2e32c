// To whom packets under a connection id belong. A connection is reached under several ids, and they come and go in its
// lifetime: a client has one for each attempt at its handshake. So the index is apart from what owns the connections.
//
// Ids are chosen on this side, and a peer cannot aim them at one place of the table (threat t13).
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "endpoint/id_source.h"
#include "mxp/ids.h"
#include "mxp/require.h"

namespace mxp {

// REQUIRES: an Entry's ids are erased before it goes.
template <typename Entry>
class IdIndex {
 public:
  // Null: nobody has it. O(1). Packets come in runs for one connection, so the last id found is tried first.
  Entry* find(ConnectionId id) {
    if (last_entry_ != nullptr && last_id_ == id) return last_entry_;
    const auto found = entries_.find(id.key());
    if (found == entries_.end()) return nullptr;
    last_id_ = id;
    return last_entry_ = found->second;
  }

  // Nobody's id, to be inserted. Threat t14: an id in use is never given twice.
  ConnectionId fresh(IdSource& source) const {
    for (;;)
      if (const ConnectionId id = source.generate(); !entries_.contains(id.key())) return id;
  }
  // REQUIRES: nobody's id. `entry` stays where it is.
  void insert(ConnectionId id, Entry& entry) {
    const bool inserted = entries_.emplace(id.key(), &entry).second;
    MXP_REQUIRE(inserted);
  }
  // Nothing happens if it is nobody's.
  void erase(ConnectionId id) {
    if (last_id_ == id) last_entry_ = nullptr;
    entries_.erase(id.key());
  }

  std::size_t size() const { return entries_.size(); }

 private:
  std::unordered_map<std::uint64_t, Entry*> entries_;
  ConnectionId last_id_;  // found last; means something while there is an entry to it
  Entry* last_entry_ = nullptr;
};

}  // namespace mxp
