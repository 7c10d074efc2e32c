#include "scheduler/long_message.h"

#include <algorithm>

#include "mxp/require.h"

namespace mxp {

LongMessage::Piece LongMessage::lost() const {
  const RangeSet::Range first = ranges_.lost.ranges().front();
  return {first.begin, first.size()};
}

void LongMessage::on_sent(Piece piece) {
  if (piece.offset == sent_end_) {
    MXP_REQUIRE(piece.length <= size_ - sent_end_);
    sent_end_ += piece.length;
  } else {
    ranges_.lost.remove(piece.offset, piece.offset + piece.length);
  }
}

void LongMessage::on_acknowledged(Piece piece) {
  const std::uint64_t end = std::min(piece.offset + piece.length, sent_end_);
  if (!ranges_.acknowledge(piece.offset, end)) on_lost(piece);
}

void LongMessage::on_lost(Piece piece) { ranges_.lose(piece.offset, std::min(piece.offset + piece.length, sent_end_)); }

}  // namespace mxp
