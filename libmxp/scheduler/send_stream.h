// The sending half of one stream: what was written, sent, lost and acknowledged, and how it ends (RFC 9000 §3.1).
//
//     open ── finish() ──▶ finishing ── all of it acknowledged ──▶ done
//       └──────── reset() ──────┴──▶ reset ── RESET_STREAM acknowledged ──▶ done
//
// Acknowledgements in order cost O(1): the buffer's begin is the mark, and only what is acknowledged above it needs a
// set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mxp/bytes.h"
#include "mxp/error.h"
#include "scheduler/flow_credit.h"
#include "scheduler/kept_bytes.h"
#include "scheduler/send_buffer.h"
#include "scheduler/sent_ranges.h"

namespace mxp {

class SendStream {
 public:
  enum class State : std::uint8_t { open, finishing, reset, done };

  // How much the stream may hold. What was sent must be kept until it is acknowledged, and congestion and flow control
  // bound it; what waits to be sent for the first time is the application's haste, and has a limit of its own.
  struct Limit {
    std::size_t held;               // bytes written and not acknowledged
    std::size_t unsent = SIZE_MAX;  // those of them that were never sent
  };

  // A piece of the stream as it goes into one STREAM frame.
  struct Chunk {
    std::uint64_t offset = 0;
    std::size_t length = 0;
    bool fin = false;
    bool retransmission = false;
    std::uint64_t end() const { return offset + length; }
  };

  // A stream without a sending half is done from the start.
  void start(bool sends, std::uint64_t limit);
  // Makes the object ready for another stream; it keeps little memory.
  void recycle();
  // Gives back the memory of a stream that waits for nothing.
  void shrink();

  State state() const { return state_; }
  bool done() const { return state_ == State::done; }
  bool is_reset() const { return was_reset_; }
  AppErrorCode reset_code() const { return reset_code_; }
  // The end of what was sent so far, which is the final size of a reset.
  std::uint64_t sent_end() const { return credit_.used(); }
  const SendBuffer& buffer() const { return buffer_; }
  SendCredit& credit() { return credit_; }
  const SendCredit& credit() const { return credit_; }
  std::size_t memory() const { return buffer_.capacity() + ranges_.memory(); }

  // Returns how many bytes were taken; a short count is remembered until take_writable. An empty write to a stream of
  // which nothing was sent yet announces the stream to the peer. REQUIRES: state() == open.
  std::size_t write(ByteView data, Limit limit);
  std::size_t writable(Limit limit) const { return state_ == State::open ? room(limit) : 0; }
  // Whether a short write may go on. It is true once, when an eighth of the smaller limit is free, so that the
  // application is not woken for each packet.
  bool take_writable(Limit limit);
  void finish();
  // REQUIRES: state() is open or finishing.
  void reset(AppErrorCode code);

  // How many bytes were written and not yet sent for the first time.
  std::uint64_t unsent() const { return buffer_.end() - sent_end(); }
  bool has_new_data() const { return unsent() != 0 && credit_.available() != 0; }
  bool starved() const { return unsent() != 0 && credit_.available() == 0; }
  // Whether there is something that costs no credit: lost data, an end without data, or the announcement of the stream.
  bool has_urgent() const { return !ranges_.lost.empty() || (fin_ == Fin::queued && unsent() == 0) || announcing_; }

  // At most `max` bytes of data. A length of 0 is right only if the chunk carries the end or announces the stream.
  // REQUIRES: has_urgent().
  Chunk urgent_chunk(std::size_t max) const;
  // REQUIRES: has_new_data().
  Chunk new_chunk(std::uint64_t max) const;
  void copy_out(const Chunk& chunk, MutableBytes out) const { buffer_.copy_out(chunk.offset, out); }
  void on_sent(const Chunk& chunk);

  // Returns how many bytes were acknowledged for the first time.
  std::uint64_t on_acknowledged(std::uint64_t offset, std::uint64_t length, bool fin);
  void on_lost(std::uint64_t offset, std::uint64_t length, bool fin);
  void on_reset_acknowledged();
  // Gives back memory that the remaining bytes do not need.
  void trim() {
    if (buffer_.capacity() > kKeptBytes) buffer_.trim();
  }

 private:
  enum class Fin : std::uint8_t { none, queued, sent, acknowledged };

  std::size_t room(Limit limit) const;
  // Holds nothing from here on, and keeps little memory.
  void clear(std::uint64_t offset);

  SendBuffer buffer_;  // everything below its begin is acknowledged
  SentRanges ranges_;  // within the buffer; acknowledged ones above its begin
  SendCredit credit_;  // used = end of what was sent
  AppErrorCode reset_code_ = 0;
  State state_ = State::done;
  Fin fin_ = Fin::none;
  bool was_reset_ = false;
  bool write_was_short_ = false;
  bool announcing_ = false;  // an empty frame is due, so that the peer learns of the stream
};

}  // namespace mxp
