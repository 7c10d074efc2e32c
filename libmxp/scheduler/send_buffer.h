// What the application wrote to one stream and the peer has not acknowledged. It is a ring addressed by stream offset,
// whose size is a power of two and grows on demand up to a limit. The application's bytes are copied in once. They are
// read out as at most two pieces, each time that they are put into a packet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "mxp/bytes.h"
#include "mxp/require.h"

namespace mxp {

class SendBuffer {
 public:
  // It holds the offsets [begin, end).
  std::uint64_t begin() const { return begin_; }
  std::uint64_t end() const { return end_; }
  std::size_t size() const { return static_cast<std::size_t>(end_ - begin_); }
  std::size_t capacity() const { return capacity_; }

  // Takes as much of `data` as keeps size() <= limit; returns how much.
  std::size_t append(ByteView data, std::size_t limit);
  // Copies `out.size()` bytes from `offset` on. REQUIRES: all of them are held.
  void copy_out(std::uint64_t offset, MutableBytes out) const;
  // Forgets what is below `offset`. REQUIRES: begin() <= offset <= end().
  void release_to(std::uint64_t offset) {
    MXP_REQUIRE(offset >= begin_ && offset <= end_);
    begin_ = offset;
  }

  // If at most a quarter of the ring is in use, makes it as small as what is held allows.
  void trim() {
    if (capacity_ > kSmallest && size() <= capacity_ / 4) resize(size());
  }
  // Becomes empty, at `offset`; memory beyond `keep_bytes` is given back.
  void reset(std::uint64_t offset, std::size_t keep_bytes);

 private:
  static constexpr std::size_t kSmallest = 256;
  // REQUIRES: needed >= size().
  void resize(std::size_t needed);

  std::unique_ptr<std::uint8_t[]> ring_;
  std::size_t capacity_ = 0;  // 0 or a power of two
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace mxp
