// Memory for one piece of work at a time, kept for the next one.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "mxp/bytes.h"

namespace mxp {

class ScratchBuffer {
 public:
  // So many bytes, with anything in them. What was given before is no longer valid.
  MutableBytes take(std::size_t size) {
    if (size > capacity_) {
      bytes_.reset();  // first, so that there are never two
      capacity_ = size <= kKept ? std::bit_ceil(std::max(size, kFirst)) : size;
      bytes_ = std::make_unique_for_overwrite<std::uint8_t[]>(capacity_);
    }
    return {bytes_.get(), size};
  }
  // Gives back what only a large piece of work needed.
  void shrink() {
    if (capacity_ <= kKept) return;
    bytes_.reset();
    capacity_ = 0;
  }
  std::size_t memory() const { return capacity_; }

 private:
  static constexpr std::size_t kFirst = 2048, kKept = 64 * 1024;

  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t capacity_ = 0;
};

}  // namespace mxp
