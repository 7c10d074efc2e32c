// The connection ids that one side of a connection gave the other after the handshake, in NEW_CONNECTION_ID frames that
// a capture shows (docs/protocol.md §3.2, §4.1). Packets to them are the connection's, with the keys and the packet
// numbers of its first id. Ids that were retired stay too, since packets to them may still be under way.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "mxp/ids.h"

namespace mxp::dump {

class GivenIds {
 public:
  // Our choice: peers hold a few at a time, and what a capture can make us keep is bounded.
  static constexpr std::size_t kMost = 64;

  // An id that is there already stays where it is. If there are too many, the oldest goes and is returned, but never
  // `in_use`.
  std::optional<ConnectionId> add(ConnectionId id, std::optional<ConnectionId> in_use) {
    if (contains(id)) return std::nullopt;
    ids_.push_back(id);
    if (ids_.size() <= kMost) return std::nullopt;
    const auto oldest = ids_.front() == in_use ? ids_.begin() + 1 : ids_.begin();
    const ConnectionId gone = *oldest;
    ids_.erase(oldest);
    return gone;
  }
  bool contains(ConnectionId id) const { return std::find(ids_.begin(), ids_.end(), id) != ids_.end(); }
  std::span<const ConnectionId> ids() const { return ids_; }  // the oldest first

 private:
  std::vector<ConnectionId> ids_;
};

}  // namespace mxp::dump
