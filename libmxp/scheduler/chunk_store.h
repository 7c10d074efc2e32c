// Byte strings of any size in one block of memory, which leave it in any order. Each is a chain of chunks of one size,
// so there are no holes to search and nothing to move together: taking and freeing cost a step for each chunk. The
// block grows by doubling to what was ever held at once; after that nothing is allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mxp/bytes.h"

namespace mxp {

class ChunkStore {
 public:
  // Our choice: a datagram of a usual path takes five, and one of a few bytes does not waste much.
  static constexpr std::size_t kChunkSize = 256;
  // The name of a string that is held. An empty string has one, too.
  using Chain = std::uint32_t;
  static constexpr Chain kEmpty = UINT32_MAX;

  // Copies `bytes` in.
  Chain put(ByteView bytes);
  // Copies the first out.size() bytes out. REQUIRES: the string is as long.
  void copy_out(Chain chain, MutableBytes out) const;
  // Forgets the string of `size` bytes.
  void free(Chain chain, std::size_t size);

  std::size_t memory() const { return bytes_.capacity() + next_.capacity() * sizeof(Chain); }
  // Gives all memory back. REQUIRES: no string is held.
  void release();

 private:
  std::vector<std::uint8_t> bytes_;
  std::vector<Chain> next_;  // of each chunk: the one after it in its string, or in the list of free ones
  Chain free_ = kEmpty;
  std::size_t held_ = 0;  // chunks
};

}  // namespace mxp
