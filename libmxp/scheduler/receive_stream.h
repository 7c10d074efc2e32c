// The receiving half of one stream: how far the peer may send, how far it has sent, and where the stream ends (RFC 9000
// §3.2, §4.5).
//
//     receiving ── the application took everything up to the final size ──▶ done
//         ├── the peer's reset ──▶ done
//         └── stop() ──▶ discarding ── final size known (its end or its reset) ──▶ done
#pragma once

#include <cstdint>
#include <expected>
#include <optional>

#include "mxp/bytes.h"
#include "mxp/error.h"
#include "scheduler/flow_credit.h"
#include "scheduler/reassembler.h"

namespace mxp {

class ReceiveStream {
 public:
  enum class State : std::uint8_t { receiving, discarding, done };

  // A stream without a receiving half is done from the start.
  void start(bool receives, std::uint64_t window, std::uint64_t max_window);
  // Makes the object ready for another stream; it keeps little memory.
  void recycle();

  State state() const { return state_; }
  bool done() const { return state_ == State::done; }
  AppErrorCode stop_code() const { return stop_code_; }
  std::uint64_t highest() const { return highest_; }              // end of what was received
  std::uint64_t delivered() const { return window_.consumed(); }  // end of what the application took
  const std::optional<std::uint64_t>& final_size() const { return final_size_; }
  // Whether everything up to the final size has arrived.
  bool complete() const;
  bool ends_at(std::uint64_t offset) const { return final_size_ == offset; }
  // Whether more credit can still help the peer.
  bool wants_credit() const { return state_ == State::receiving && !final_size_; }
  ReceiveWindow& window() { return window_; }
  const ReceiveWindow& window() const { return window_; }
  Reassembler& reassembler() { return reassembler_; }
  const Reassembler& reassembler() const { return reassembler_; }

  // Checks bytes [offset, offset + length), and the end if `fin`, against the final size and the stream's limit, and
  // notes them. Returns by how much highest() grew, which counts against the connection's limit.
  std::expected<std::uint64_t, TransportError> on_data(std::uint64_t offset, std::uint64_t length, bool fin);
  // The same for the final size in a RESET_STREAM; does not change the state.
  std::expected<std::uint64_t, TransportError> on_final_size(std::uint64_t final_size);
  // The application wants no more of the stream. REQUIRES: state() == receiving.
  void stop(AppErrorCode code);
  void finish() { state_ = State::done; }

  // The application took less than it was given and has not called resume since.
  bool paused = false;
  // `delivering`: on_stream_data of this stream is running. `resume_requested`: resume was called from inside it.
  bool delivering = false;
  bool resume_requested = false;

 private:
  std::expected<std::uint64_t, TransportError> extend(std::uint64_t end, std::uint64_t frame_type);

  Reassembler reassembler_;
  ReceiveWindow window_;  // consumed = what the application took, or what was discarded
  std::uint64_t highest_ = 0;
  std::optional<std::uint64_t> final_size_;
  AppErrorCode stop_code_ = 0;
  State state_ = State::done;
};

}  // namespace mxp
