#include "scheduler/stream_table.h"

#include <bit>
#include <utility>

#include "core/work.h"
#include "mxp/require.h"

namespace mxp {

Stream* StreamTable::find(StreamId id) const {
  if (last_found_ != nullptr && last_found_->id == id) return last_found_;
  if (size_ == 0) return nullptr;
  const std::size_t mask = buckets_.size() - 1;
  for (std::size_t at = home_of(id.value()); buckets_[at].stream != nullptr; at = (at + 1) & mask) {
    MXP_WORK(1);
    if (buckets_[at].key == id.value()) return last_found_ = buckets_[at].stream.get();
  }
  return nullptr;
}

Stream& StreamTable::insert(StreamId id) {
  if (2 * (size_ + 1) > buckets_.size()) grow();
  std::unique_ptr<Stream> stream;
  if (stock_.empty()) {
    stream = std::make_unique<Stream>();
  } else {
    stream = std::move(stock_.back());
    stock_.pop_back();
  }
  stream->id = id;
  const std::size_t mask = buckets_.size() - 1;
  std::size_t at = home_of(id.value());
  for (; buckets_[at].stream != nullptr; at = (at + 1) & mask) {
    MXP_WORK(1);
    MXP_REQUIRE(buckets_[at].key != id.value());
  }
  buckets_[at] = {id.value(), std::move(stream)};
  ++size_;
  return *(last_found_ = buckets_[at].stream.get());
}

void StreamTable::erase(StreamId id) {
  MXP_REQUIRE(size_ != 0);
  const std::size_t mask = buckets_.size() - 1;
  std::size_t hole = home_of(id.value());
  // Removal leaves no gaps in a run, so a free bucket means that the id is not here.
  MXP_REQUIRE(buckets_[hole].stream != nullptr);
  while (buckets_[hole].key != id.value()) {
    hole = (hole + 1) & mask;
    MXP_REQUIRE(buckets_[hole].stream != nullptr);
  }
  std::unique_ptr<Stream> stream = std::move(buckets_[hole].stream);
  --size_;
  if (last_found_ == stream.get()) last_found_ = nullptr;
  // Whatever could not stand at its home because of the hole moves back into it.
  for (std::size_t at = (hole + 1) & mask; buckets_[at].stream != nullptr; at = (at + 1) & mask) {
    MXP_WORK(1);
    const std::size_t distance_from_home = (at - home_of(buckets_[at].key)) & mask;
    if (distance_from_home >= ((at - hole) & mask)) {
      buckets_[hole] = std::move(buckets_[at]);
      hole = at;
    }
  }
  if (stock_.size() < kStock) {
    stream->priority = {};
    stream->control = 0;
    stream->starved = false;
    stream->served = stream->changed = false;
    stream->held = {};
    stream->quantum_left = 0;
    stream->send.recycle();
    stream->receive.recycle();
    stock_.push_back(std::move(stream));
  }
}

void StreamTable::clear() {
  buckets_ = std::vector<Bucket>();
  stock_ = std::vector<std::unique_ptr<Stream>>();
  shift_ = 64;
  size_ = 0;
  last_found_ = nullptr;
}

std::size_t StreamTable::stock_memory() const {
  std::size_t total = 0;
  for (const auto& stream : stock_) total += stream->send.memory() + stream->receive.reassembler().memory();
  return total;
}

void StreamTable::grow() {
  std::vector<Bucket> old = std::exchange(buckets_, std::vector<Bucket>());
  const std::size_t count = old.empty() ? kFirstBuckets : 2 * old.size();
  buckets_.resize(count);
  shift_ = 64 - static_cast<unsigned>(std::countr_zero(count));
  for (Bucket& bucket : old) {
    if (bucket.stream == nullptr) continue;
    std::size_t at = home_of(bucket.key);
    while (buckets_[at].stream != nullptr) at = (at + 1) & (count - 1);
    buckets_[at] = std::move(bucket);
  }
}

}  // namespace mxp
