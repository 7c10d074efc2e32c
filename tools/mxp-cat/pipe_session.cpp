#include "mxp-cat/pipe_session.h"

#include <fmt/format.h>

#include "mxp-cat/file_header.h"

namespace mxp::tools {
namespace {

constexpr std::size_t kChunkBytes = 64u << 10;
// Chunks read before the loop looks at the socket again.
constexpr int kChunksPerTurn = 16;

}  // namespace

PipeSession::PipeSession(const SessionEnvironment& environment, Connection& connection, StandardStreams& streams)
    : StandardSession(environment, connection, &streams) {
  if (!environment.options.digest) return;
  sent_digest_.emplace();
  received_digest_.emplace();
}

// --- which stream, whose turn

void PipeSession::on_connected() {
  if (connection_.role() != Role::client) return;  // the client opens the stream
  if (const auto id = open_stream()) start(*id);
}

void PipeSession::on_stream_opened(StreamId id) {
  environment_.reporter.stream_opened(connection_, id, Side::peer);
  if (stream_ || connection_.role() == Role::client) return refuse_stream(id, AppCode::unexpected_stream);
  start(id);
}

void PipeSession::start(StreamId id) {
  stream_ = id;
  if (const auto& priority = environment_.options.priority)
    (void)connection_.set_priority(id, {.traffic_class = *priority});  // fails where the stream has no way back
  if (id.type() == StreamType::unidirectional) {
    our_end_ = OurEnd::acknowledged;  // a one-way stream of the peer's has no direction of ours
    input_ended_ = true;
  }
  if (environment_.options.no_stdin) input_ended_ = true;
  if (streams_->ask_for_turn(*this)) take_turn();
}

void PipeSession::take_turn() {
  begin_turn();
  // Not before our turn: a peer that sees our end and has its own acknowledged is done, and what it sent would be lost
  // if it or we went before anybody read it.
  if (environment_.options.no_stdin) send_end();
  (void)connection_.resume(*stream_);
  if (ended() || our_end_ != OurEnd::open) return;
  read_input();
}

// --- stdin to the stream

void PipeSession::read_input() {
  for (int chunk = 0; chunk < kChunksPerTurn; ++chunk) {
    if (ended() || input_ended_ || our_end_ != OurEnd::open) return unwatch_input();
    if (!write_pending()) return unwatch_input();  // on_stream_writable goes on
    if (chunk_.empty()) chunk_.resize(kChunkBytes);
    const StandardInput::ReadResult got = streams_->input.read(chunk_);
    switch (got.kind) {
      case StandardInput::ReadResult::Kind::nothing_now: return watch_input();
      case StandardInput::ReadResult::Kind::end: return on_input_end();
      case StandardInput::ReadResult::Kind::error:
        refuse_stream(*stream_, AppCode::input_failed);
        return fail_input(got.error);
      case StandardInput::ReadResult::Kind::bytes:
        pending_begin_ = 0;
        pending_end_ = got.count;
        sent_any_ = true;
        if (sent_digest_) sent_digest_->update(ByteView(chunk_.data(), got.count));
    }
  }
  // More is there: go on in the next turn, after the socket had its share.
  if (write_pending()) watch_input();
  else unwatch_input();
}

bool PipeSession::write_pending() {
  while (pending_begin_ < pending_end_) {
    const auto taken =
        connection_.write(*stream_, ByteView(chunk_).subspan(pending_begin_, pending_end_ - pending_begin_));
    if (!taken) return false;  // reset or closed: the event that says so decides
    pending_begin_ += *taken;
    if (pending_begin_ < pending_end_) return false;
  }
  return true;
}

void PipeSession::on_stream_writable(StreamId id) {
  if (id == stream_ && has_turn_) read_input();
}

void PipeSession::on_input_end() {
  input_ended_ = true;
  unwatch_input();
  if (peer_ended_ && !streams_->input.at_end()) {
    environment_.output.note(streams_->input.is_terminal()
                                 ? "the peer ended, which ends a session at a terminal (--half-close keeps it open)"
                                 : "the peer ended, so stdin was not read to its end (--end-together)");
  }
  // A listener that goes on serving has one stdin for all its clients: its end concerns only who was reading it.
  const bool end_says_nothing = environment_.options.keep_open && !sent_any_;
  if (!end_says_nothing || peer_ended_) send_end();
}

void PipeSession::send_end() {
  if (our_end_ != OurEnd::open) return;
  our_end_ = OurEnd::sent;
  finish_stream(*stream_);
  wait_for_peer();
}

void PipeSession::on_stream_finished(StreamId id) {
  if (id != stream_) return;
  our_end_ = OurEnd::acknowledged;
  check_done();
}

// --- the stream to stdout

std::size_t PipeSession::on_stream_data(StreamId id, ByteView data, bool fin) {
  if (id != stream_ || (ended() && !gone_)) return data.size();
  if (!has_turn_) return 0;
  if (bytes_received_ == 0 && begins_file_transfer(data)) {
    warn(
        fmt::format("{} seems to send files (--send), and their transfer goes to stdout as it is: start this side with "
                    "--recv DIR to receive them",
                    peer()));
  }
  std::size_t taken = data.size();
  if (gone_) streams_->output.take_all(data);
  else taken = streams_->output.take(data);
  bytes_received_ += taken;
  if (received_digest_) received_digest_->update(data.first(taken));
  if (streams_->output.error()) {
    fail_output();
    return data.size();
  }
  if (fin && taken == data.size()) on_peer_end();
  return taken;
}

void PipeSession::on_peer_end() {
  if (peer_ended_) return;
  peer_ended_ = true;
  environment_.reporter.fin(connection_, *stream_, Side::peer);
  if (gone_) return;
  if (our_end_ == OurEnd::open) {
    if (input_ended_) {
      send_end();
    } else if (ends_with_peer()) {
      streams_->input.stop_after_arrived();
      read_input();
    }
  }
  check_done();
}

void PipeSession::on_output_room() {
  if (!peer_ended_) (void)connection_.resume(*stream_);
  check_done();
}

void PipeSession::fail_output() {
  if (!gone_ && !ended()) refuse_stream(*stream_, AppCode::output_failed);
  StandardSession::fail_output();
}

// --- the end

void PipeSession::check_done() {
  if (ended() || our_end_ != OurEnd::acknowledged || !peer_ended_ || !streams_->output.drained()) return;
  print_conclusion();
  if (connection_.role() == Role::client) say_goodbye({});
  else end(AppCode::done, "done", {});
}

void PipeSession::on_goodbye() {
  // The client has our end, although its acknowledgement has not come through.
  if (our_end_ == OurEnd::sent) our_end_ = OurEnd::acknowledged;
  check_done();
}

void PipeSession::print_conclusion() {
  if (!sent_digest_) return;
  environment_.output.summary(fmt::format("sha256 {}  sent", to_hex(sent_digest_->finish())));
  environment_.output.summary(fmt::format("sha256 {}  received", to_hex(received_digest_->finish())));
}

Result<void> PipeSession::on_closed(const CloseInfo& info) {
  note_closed();
  if (outcome()) return *outcome();
  // A peer closes with code 0 only when it has all of ours and we acknowledged all of its data: what of them stdout was
  // too slow for is still in the connection.
  const bool peer_is_done = says_done(info);
  if (peer_is_done && stream_ && has_turn_ && !peer_ended_) (void)connection_.resume(*stream_);
  if (peer_is_done && peer_ended_ && our_end_ != OurEnd::open) {
    print_conclusion();
    return {};
  }
  if (peer_is_done && !stream_)
    return fail(ErrorKind::network, fmt::format("{} closed the connection without opening a stream", peer()));
  return std::unexpected(describe(info));
}

Progress PipeSession::progress() const {
  const std::uint64_t sent = gone_ ? 0 : connection_.stats().stream_bytes_acknowledged;
  // How much there will be is known only of a file that we send, to a peer that sends nothing.
  const auto size = streams_->input.file_bytes();
  const bool only_sending = size && bytes_received_ == 0 && has_turn_ && !environment_.options.no_stdin;
  return {.done = sent + bytes_received_, .total = only_sending ? *size : 0};
}

}  // namespace mxp::tools
