#include "scheduler/receive_stream.h"

#include <algorithm>

#include "core/frames.h"
#include "mxp/require.h"
#include "scheduler/kept_bytes.h"

namespace mxp {

void ReceiveStream::start(bool receives, std::uint64_t window, std::uint64_t max_window) {
  state_ = receives ? State::receiving : State::done;
  window_ = receives ? ReceiveWindow(window, max_window) : ReceiveWindow();
}

void ReceiveStream::recycle() {
  reassembler_.reset(kKeptBytes);
  window_ = ReceiveWindow();
  highest_ = 0;
  final_size_.reset();
  stop_code_ = 0;
  state_ = State::done;
  paused = delivering = resume_requested = false;
}

bool ReceiveStream::complete() const {
  if (!final_size_) return false;
  const std::uint64_t missing = *final_size_ - delivered();
  return state_ == State::done || (state_ == State::receiving && reassembler_.buffered() == missing);
}

std::expected<std::uint64_t, TransportError> ReceiveStream::on_data(std::uint64_t offset, std::uint64_t length,
                                                                    bool fin) {
  // RFC 9000 §19.8; the frame reader refuses this as well.
  if (length > kMaxVarint || offset > kMaxVarint - length)
    return std::unexpected(
        TransportError{TransportErrorCode::frame_encoding_error, frame_type::kStream, "stream offset beyond 2^62-1"});
  const std::uint64_t end = offset + length;
  // RFC 9000 §4.5
  if (final_size_ && end > *final_size_)
    return std::unexpected(
        TransportError{TransportErrorCode::final_size_error, frame_type::kStream, "data beyond the final size"});
  if (fin && ((final_size_ && end != *final_size_) || end < highest_))
    return std::unexpected(
        TransportError{TransportErrorCode::final_size_error, frame_type::kStream, "the final size changed"});
  auto grown = extend(end, frame_type::kStream);
  if (grown && fin) final_size_ = end;
  return grown;
}

std::expected<std::uint64_t, TransportError> ReceiveStream::on_final_size(std::uint64_t final_size) {
  if ((final_size_ && final_size != *final_size_) || final_size < highest_)
    return std::unexpected(
        TransportError{TransportErrorCode::final_size_error, frame_type::kResetStream, "the final size changed"});
  auto grown = extend(final_size, frame_type::kResetStream);
  if (grown) final_size_ = final_size;
  return grown;
}

std::expected<std::uint64_t, TransportError> ReceiveStream::extend(std::uint64_t end, std::uint64_t frame_type) {
  if (end <= highest_) return 0;
  if (end > window_.limit())
    return std::unexpected(
        TransportError{TransportErrorCode::flow_control_error, frame_type, "data beyond the stream's limit"});
  const std::uint64_t grown = end - highest_;
  highest_ = end;
  return grown;
}

void ReceiveStream::stop(AppErrorCode code) {
  MXP_REQUIRE(state_ == State::receiving);
  state_ = State::discarding;
  stop_code_ = code;
}

}  // namespace mxp
