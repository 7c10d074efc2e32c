// Values over time in slots of equal width. When they run out, each two become one: memory is constant, and what is
// short is seen finely.
#pragma once

#include <cstdint>
#include <vector>

namespace mxp::dump {

// `Value` adds up with +=, the later one to the right.
template <typename Value, std::size_t kMax>
class TimeSlots {
 public:
  static constexpr std::int64_t kFirstWidthNs = 10'000;  // our choice

  // REQUIRES: since_ns >= 0.
  Value& at(std::int64_t since_ns) {
    while (since_ns / width_ns_ >= static_cast<std::int64_t>(kMax)) halve();
    const auto slot = static_cast<std::size_t>(since_ns / width_ns_);
    if (slot >= slots_.size()) slots_.resize(slot + 1);
    return slots_[slot];
  }
  std::int64_t width_ns() const { return width_ns_; }
  const std::vector<Value>& slots() const { return slots_; }

 private:
  void halve() {
    for (std::size_t i = 0; i < slots_.size(); i += 2) {
      Value both = slots_[i];
      if (i + 1 < slots_.size()) both += slots_[i + 1];
      slots_[i / 2] = both;
    }
    slots_.resize((slots_.size() + 1) / 2);
    width_ns_ *= 2;
  }

  std::vector<Value> slots_;
  std::int64_t width_ns_ = kFirstWidthNs;
};

}  // namespace mxp::dump
