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
  ranges_.shrink();
}

void SendStream::clear(std::uint64_t offset) {
  ranges_.clear(kKeptBytes);
  buffer_.reset(offset, kKeptBytes);
}

std::size_t SendStream::room(Limit limit) const {
  const std::size_t held = limit.held - std::min(limit.held, buffer_.size());
  return std::min(held, limit.unsent - static_cast<std::size_t>(std::min<std::uint64_t>(limit.unsent, unsent())));
}

std::size_t SendStream::write(ByteView data, Limit limit) {
  MXP_REQUIRE(state_ == State::open);
  const std::size_t taken = buffer_.append(data, buffer_.size() + room(limit));
  // Writing nothing says nothing of what is still to be written.
  if (!data.empty()) write_was_short_ = taken < data.size();
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
  if (!ranges_.lost.empty()) {
    const RangeSet::Range lost = ranges_.lost.ranges().front();
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
  else if (chunk.length != 0) ranges_.lost.remove(chunk.offset, chunk.end());
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
      const auto remembered = ranges_.acknowledge(offset, end);
      if (!remembered) {
        on_lost(offset, length, fin);
        return 0;
      }
      fresh = *remembered;
    } else {
      fresh = end - begin;
      std::uint64_t mark = end;
      if (!ranges_.acknowledged.empty()) {
        fresh -= ranges_.acknowledged.remove(begin, end);
        if (!ranges_.acknowledged.empty() && ranges_.acknowledged.ranges().front().begin == end) {
          mark = ranges_.acknowledged.ranges().front().end;
          ranges_.acknowledged.pop_front();
        }
      }
      buffer_.release_to(mark);
      if (!ranges_.lost.empty()) ranges_.lost.remove_below(mark);
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
  if (begin < end) ranges_.lose(begin, end);
  if (fin && fin_ == Fin::sent) fin_ = Fin::queued;
  // This was the announcement, and no frame was sent after it: the peer still does not know of the stream.
  if (length == 0 && !fin && sent_end() == 0 && fin_ == Fin::none) announcing_ = true;
}

void SendStream::on_reset_acknowledged() {
  if (state_ == State::reset) state_ = State::done;
}

}  // namespace mxp
