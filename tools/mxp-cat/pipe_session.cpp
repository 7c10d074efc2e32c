#include "mxp-cat/pipe_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "common/units.h"
#include "mxp-cat/file_header.h"

namespace mxp::tools {
namespace {

constexpr std::size_t kChunkBytes = 64u << 10;
// Chunks read before the loop looks at the socket again.
constexpr int kChunksPerTurn = 16;

}  // namespace

PipeSession::PipeSession(const SessionEnvironment& environment, Connection& connection, StandardStreams& streams)
    : Session(environment, connection), streams_(streams) {
  if (!environment.options.digest) return;
  sent_digest_.emplace();
  received_digest_.emplace();
}

PipeSession::~PipeSession() {
  if (wait_timer_) environment_.loop.cancel(*wait_timer_);
  unwatch_input();
  streams_.leave(*this);
}

// --- which stream, whose turn

void PipeSession::on_connected() {
  if (connection_.role() != Role::client) return;  // the client opens the stream
  const auto id = connection_.open_stream(StreamType::bidirectional);
  if (!id) {
    end(AppCode::failed, "no stream allowed",
        fail(ErrorKind::network, fmt::format("{} allows no streams: is it mxp-cat?", peer())));
    return;
  }
  environment_.reporter.stream_opened(connection_, *id, Side::local);
  // Lets the peer know of the stream although we have nothing to say yet: it may want to speak first.
  (void)connection_.write(*id, {});
  start(*id);
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
  if (streams_.ask_for_turn(*this)) take_turn();
}

void PipeSession::take_turn() {
  has_turn_ = true;
  streams_.input.lift_limit();
  streams_.output.when_drained([this] { on_output_drained(); });
  // Not before our turn: a peer that sees our end and has its own acknowledged is done, and what it sent would be lost
  // if it or we went before anybody read it.
  if (environment_.options.no_stdin) send_end();
  (void)connection_.resume(*stream_);
  if (ended() || our_end_ != OurEnd::open) return;
  read_input();
}

// --- stdin to the stream

void PipeSession::watch_input() {
  if (watching_input_) return;
  watching_input_ = true;
  environment_.loop.watch(streams_.input.fd(), FdEvent::readable, [this] { read_input(); });
}

void PipeSession::unwatch_input() {
  if (!watching_input_) return;
  watching_input_ = false;
  environment_.loop.unwatch(streams_.input.fd());
}

void PipeSession::read_input() {
  for (int chunk = 0; chunk < kChunksPerTurn; ++chunk) {
    if (ended() || input_ended_ || our_end_ != OurEnd::open) return unwatch_input();
    if (!write_pending()) return unwatch_input();  // on_stream_writable goes on
    if (chunk_.empty()) chunk_.resize(kChunkBytes);
    const StandardInput::ReadResult got = streams_.input.read(chunk_);
    switch (got.kind) {
      case StandardInput::ReadResult::Kind::nothing_now: return watch_input();
      case StandardInput::ReadResult::Kind::end: return on_input_end();
      case StandardInput::ReadResult::Kind::error:
        refuse_stream(*stream_, AppCode::input_failed);
        return end(AppCode::input_failed, "reading stdin failed",
                   fail(ErrorKind::io, fmt::format("cannot read stdin: {}", std::strerror(got.error))));
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
  if (peer_ended_ && !streams_.input.at_end()) {
    environment_.output.note(streams_.input.is_terminal()
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
  if (!connection_.finish(*stream_)) return;  // reset or closed: the event that says so decides
  environment_.reporter.fin(connection_, *stream_, Side::local);
  const auto& limit = environment_.options.wait_after_end;
  if (!limit) return;
  wait_timer_ = environment_.loop.at(environment_.loop.now() + *limit, [this, limit] {
    wait_timer_.reset();
    if (gone_) return;
    end(AppCode::waited_too_long, "waited too long for the end",
        fail(ErrorKind::timeout,
             fmt::format("{} did not {} within {} after our end (-q)", peer(),
                         peer_ended_ ? "acknowledge it" : "end its side", format_duration(*limit))));
  });
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
  if (gone_) streams_.output.take_all(data);
  else taken = streams_.output.take(data);
  bytes_received_ += taken;
  if (received_digest_) received_digest_->update(data.first(taken));
  if (streams_.output.error()) {
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
      streams_.input.stop_after_arrived();
      read_input();
    }
  }
  check_done();
}

bool PipeSession::ends_with_peer() const {
  switch (environment_.options.at_peer_end) {
    case AtPeerEnd::end_terminal: return streams_.input.is_terminal();
    case AtPeerEnd::read_on: return false;
    case AtPeerEnd::end: return true;
  }
  return false;
}

void PipeSession::on_output_drained() {
  if (gone_) return environment_.on_drained();
  if (streams_.output.error()) return fail_output();
  if (ended()) return;
  if (!peer_ended_) (void)connection_.resume(*stream_);
  check_done();
}

void PipeSession::fail_output() {
  if (gone_ || ended()) return;
  refuse_stream(*stream_, AppCode::output_failed);
  end(AppCode::output_failed, "cannot write its output", std::unexpected(*streams_.output.error()));
}

// --- the end

void PipeSession::on_stream_reset(StreamId id, AppErrorCode code) {
  if (id != stream_) return;
  environment_.reporter.reset(connection_, id, Side::peer, code);
  end(AppCode::failed, "the stream was reset",
      fail(ErrorKind::peer, fmt::format("{} reset the stream: {}", peer(), describe_app_code(code))));
}

void PipeSession::on_stop_sending(StreamId id, AppErrorCode code) {
  if (id != stream_) return;
  environment_.reporter.reset(connection_, id, Side::peer, code);
  end(AppCode::failed, "the stream was stopped",
      fail(ErrorKind::peer, fmt::format("{} takes no more: {}", peer(), describe_app_code(code))));
}

void PipeSession::check_done() {
  if (ended() || our_end_ != OurEnd::acknowledged || !peer_ended_ || !streams_.output.drained()) return;
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
  unwatch_input();
  if (wait_timer_) environment_.loop.cancel(*wait_timer_);
  wait_timer_.reset();
  gone_ = true;
  if (outcome()) return *outcome();
  // A peer closes with code 0 only when it has all of ours and we acknowledged all of its data: what of them stdout was
  // too slow for is still in the connection.
  const bool peer_is_done = info.by == CloseInfo::By::peer && info.application && info.code == wire(AppCode::done);
  if (peer_is_done && stream_ && has_turn_ && !peer_ended_) (void)connection_.resume(*stream_);
  if (peer_is_done && peer_ended_ && our_end_ != OurEnd::open) {
    print_conclusion();
    return {};
  }
  if (peer_is_done && !stream_)
    return fail(ErrorKind::network, fmt::format("{} closed the connection without opening a stream", peer()));
  return std::unexpected(describe(info));
}

bool PipeSession::draining() const { return has_turn_ && !streams_.output.drained() && !streams_.output.error(); }

Progress PipeSession::progress() const {
  const std::uint64_t sent = gone_ ? 0 : connection_.stats().stream_bytes_acknowledged;
  // How much there will be is known only of a file that we send, to a peer that sends nothing.
  const auto size = streams_.input.file_bytes();
  const bool only_sending = size && bytes_received_ == 0 && has_turn_ && !environment_.options.no_stdin;
  return {.done = sent + bytes_received_, .total = only_sending ? *size : 0};
}

Result<void> PipeSession::after_drain(Result<void> result) {
  if (result && streams_.output.error()) return std::unexpected(*streams_.output.error());
  return result;
}

}  // namespace mxp::tools
