// Answers to messages that a server holds back for a time (--delay): kept in the order in which they are due.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "mxp/bytes.h"
#include "mxp/time.h"

namespace mxp::perf {

struct HeldAnswer {
  Timestamp came{};
  std::uint64_t id = 0;
  std::vector<std::uint8_t> payload;
};

// What those of all connections of a server hold together: the calls have left flow control, so nothing else bounds
// what clients can make us keep.
struct HeldMemory {
  std::size_t most = 0;
  std::size_t used = 0;
};

class HeldAnswers {
 public:
  // Of one connection: a call beyond it waits in the connection.
  static constexpr std::size_t kMost = 10'000;
  // What one takes beside its payload.
  static constexpr std::size_t kOverhead = sizeof(HeldAnswer) + 16;

  // Without a memory only their number is bounded.
  explicit HeldAnswers(HeldMemory* memory = nullptr) : memory_(memory) {}
  ~HeldAnswers() { give_back(bytes_); }
  HeldAnswers(HeldAnswers&& other) noexcept
      : memory_(std::exchange(other.memory_, nullptr)),
        bytes_(std::exchange(other.bytes_, 0)),
        answers_(std::move(other.answers_)) {}
  HeldAnswers& operator=(HeldAnswers&& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(bytes_, other.bytes_);
    std::swap(answers_, other.answers_);
    return *this;
  }

  // `sharing`: so many connections share the memory. One keeps to its share, and all of them to the whole; the last one
  // that is added may go beyond by itself.
  bool full(std::size_t sharing) const {
    if (answers_.size() >= kMost) return true;
    if (memory_ == nullptr) return false;
    return memory_->used >= memory_->most || bytes_ >= memory_->most / (sharing > 0 ? sharing : 1);
  }
  bool empty() const { return answers_.empty(); }
  std::size_t bytes() const { return bytes_; }
  void add(Timestamp now, std::uint64_t id, ByteView payload) {
    answers_.push_back({now, id, std::vector<std::uint8_t>(payload.begin(), payload.end())});
    bytes_ += payload.size() + kOverhead;
    if (memory_ != nullptr) memory_->used += payload.size() + kOverhead;
  }
  const HeldAnswer& front() const { return answers_.front(); }
  void pop() {
    const std::size_t gone = answers_.front().payload.size() + kOverhead;
    answers_.pop_front();
    bytes_ -= gone;
    give_back(gone);
  }

 private:
  void give_back(std::size_t bytes) {
    if (memory_ != nullptr) memory_->used -= bytes;
  }

  HeldMemory* memory_;
  std::size_t bytes_ = 0;
  std::deque<HeldAnswer> answers_;
};

}  // namespace mxp::perf
