// Answers to messages that a server holds back for a time (--delay): kept in the order in which they are due.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "mxp/bytes.h"
#include "mxp/time.h"

namespace mxp::perf {

struct HeldAnswer {
  Timestamp came{};
  std::uint64_t id = 0;
  std::vector<std::uint8_t> payload;
};

class HeldAnswers {
 public:
  // What a client can make us keep: a call beyond it waits in the connection.
  static constexpr std::size_t kMost = 10'000;

  bool full() const { return answers_.size() >= kMost; }
  bool empty() const { return answers_.empty(); }
  void add(Timestamp now, std::uint64_t id, ByteView payload) {
    answers_.push_back({now, id, std::vector<std::uint8_t>(payload.begin(), payload.end())});
  }
  const HeldAnswer& front() const { return answers_.front(); }
  void pop() { answers_.pop_front(); }

 private:
  std::deque<HeldAnswer> answers_;
};

}  // namespace mxp::perf
