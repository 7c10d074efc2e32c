#include "message/call_table.h"

#include <bit>

#include "mxp/require.h"

namespace mxp {

CallTable::CallTable(std::size_t limit) : limit_(limit), place_bits_(static_cast<unsigned>(std::bit_width(limit - 1))) {
  MXP_REQUIRE(limit >= 1 && limit <= kMaxLimit);
}

std::optional<std::uint64_t> CallTable::begin(Timestamp deadline, std::uint64_t cookie) {
  if (full()) return std::nullopt;
  if (first_free_ == kNoSlot) {
    slots_.emplace_back();
    slots_.back().call.id = slots_.size() - 1;  // used no times yet
    first_free_ = slots_.size() - 1;
  }
  Slot& slot = slots_[first_free_];
  first_free_ = slot.next_free;
  slot.call = {slot.call.id + (std::uint64_t{1} << place_bits_), deadline, cookie};
  by_deadline_.set(slot);
  return slot.call.id;
}

const CallTable::Call* CallTable::find(std::uint64_t id) const {
  if (place_of(id) >= slots_.size()) return nullptr;
  const Slot& slot = slots_[place_of(id)];
  return slot.call.id == id && slot.heap_place != kNotInHeap ? &slot.call : nullptr;
}

bool CallTable::was_given_out(std::uint64_t id) const {
  const std::size_t place = place_of(id);
  // An id is given out after the same place has been used less often; the first use is number one.
  return place < slots_.size() && id <= slots_[place].call.id && id >> place_bits_ != 0;
}

std::optional<CallTable::Call> CallTable::finish(std::uint64_t id) {
  if (find(id) == nullptr) return std::nullopt;
  return take(slots_[place_of(id)]);
}

void CallTable::set_deadline(std::uint64_t id, Timestamp deadline) {
  if (find(id) == nullptr) return;
  Slot& slot = slots_[place_of(id)];
  slot.call.deadline = deadline;
  by_deadline_.set(slot);
}

std::optional<CallTable::Call> CallTable::poll_expired(Timestamp now) {
  if (size() == 0 || by_deadline_.top().call.deadline > now) return std::nullopt;
  return take(by_deadline_.top());
}

CallTable::Call CallTable::take(Slot& slot) {
  by_deadline_.remove(slot);
  slot.next_free = first_free_;
  first_free_ = place_of(slot.call.id);
  return slot.call;
}

}  // namespace mxp
