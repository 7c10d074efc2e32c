// The streams that have new data within their own credit, in the order in which they may send: by class, by urgency
// (RFC 9218 §4.1: the lower number first), and in turns. Every step is O(1). The lists of a class exist from its first
// ready stream on, until release().
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>

#include "scheduler/stream.h"

namespace mxp {

class ReadyStreams {
 public:
  bool empty() const { return count_ == 0; }
  bool empty(MessageClass traffic_class) const { return levels_used(traffic_class) == 0; }
  // Does nothing if the stream is in a list already.
  void push_back(Stream& stream) {
    if (ReadyList::contains(stream)) return;
    const auto index = static_cast<std::size_t>(stream.priority.traffic_class);
    if (levels_[index] == nullptr) levels_[index] = std::make_unique<Levels>();
    (*levels_[index])[stream.priority.urgency].push_back(stream);
    used_[index] = static_cast<std::uint8_t>(used_[index] | 1u << stream.priority.urgency);
    ++count_;
  }
  // Does nothing if the stream is in no list. Its priority must be that with which it was put there.
  void remove(Stream& stream) {
    if (!ReadyList::contains(stream)) return;
    const auto index = static_cast<std::size_t>(stream.priority.traffic_class);
    ReadyList& list = (*levels_[index])[stream.priority.urgency];
    list.remove(stream);
    if (list.empty()) used_[index] = static_cast<std::uint8_t>(used_[index] & ~(1u << stream.priority.urgency));
    --count_;
  }
  // REQUIRES: !empty(traffic_class).
  Stream& front(MessageClass traffic_class) const { return first_list(traffic_class).front(); }
  // Whether the front of the class has nobody to take turns with. REQUIRES: !empty(traffic_class).
  bool front_is_alone(MessageClass traffic_class) const { return first_list(traffic_class).has_one(); }
  // The stream's turn is over. REQUIRES: it is in a list.
  void move_to_back(Stream& stream) {
    const auto index = static_cast<std::size_t>(stream.priority.traffic_class);
    (*levels_[index])[stream.priority.urgency].move_to_back(stream);
  }
  // Gives back the memory of lists that are empty.
  void release() {
    for (std::size_t i = 0; i != levels_.size(); ++i)
      if (used_[i] == 0) levels_[i].reset();
  }
  // Forgets all of them; the streams go as well.
  void clear() { *this = {}; }

 private:
  static constexpr std::size_t kLevels = 8;
  using Levels = std::array<ReadyList, kLevels>;

  std::uint8_t levels_used(MessageClass traffic_class) const { return used_[static_cast<std::size_t>(traffic_class)]; }
  const ReadyList& first_list(MessageClass traffic_class) const {
    return (*levels_[static_cast<std::size_t>(traffic_class)])[static_cast<std::size_t>(
        std::countr_zero(levels_used(traffic_class)))];
  }

  std::array<std::unique_ptr<Levels>, kMessageClasses> levels_;
  std::array<std::uint8_t, kMessageClasses> used_{};  // bit i: level i is not empty
  std::size_t count_ = 0;
};

}  // namespace mxp
