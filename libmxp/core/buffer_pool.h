// Buffers of one size, handed out and taken back without allocating once the pool has grown to what is in use at a
// time.
//
//   BufferPool pool(2048, 64);
//   if (PooledBuffer buffer = pool.acquire()) receive_into(buffer.bytes());   // goes back when `buffer` goes
//
// The pool outlives its buffers. Threads: a pool and its buffers belong to one thread.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "mxp/bytes.h"

namespace mxp {

class BufferPool;

// A buffer of the pool, or nothing. Its bytes are not cleared between uses: secrets do not belong here.
class PooledBuffer {
 public:
  PooledBuffer() = default;
  PooledBuffer(PooledBuffer&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), memory_(std::move(other.memory_)) {}
  PooledBuffer& operator=(PooledBuffer&& other) noexcept {
    if (this != &other) {
      release();
      pool_ = std::exchange(other.pool_, nullptr);
      memory_ = std::move(other.memory_);
    }
    return *this;
  }
  ~PooledBuffer() { release(); }

  explicit operator bool() const { return memory_ != nullptr; }
  MutableBytes bytes() const;  // all of the buffer; empty for "nothing"
  void release();              // gives it back early

 private:
  friend class BufferPool;
  PooledBuffer(BufferPool* pool, std::unique_ptr<std::uint8_t[]> memory) : pool_(pool), memory_(std::move(memory)) {}
  BufferPool* pool_ = nullptr;
  std::unique_ptr<std::uint8_t[]> memory_;
};

class BufferPool {
 public:
  // At most `max_buffers` of `buffer_size` bytes each exist at a time; memory is taken as they are first needed.
  BufferPool(std::size_t buffer_size, std::size_t max_buffers) : buffer_size_(buffer_size), max_buffers_(max_buffers) {
    free_.reserve(max_buffers);  // giving back never allocates
  }
  ~BufferPool() { assert(in_use() == 0); }
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // Nothing when all are in use.
  PooledBuffer acquire() {
    if (!free_.empty()) {
      auto memory = std::move(free_.back());
      free_.pop_back();
      return {this, std::move(memory)};
    }
    if (made_ == max_buffers_) return {};
    ++made_;
    return {this, std::make_unique_for_overwrite<std::uint8_t[]>(buffer_size_)};
  }

  std::size_t buffer_size() const { return buffer_size_; }
  std::size_t in_use() const { return made_ - free_.size(); }
  std::size_t allocated() const { return made_; }  // buffers made so far

 private:
  friend class PooledBuffer;
  std::size_t buffer_size_;
  std::size_t max_buffers_;
  std::size_t made_ = 0;
  std::vector<std::unique_ptr<std::uint8_t[]>> free_;  // the one given back last is used next: it is still in the cache
};

inline MutableBytes PooledBuffer::bytes() const {
  return memory_ ? MutableBytes(memory_.get(), pool_->buffer_size_) : MutableBytes();
}

inline void PooledBuffer::release() {
  if (memory_) pool_->free_.push_back(std::move(memory_));
  pool_ = nullptr;
}

}  // namespace mxp
