#include "scheduler/chunk_store.h"

#include <algorithm>
#include <cstring>

#include "mxp/require.h"

namespace mxp {

ChunkStore::Chain ChunkStore::put(ByteView bytes) {
  Chain first = kEmpty;
  Chain last = kEmpty;
  while (!bytes.empty()) {
    if (free_ == kEmpty) {
      const auto had = static_cast<Chain>(next_.size());
      const Chain has = had == 0 ? 8 : 2 * had;
      bytes_.resize(has * kChunkSize);
      next_.resize(has);
      for (Chain chunk = had; chunk < has; ++chunk) next_[chunk] = chunk + 1 == has ? kEmpty : chunk + 1;
      free_ = had;
    }
    const Chain chunk = free_;
    free_ = next_[chunk];
    next_[chunk] = kEmpty;
    ++held_;
    (first == kEmpty ? first : next_[last]) = chunk;
    last = chunk;
    const std::size_t size = std::min(bytes.size(), kChunkSize);
    std::memcpy(bytes_.data() + chunk * kChunkSize, bytes.data(), size);
    bytes = bytes.subspan(size);
  }
  return first;
}

void ChunkStore::copy_out(Chain chain, MutableBytes out) const {
  while (!out.empty()) {
    MXP_REQUIRE(chain < next_.size());
    const std::size_t size = std::min(out.size(), kChunkSize);
    std::memcpy(out.data(), bytes_.data() + chain * kChunkSize, size);
    out = out.subspan(size);
    chain = next_[chain];
  }
}

void ChunkStore::free(Chain chain, std::size_t size) {
  for (std::size_t chunks = (size + kChunkSize - 1) / kChunkSize; chunks > 0; --chunks) {
    MXP_REQUIRE(chain < next_.size());
    const Chain rest = next_[chain];
    next_[chain] = free_;
    free_ = chain;
    --held_;
    chain = rest;
  }
}

void ChunkStore::release() {
  MXP_REQUIRE(held_ == 0);
  bytes_ = std::vector<std::uint8_t>();
  next_ = std::vector<Chain>();
  free_ = kEmpty;
}

}  // namespace mxp
