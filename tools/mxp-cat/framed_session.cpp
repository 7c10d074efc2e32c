#include "mxp-cat/framed_session.h"

#include <fmt/format.h>

namespace mxp::tools {
namespace {

constexpr std::size_t kInputBytes = 64u << 10;
// Reads before the loop looks at the socket again.
constexpr int kInputsPerTurn = 4;

}  // namespace

void FramedSession::read_input() {
  for (int reads = 0; reads < kInputsPerTurn; ++reads) {
    if (ended() || input_ended_) return unwatch_input();
    if (send_input() != Sent::yes) return unwatch_input();
    if (chunk_.empty()) chunk_.resize(kInputBytes);
    const StandardInput::ReadResult got = streams_->input.read(chunk_);
    switch (got.kind) {
      case StandardInput::ReadResult::Kind::nothing_now: return watch_input();
      case StandardInput::ReadResult::Kind::bytes: cutter_.add(ByteView(chunk_).first(got.count)); break;
      case StandardInput::ReadResult::Kind::error: return fail_input(got.error);
      case StandardInput::ReadResult::Kind::end:
        cutter_.on_end();
        if (send_input() == Sent::yes) end_input();
        return unwatch_input();
    }
  }
  // More is there: go on in the next turn, after the socket had its share.
  if (send_input() == Sent::yes) watch_input();
  else unwatch_input();
}

FramedSession::Sent FramedSession::send_input() {
  for (;;) {
    cutter_.set_limit(frame_limit());
    const FrameCutter::Cut cut = cutter_.front();
    if (cut.kind == FrameCutter::Cut::Kind::nothing) return Sent::yes;
    if (cut.kind == FrameCutter::Cut::Kind::too_large) {
      const std::string_view frame = environment_.options.framing == Framing::line ? "line" : unit_;
      stop_input({ErrorKind::usage, fmt::format("{} {} of stdin has {} bytes, and a {} takes at most {}: nothing was "
                                                "sent from there on",
                                                frame, cutter_.number(), cut.size, unit_, cutter_.limit())});
      return Sent::failed;
    }
    const Sent sent = send_frame(cut.payload, cutter_.number());
    if (sent != Sent::yes) return sent;
    cutter_.take();
  }
}

void FramedSession::end_input() {
  if (cutter_.is_cut_short())
    return stop_input(
        {ErrorKind::usage, fmt::format("stdin ends within {} {}, which was not sent", unit_, cutter_.number())});
  input_ended_ = true;
  on_input_ended();
}

void FramedSession::stop_input(ToolError error) {
  unwatch_input();
  input_error_ = std::move(error);
  input_ended_ = true;
  on_input_ended();
}

void FramedSession::follow_peers_end() {
  if (input_ended_ || !has_turn_ || !ends_with_peer()) return;
  streams_->input.stop_after_arrived();
  read_input();
}

Result<void> FramedSession::verdict() const {
  if (input_error_) return std::unexpected(*input_error_);
  return {};
}

}  // namespace mxp::tools
