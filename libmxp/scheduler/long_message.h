// The body of a message that travels in parts, from send() until it is settled, and which of its bytes were sent, lost
// and acknowledged. It is what a stream's sending half is (send_stream.h), without an end to announce: its size is
// known, and all of its credit was used with the first part. So parts can be cut anew for any size of datagram.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "mxp/bytes.h"
#include "scheduler/sent_ranges.h"

namespace mxp {

class LongMessage {
 public:
  struct Piece {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
  };

  // A body of `size` bytes that are still to be written. REQUIRES: size != 0.
  explicit LongMessage(std::size_t size) : body_(std::make_unique_for_overwrite<std::uint8_t[]>(size)), size_(size) {}
  LongMessage(std::unique_ptr<std::uint8_t[]> body, std::size_t size) : body_(std::move(body)), size_(size) {}

  MutableBytes bytes() { return {body_.get(), size_}; }
  ByteView bytes() const { return {body_.get(), size_}; }
  std::size_t size() const { return size_; }
  // Bytes that this object holds beside itself and its body.
  std::size_t memory_of_ranges() const { return ranges_.memory(); }

  bool has_unsent() const { return sent_end_ != size_; }
  bool has_lost() const { return !ranges_.lost.empty(); }
  bool is_acknowledged() const { return ranges_.acknowledged.contains(0, size_); }

  // What comes next of what was never sent, and of what was lost. REQUIRES: has_unsent(), or has_lost().
  Piece unsent() const { return {sent_end_, size_ - sent_end_}; }
  Piece lost() const;
  // REQUIRES: a part of what unsent() or lost() returned, from its beginning.
  void on_sent(Piece piece);
  void on_acknowledged(Piece piece);
  void on_lost(Piece piece);

 private:
  std::unique_ptr<std::uint8_t[]> body_;
  std::size_t size_;
  std::uint64_t sent_end_ = 0;
  SentRanges ranges_;  // below sent_end_
};

}  // namespace mxp
