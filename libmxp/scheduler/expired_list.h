// The numbers of messages that expired, until EXPIRED has told the peer of them (docs/protocol.md §5.2). Numbers that
// follow each other and have used the same credit go into one frame; those of an ordered channel only if nothing else
// is between them there.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/frame_writer.h"
#include "core/frames.h"
#include "core/sent_frame.h"
#include "scheduler/sent_frame_sink.h"

namespace mxp {

class ExpiredList {
 public:
  struct Expired {
    std::uint64_t charge = 0;  // credit that it has used
    std::optional<OrderLink> order;
  };

  bool empty() const { return head_ == sequences_.size(); }
  std::size_t memory() const { return sequences_.capacity() * sizeof(std::uint64_t); }
  void add(std::uint64_t sequence) { sequences_.push_back(sequence); }
  void add(std::uint64_t first, std::uint64_t count) {
    for (std::uint64_t i = 0; i != count; ++i) add(first + i);
  }
  // `find(sequence)` returns what has to be said of it, or nothing if the peer is known to have settled it.
  template <typename Find>
  void write(Writer& out, SentFrameSink sent, Find find) {
    while (!empty()) {
      const std::uint64_t first = sequences_[head_];
      const std::optional<Expired> expired = find(first);
      if (!expired) {  // an acknowledgement of the message came after all
        ++head_;
        continue;
      }
      const std::size_t most = std::min<std::size_t>(sequences_.size() - head_, kMaxMessageWindow);
      std::size_t count = 1;
      while (count != most && sequences_[head_ + count] == first + count && follows(find(first + count), *expired))
        ++count;
      if (!write_frame(out, ExpiredFrame{first, count, expired->charge, expired->order})) return;
      sent({.kind = SentFrame::Kind::expired, .length = static_cast<std::uint32_t>(count), .value = first});
      head_ += count;
    }
    sequences_.clear();
    head_ = 0;
  }
  // Gives back memory. REQUIRES: empty().
  void release() { *this = ExpiredList(); }

 private:
  // Whether one frame says it of both, `later` having the next number.
  static bool follows(const std::optional<Expired>& later, const Expired& first) {
    if (!later || later->charge != first.charge || later->order.has_value() != first.order.has_value()) return false;
    return !later->order || *later->order == OrderLink{first.order->channel, 1};
  }

  std::vector<std::uint64_t> sequences_;  // from head_ on
  std::size_t head_ = 0;
};

}  // namespace mxp
