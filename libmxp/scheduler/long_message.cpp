#include "scheduler/long_message.h"

#include <algorithm>

#include "mxp/require.h"

namespace mxp {

LongMessage::Piece LongMessage::lost() const {
  const RangeSet::Range first = lost_.ranges().front();
  return {first.begin, first.size()};
}

void LongMessage::on_sent(Piece piece) {
  if (piece.offset == sent_end_) {
    MXP_REQUIRE(piece.length <= size_ - sent_end_);
    sent_end_ += piece.length;
  } else {
    lost_.remove(piece.offset, piece.offset + piece.length);
  }
}

void LongMessage::on_acknowledged(Piece piece) {
  const std::uint64_t begin = piece.offset, end = std::min(begin + piece.length, sent_end_);
  if (acknowledged_.range_count() == kMaxRanges && !acknowledged_.touches(begin, end)) return on_lost(piece);
  acknowledged_.add(begin, end);
  if (!lost_.empty()) lost_.remove(begin, end);
  // A range was cut in two: the piece is sent again as well.
  if (lost_.range_count() > kMaxRanges) lost_.add_joining(begin, end, kMaxRanges);
}

void LongMessage::on_lost(Piece piece) {
  const std::uint64_t end = std::min(piece.offset + piece.length, sent_end_);
  // Some of it may have arrived in another packet.
  std::uint64_t at = piece.offset;
  for (const RangeSet::Range& arrived : acknowledged_.ranges_ending_after(at)) {
    if (arrived.begin >= end) break;
    if (at < arrived.begin) lost_.add_joining(at, arrived.begin, kMaxRanges);
    at = arrived.end;
  }
  if (at < end) lost_.add_joining(at, end, kMaxRanges);
}

}  // namespace mxp
