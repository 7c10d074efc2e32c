// Finds a stream by its id, and keeps a stock of used stream objects, so that short streams allocate nothing in steady
// state. It is a flat table with open addressing and linear probing. Removal shifts back, so there are no tombstones.
// Objects do not move. The last stream found is remembered, because bulk traffic asks for the same one all the time.
//
// A peer chooses ids among those that its limit allows, and the limit rises with every stream that ends. In time it
// could keep open just those that fall into one place. So the hash has a secret key, and nobody knows which those are
// (threat t13).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "mxp/ids.h"
#include "scheduler/kept_bytes.h"
#include "scheduler/stream.h"

namespace mxp {

class StreamTable {
 public:
  // `hash_key` is random; where there is no peer, it may be any number.
  explicit StreamTable(std::uint64_t hash_key) : hash_key_(hash_key | 1) {}

  std::size_t size() const { return size_; }
  // nullptr if there is none.
  Stream* find(StreamId id) const;
  // A stream object with this id; its halves are not started. REQUIRES: find(id) == nullptr.
  Stream& insert(StreamId id);
  // Recycles the object. REQUIRES: find(id) != nullptr, and the stream is in no list.
  void erase(StreamId id);
  // Frees the stock.
  void drop_stock() { stock_ = std::vector<std::unique_ptr<Stream>>(); }
  // Frees everything, including the stock.
  void clear();
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Bucket& bucket : buckets_)
      if (bucket.stream != nullptr) visit(*bucket.stream);
  }
  std::size_t stock_memory() const;
  // At most so much is allocated for stream objects, and for what those of the stock keep in their buffers. In O(1).
  std::size_t memory_bound() const {
    return buckets_.size() * sizeof(Bucket) + size_ * sizeof(Stream) +
           stock_.size() * (sizeof(Stream) + kBuffersOfStream * kKeptBytes);
  }

 private:
  struct Bucket {
    std::uint64_t key = 0;
    std::unique_ptr<Stream> stream;  // nullptr in a free bucket
  };
  static constexpr std::size_t kFirstBuckets = 16;
  static constexpr std::size_t kBuffersOfStream = 4;  // that may keep memory: two rings and their sets of ranges
  // How many objects wait to be used again. This is enough for the streams that come and go within a round trip of a
  // busy connection; with what their buffers keep, it is at most about a quarter of a megabyte.
  static constexpr std::size_t kStock = 64;

  // The secret factor alone would be enough against a peer, but some factors crowd ids that follow each other. The
  // second factor spreads them again.
  std::size_t home_of(std::uint64_t key) const {
    const std::uint64_t secret = key * hash_key_;
    return static_cast<std::size_t>(((secret ^ secret >> 32) * 0x9E3779B97F4A7C15u) >> shift_);
  }
  void grow();

  std::uint64_t hash_key_;       // odd
  std::vector<Bucket> buckets_;  // a power of two, at most half full
  unsigned shift_ = 64;
  std::size_t size_ = 0;
  std::vector<std::unique_ptr<Stream>> stock_;
  mutable Stream* last_found_ = nullptr;
};

}  // namespace mxp
