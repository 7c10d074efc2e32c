#include "mxp-cat/datagram_session.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/counted.h"
#include "mxp-cat/frame_cutter.h"

namespace mxp::tools {
namespace {

constexpr std::size_t kChunkBytes = 64u << 10;
// Reads before the loop looks at the socket again.
constexpr int kReadsPerTurn = 16;

}  // namespace

DatagramSession::DatagramSession(const SessionEnvironment& environment, Connection& connection,
                                 StandardStreams& streams)
    : StandardSession(environment, connection, &streams) {}

// --- the stream that tells the end

void DatagramSession::on_connected() {
  if (connection_.max_datagram_size() == 0) {
    end(AppCode::failed, "this side was started with --datagram",
        fail(ErrorKind::network, fmt::format("{} takes no datagrams: start both sides with --datagram", peer())));
    return;
  }
  if (connection_.role() != Role::client) return;
  if (const auto id = open_stream()) start(*id);
}

void DatagramSession::on_stream_opened(StreamId id) {
  environment_.reporter.stream_opened(connection_, id, Side::peer);
  const bool expected = !stream_ && connection_.role() == Role::server && id.type() == StreamType::bidirectional;
  if (!expected) return refuse_stream(id, AppCode::unexpected_stream);
  start(id);
}

void DatagramSession::start(StreamId id) {
  stream_ = id;
  if (environment_.options.no_stdin) {
    input_ended_ = true;
    end_if_all_settled();
  }
  if (streams_->ask_for_turn(*this)) take_turn();
}

void DatagramSession::take_turn() {
  begin_turn();
  if (!ended()) read_input();
}

std::size_t DatagramSession::on_stream_data(StreamId id, ByteView data, bool fin) {
  if (id != stream_ || ended()) return data.size();
  if (!data.empty()) {
    refuse_stream(id, AppCode::unexpected_stream);
    end(AppCode::unexpected_stream, "bytes where datagrams were expected",
        fail(ErrorKind::network,
             fmt::format("{} sends bytes on its stream: start both sides with --datagram", peer())));
    return data.size();
  }
  if (!fin || peer_ended_) return 0;
  peer_ended_ = true;
  environment_.reporter.fin(connection_, id, Side::peer);
  if (!input_ended_ && has_turn_ && ends_with_peer()) {
    streams_->input.stop_after_arrived();
    read_input();
  }
  check_done();
  return 0;
}

// --- stdin to datagrams

void DatagramSession::read_input() {
  for (int reads = 0; reads < kReadsPerTurn; ++reads) {
    if (ended() || input_ended_) return unwatch_input();
    if (send_input() != Sent::all) return unwatch_input();  // on_datagrams_writable goes on
    const bool raw = environment_.options.framing == Framing::raw;
    const std::size_t kept = input_.size();
    input_.resize(kept + (raw ? connection_.max_datagram_size() : kChunkBytes));
    const StandardInput::ReadResult got = streams_->input.read(MutableBytes(input_).subspan(kept));
    input_.resize(kept + got.count);
    switch (got.kind) {
      case StandardInput::ReadResult::Kind::nothing_now: return watch_input();
      case StandardInput::ReadResult::Kind::bytes: break;
      case StandardInput::ReadResult::Kind::error: return fail_input(got.error);
      case StandardInput::ReadResult::Kind::end:
        input_ended_ = true;
        unwatch_input();
        if (send_input() == Sent::all) end_if_all_settled();
        return;
    }
  }
  // More is there: go on in the next turn, after the socket had its share.
  if (send_input() == Sent::all) watch_input();
  else unwatch_input();
}

DatagramSession::Sent DatagramSession::send_input() {
  const Framing framing = environment_.options.framing;
  std::size_t begin = 0;
  Sent sent = Sent::all;
  while (begin < input_.size() && sent == Sent::all) {
    const ByteView rest = ByteView(input_).subspan(begin);
    const std::uint8_t last = framing == Framing::nul ? 0 : '\n';
    const auto found = framing == Framing::raw ? rest.end() : std::find(rest.begin(), rest.end(), last);
    const bool whole = framing == Framing::raw || found != rest.end() || input_ended_;
    // A line without an end is not gathered beyond what could be sent.
    if (!whole && rest.size() <= connection_.max_datagram_size()) break;
    const auto size = static_cast<std::size_t>(found - rest.begin());
    sent = send_one(rest.first(size));
    if (sent == Sent::all) begin += std::min(size + (framing == Framing::raw ? 0 : 1), rest.size());
  }
  input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(begin));
  return sent;
}

DatagramSession::Sent DatagramSession::send_one(ByteView data) {
  const auto taken = connection_.send_datagram(data, {.cookie = sent_});
  if (taken) {
    ++sent_;
    bytes_sent_ += data.size();
    return Sent::all;
  }
  if (taken.error().kind == DatagramError::Kind::queue_full) return Sent::must_wait;
  if (taken.error().kind == DatagramError::Kind::too_large) {
    end(AppCode::input_failed, "a datagram was too large",
        fail(ErrorKind::usage,
             fmt::format("cannot send {} of stdin: it is {}. Make it shorter, or cut the input with --frame raw",
                         sent_ == 0 ? "the first datagram" : fmt::format("datagram {}", sent_ + 1),
                         to_string(taken.error()))));
  }
  return Sent::failed;
}

void DatagramSession::on_datagrams_writable() {
  if (!has_turn_ || ended()) return;
  if (!input_ended_) return read_input();
  if (send_input() == Sent::all) end_if_all_settled();
}

void DatagramSession::on_datagram_outcome(DatagramOutcome) {
  ++settled_;
  end_if_all_settled();
}

void DatagramSession::end_if_all_settled() {
  if (!input_ended_ || !input_.empty() || settled_ < sent_ || our_end_ != OurEnd::open || ended()) return;
  our_end_ = OurEnd::sent;
  finish_stream();
}

void DatagramSession::on_stream_finished(StreamId id) {
  if (id != stream_) return;
  our_end_ = OurEnd::acknowledged;
  check_done();
}

// --- datagrams to stdout

void DatagramSession::on_datagram(ByteView data) {
  if (ended()) return;
  bytes_received_ += data.size();
  line_.clear();
  append_framed(environment_.options.framing, data, line_);
  if (streams_->output.take_whole(line_)) return;
  if (streams_->output.error()) return fail_output();
  ++not_written_;
}

// --- the end

void DatagramSession::check_done() {
  if (ended() || our_end_ != OurEnd::acknowledged || !peer_ended_ || !streams_->output.drained()) return;
  if (connection_.role() == Role::client) say_goodbye({});
  else end(AppCode::done, "done", {});
}

void DatagramSession::on_goodbye() {
  // The client has our end, although its acknowledgement has not come through.
  if (our_end_ == OurEnd::sent) our_end_ = OurEnd::acknowledged;
  check_done();
}

Result<void> DatagramSession::on_closed(const CloseInfo& info) {
  note_closed();
  if (not_written_ > 0)
    environment_.output.warning(fmt::format("{} that arrived did not get to stdout, which was too slow",
                                            counted(not_written_, "datagram", "datagrams")));
  if (outcome()) return *outcome();
  if (says_done(info) && peer_ended_ && our_end_ != OurEnd::open) return {};
  return std::unexpected(describe(info));
}

}  // namespace mxp::tools
