// Who sent the last runs, and where to. When the carrier says that a datagram to some address was refused, this tells
// whose it may have been without a look at all connections. A carrier holds back fewer runs than are remembered here
// (udp/transmit_queue.h), so the sender of a refused run is among them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "mxp/address.h"

namespace mxp {

template <typename Entry>
class RecentTransmits {
 public:
  // Twice the runs that a transmit queue keeps. One connection that sends on and on takes one place only.
  static constexpr std::size_t kPlaces = 64;

  void note(Entry& entry, const SocketAddress& remote) {
    const Place& last = places_[last_];
    if (last.entry == &entry && last.remote == remote) return;
    last_ = (last_ + 1) % kPlaces;
    places_[last_] = {&entry, remote};
  }

  // An entry that is destroyed must be forgotten first.
  void forget(const Entry& entry) {
    for (Place& place : places_) {
      if (place.entry == &entry) place.entry = nullptr;
    }
  }

  // Calls `visit(Entry&)` once for each entry that sent to `remote`. The visit may forget the entry that it is given.
  template <typename Visit>
  void for_each(const SocketAddress& remote, Visit&& visit) {
    std::array<Entry*, kPlaces> found;
    std::size_t count = 0;
    for (const Place& place : places_) {
      if (place.entry == nullptr || place.remote != remote) continue;
      const auto end = found.begin() + static_cast<std::ptrdiff_t>(count);
      if (std::find(found.begin(), end, place.entry) == end) found[count++] = place.entry;
    }
    for (std::size_t i = 0; i < count; ++i) visit(*found[i]);
  }

 private:
  struct Place {
    Entry* entry = nullptr;
    SocketAddress remote;
  };
  std::array<Place, kPlaces> places_{};
  std::size_t last_ = 0;
};

}  // namespace mxp
