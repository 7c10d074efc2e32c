#include "scheduler/send_stream.h"

#include <algorithm>

#include "mxp/require.h"

namespace mxp {

void SendStream::start(bool sends, std::uint64_t limit) {
  state_ = sends ? State::open : State::done;
  credit_ = SendCredit(sends ? limit : 0);
}

void SendStream::recycle() {
  clear(0);
  credit_ = SendCredit();
  reset_code_ = 0;
  state_ = State::done;
  fin_ = Fin::none;
  was_reset_ = false;
  write_was_short_ = false;
  announcing_ = false;
}

void SendStream::shrink() {
  if (buffer_.size() != 0) return;
  buffer_.reset(buffer_.end(), 0);
  acked_.shrink();
  lost_.shrink();
}

void SendStream::clear(std::uint64_t offset) {
  if (acked_.memory() + lost_.memory() > kKeptBytes) {
    acked_ = RangeSet();
    lost_ = RangeSet();
  }
  acked_.clear();
  lost_.clear();
  buffer_.reset(offset, kKeptBytes);
}

std::size_t SendStream::room(Limit limit) const {
  const std::size_t held = limit.held - std::min(limit.held, buffer_.size());
  return std::min(held, limit.unsent - static_cast<std::size_t>(std::min<std::uint64_t>(limit.unsent, unsent())));
}

std::size_t SendStream::write(ByteView data, Limit limit) {
  MXP_REQUIRE(state_ == State::open);
  const std::size_t taken = buffer_.append(data, buffer_.size() + room(limit));
  write_was_short_ = taken < data.size();
  if (data.empty() && buffer_.end() == 0) announcing_ = true;
  return taken;
}

bool SendStream::take_writable(Limit limit) {
  const std::size_t enough = std::max<std::size_t>(std::min(limit.held, limit.unsent) / 8, 1);
  if (!write_was_short_ || writable(limit) < enough) return false;
  write_was_short_ = false;
  return true;
}

void SendStream::finish() {
  state_ = State::finishing;
  fin_ = Fin::queued;
}

void SendStream::reset(AppErrorCode code) {
  MXP_REQUIRE(state_ == State::open || state_ == State::finishing);
  state_ = State::reset;
  was_reset_ = true;
  reset_code_ = code;
  fin_ = Fin::none;
  announcing_ = false;
  clear(sent_end());
}

SendStream::Chunk SendStream::urgent_chunk(std::size_t max) const {
  MXP_REQUIRE(has_urgent());
  Chunk chunk{.offset = sent_end(), .retransmission = true};
  if (!lost_.empty()) {
    const RangeSet::Range lost = lost_.ranges().front();
    chunk.offset = lost.begin;
    chunk.length = static_cast<std::size_t>(std::min<std::uint64_t>(lost.size(), max));
  }
  chunk.fin = fin_ == Fin::queued && chunk.end() == buffer_.end();
  return chunk;
}

SendStream::Chunk SendStream::new_chunk(std::uint64_t max) const {
  MXP_REQUIRE(has_new_data());
  Chunk chunk{.offset = sent_end()};
  chunk.length = static_cast<std::size_t>(std::min({max, unsent(), credit_.available()}));
  chunk.fin = fin_ == Fin::queued && chunk.end() == buffer_.end();
  return chunk;
}

void SendStream::on_sent(const Chunk& chunk) {
  if (!chunk.retransmission) credit_.use(chunk.length);
  else if (chunk.length != 0) lost_.remove(chunk.offset, chunk.end());
  if (chunk.fin) fin_ = Fin::sent;
  announcing_ = false;
}

std::uint64_t SendStream::on_acknowledged(std::uint64_t offset, std::uint64_t length, bool fin) {
  if (state_ == State::reset || state_ == State::done) return 0;
  const std::uint64_t begin = buffer_.begin();
  const std::uint64_t end = std::min(offset + length, sent_end());
  std::uint64_t fresh = 0;
  if (end > begin) {
    if (offset > begin) {
      if (acked_.range_count() == kMaxRanges && !acked_.touches(offset, end)) {  // not remembered, so sent again
        on_lost(offset, length, fin);
        return 0;
      }
      fresh = acked_.add(offset, end);
      if (!lost_.empty()) lost_.remove(offset, end);
      if (lost_.range_count() > kMaxRanges) note_lost(offset, end);  // a range was cut in two: sent again as well
    } else {
      fresh = end - begin;
      std::uint64_t mark = end;
      if (!acked_.empty()) {
        fresh -= acked_.remove(begin, end);
        if (!acked_.empty() && acked_.ranges().front().begin == end) {
          mark = acked_.ranges().front().end;
          acked_.pop_front();
        }
      }
      buffer_.release_to(mark);
      if (!lost_.empty()) lost_.remove_below(mark);
    }
  }
  if (fin) fin_ = Fin::acknowledged;
  if (fin_ == Fin::acknowledged && buffer_.size() == 0) {
    state_ = State::done;
    clear(buffer_.end());  // the peer may keep the receiving half open for as long as it likes
  }
  return fresh;
}

void SendStream::on_lost(std::uint64_t offset, std::uint64_t length, bool fin) {
  if (state_ == State::reset || state_ == State::done) return;
  const std::uint64_t begin = std::max(offset, buffer_.begin());
  const std::uint64_t end = std::min(offset + length, sent_end());
  if (begin < end) {
    // Some of it may have arrived in another packet.
    std::uint64_t at = begin;
    for (const RangeSet::Range& arrived : acked_.ranges_ending_after(begin)) {
      if (arrived.begin >= end) break;
      if (at < arrived.begin) note_lost(at, arrived.begin);
      at = arrived.end;
    }
    if (at < end) note_lost(at, end);
  }
  if (fin && fin_ == Fin::sent) fin_ = Fin::queued;
  // This was the announcement, and no frame was sent after it: the peer still does not know of the stream.
  if (length == 0 && !fin && sent_end() == 0 && fin_ == Fin::none) announcing_ = true;
}

void SendStream::note_lost(std::uint64_t begin, std::uint64_t end) { lost_.add_joining(begin, end, kMaxRanges); }

void SendStream::on_reset_acknowledged() {
  if (state_ == State::reset) state_ = State::done;
}

}  // namespace mxp
