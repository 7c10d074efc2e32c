#include "mxp-dump/analysis/history.h"

namespace mxp::dump {

Slot& History::at(std::int64_t time_ns) {
  if (slots_.empty()) begin_ns_ = time_ns;
  const std::int64_t since = std::max<std::int64_t>(time_ns - begin_ns_, 0);
  while (since / width_ns_ >= static_cast<std::int64_t>(kMaxSlots)) {
    halve(slots_);
    width_ns_ *= 2;
  }
  const auto index = static_cast<std::size_t>(since / width_ns_);
  if (index >= slots_.size()) slots_.resize(index + 1);
  return slots_[index];
}

void History::halve(std::vector<Slot>& slots) {
  for (std::size_t i = 0; i < slots.size(); i += 2) {
    Slot both = slots[i];
    if (i + 1 < slots.size()) both += slots[i + 1];
    slots[i / 2] = both;
  }
  slots.resize((slots.size() + 1) / 2);
}

std::vector<Slot> History::in_slots_of(std::int64_t least_width_ns, std::int64_t& width_ns) const {
  std::vector<Slot> slots = slots_;
  width_ns = width_ns_;
  while (width_ns < least_width_ns && slots.size() > 1) {
    halve(slots);
    width_ns *= 2;
  }
  return slots;
}

}  // namespace mxp::dump
