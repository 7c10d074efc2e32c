// The last packets of one path and direction. The same bytes within this many packets are the same packet, captured
// twice or doubled by the network, since no two 1-RTT packets are sealed alike.
#pragma once

#include <xxhash.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "mxp/bytes.h"

namespace mxp::dump {

inline std::uint64_t hash_of(ByteView bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

class RecentHashes {
 public:
  // Our choice: 7 KiB for each path and direction; a capture on several interfaces has its copies side by side.
  static constexpr std::size_t kKept = 256;

  struct Entry {
    std::uint64_t hash = 0;
    std::optional<std::uint64_t> time_ns;
  };
  // The entry of this hash, if it is among those kept.
  const Entry* find(std::uint64_t hash) const {
    if (entries_.empty()) return nullptr;
    // A link that leads to a younger entry is one of an entry that is gone.
    std::size_t at = newest_[bucket_of(hash)];
    for (std::size_t age = age_of(at); entries_[at].hash != hash;) {
      at = older_[at];
      const std::size_t next_age = age_of(at);
      if (next_age <= age) return nullptr;
      age = next_age;
    }
    return &entries_[at];
  }
  // REQUIRES: find(hash) finds nothing.
  void add(std::uint64_t hash, std::optional<std::uint64_t> time_ns) {
    newest_.resize(kKept);
    if (entries_.size() < kKept) {
      entries_.emplace_back();
      older_.emplace_back();
    }
    entries_[next_] = {hash, time_ns};
    std::uint8_t& newest = newest_[bucket_of(hash)];
    older_[next_] = newest;
    newest = static_cast<std::uint8_t>(next_);
    next_ = (next_ + 1) % kKept;
  }
  // The same packet was seen again at this later time.
  void touch(const Entry& entry, std::optional<std::uint64_t> time_ns) {
    entries_[static_cast<std::size_t>(&entry - entries_.data())].time_ns = time_ns;
  }

 private:
  static std::size_t bucket_of(std::uint64_t hash) { return hash % kKept; }
  // How many entries were added after the one at this place.
  std::size_t age_of(std::size_t at) const { return (next_ + kKept - 1 - at) % kKept; }

  // A ring of entries, and chains through it: in a bucket are those whose hashes end alike. Where there is no entry,
  // a link leads to any: what it finds there is looked at and is not what was asked for.
  static_assert(kKept == 256);  // a place is one byte
  std::vector<Entry> entries_;
  std::vector<std::uint8_t> newest_;  // by bucket: a place in the ring
  std::vector<std::uint8_t> older_;   // by place: that of the entry before in the same bucket
  std::size_t next_ = 0;
};

}  // namespace mxp::dump
