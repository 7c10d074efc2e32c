// The last packets of one path and direction. The same bytes within this many packets are the same packet, captured
// twice or doubled by the network, since no two 1-RTT packets are sealed alike.
#pragma once

#include <xxhash.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "mxp/bytes.h"

namespace mxp::dump {

inline std::uint64_t hash_of(ByteView bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

class RecentHashes {
 public:
  // Our choice: 6 KiB for each path and direction; a capture on several interfaces has its copies side by side.
  static constexpr std::size_t kKept = 256;

  struct Entry {
    std::uint64_t hash = 0;
    std::optional<std::uint64_t> time_ns;
  };
  // The last time that this hash was added, if it is among those kept.
  const Entry* find(std::uint64_t hash) const {
    const auto found = std::find_if(entries_.rbegin(), entries_.rend(), [&](const Entry& e) { return e.hash == hash; });
    return found == entries_.rend() ? nullptr : &*found;
  }
  void add(std::uint64_t hash, std::optional<std::uint64_t> time_ns) {
    if (entries_.size() < kKept) {
      entries_.push_back({hash, time_ns});
    } else {
      entries_[next_] = {hash, time_ns};
      next_ = (next_ + 1) % kKept;
    }
  }
  // The same packet was seen again at this later time.
  void touch(const Entry& entry, std::optional<std::uint64_t> time_ns) {
    entries_[static_cast<std::size_t>(&entry - entries_.data())].time_ns = time_ns;
  }

 private:
  std::vector<Entry> entries_;
  std::size_t next_ = 0;
};

}  // namespace mxp::dump
