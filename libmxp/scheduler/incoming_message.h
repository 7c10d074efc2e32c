// A message of the peer that comes in parts, until all of them are there. Its bytes lie in chunks, of which each is
// taken when the first of its bytes comes: so a peer that announces 16 MiB and sends one byte has cost one chunk. They
// become one piece when the message is complete; each chunk goes back as soon as it was copied, so that the message is
// hardly ever twice in memory. One copy more is what that costs, and a message of one chunk does not need it.
//
// What is present is a set of ranges whose number the peer chooses; it is bounded as for streams (reassembler.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/frames.h"
#include "core/range_set.h"
#include "mxp/bytes.h"

namespace mxp {

class IncomingMessage {
 public:
  // Our choice. A smaller chunk makes the list of chunks longer, which is taken as a whole.
  static constexpr std::size_t kChunk = 16 * 1024;
  // Our choice, as for streams: whole packets between gaps are no offence, whatever their number. But what is kept of a
  // message's ranges must not be more than the message has paid for: a short one may have fewer.
  static constexpr std::size_t kMaxSpans = 1024;
  static constexpr std::size_t kFirstSpans = 8;
  static constexpr std::size_t kSizeForSpan = 64;
  static constexpr std::uint64_t kBytesForSpan = 512;

  // REQUIRES: body_size != 0.
  IncomingMessage(MessageFrame::Form form, std::uint64_t body_size, const std::optional<OrderLink>& order)
      : size_(static_cast<std::size_t>(body_size)),
        form_(form),
        order_(order),
        chunks_((size_ + kChunk - 1) / kChunk) {}

  MessageFrame::Form form() const { return form_; }
  std::uint64_t body_size() const { return size_; }
  const std::optional<OrderLink>& order() const { return order_; }
  std::uint64_t charge() const { return size_ + kPartsCharge; }
  bool is_complete() const { return present_.contains(0, size_); }
  std::size_t memory() const {
    return sizeof(*this) + bytes_ + chunks_.capacity() * sizeof(chunks_.front()) + present_.memory();
  }

  enum class Added : std::uint8_t { ok, too_many_spans, no_message, too_large };
  // Keeps a copy; bytes that are there already keep their values. The fields of the message's header are checked as
  // soon as all of them are there: against the rules of their form, the size of the body, and `max_payload`.
  // REQUIRES: the data end within the body.
  [[nodiscard]] Added add(std::uint64_t offset, ByteView data, std::uint64_t max_payload);
  // The whole body, in one piece. REQUIRES: is_complete(); nothing else may be called after this.
  std::unique_ptr<std::uint8_t[]> take();

 private:
  std::size_t chunk_size(std::size_t index) const { return std::min(kChunk, size_ - index * kChunk); }
  void copy(std::uint64_t offset, ByteView data);
  Added check_header(std::uint64_t max_payload) const;
  std::size_t max_spans() const { return std::min(kMaxSpans, kFirstSpans + size_ / kSizeForSpan); }

  std::size_t size_;
  MessageFrame::Form form_;
  std::optional<OrderLink> order_;
  bool header_is_checked_ = false;
  std::size_t bytes_ = 0;  // of all chunks
  std::vector<std::unique_ptr<std::uint8_t[]>> chunks_;
  RangeSet present_;
  std::uint64_t present_bytes_ = 0;  // its sum
};

}  // namespace mxp
