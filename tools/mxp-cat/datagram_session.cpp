#include "mxp-cat/datagram_session.h"

#include <fmt/format.h>

#include "common/counted.h"

namespace mxp::tools {

DatagramSession::DatagramSession(const SessionEnvironment& environment, Connection& connection,
                                 StandardStreams& streams)
    : FramedSession(environment, connection, &streams, "datagram", kMaxUdpPayload) {}

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
  follow_peers_end();
  check_done();
  return 0;
}

// --- stdin to datagrams

DatagramSession::Sent DatagramSession::send_frame(ByteView payload, std::uint64_t number) {
  const auto taken = connection_.send_datagram(payload, {.cookie = number});
  if (taken) {
    ++sent_;
    bytes_sent_ += payload.size();
    return Sent::yes;
  }
  if (taken.error().kind == DatagramError::Kind::queue_full) return Sent::no_room;
  return Sent::failed;  // the connection has ended: on_closed says why
}

void DatagramSession::on_datagrams_writable() {
  if (!has_turn_ || ended()) return;
  if (!input_ended_) read_input();
}

void DatagramSession::on_datagram_outcome(DatagramOutcome) {
  ++settled_;
  end_if_all_settled();
}

void DatagramSession::end_if_all_settled() {
  if (!input_ended_ || settled_ < sent_ || our_end_ != OurEnd::open || ended()) return;
  our_end_ = OurEnd::sent;
  finish_stream(*stream_);
  wait_for_peer();
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
  if (connection_.role() == Role::client) say_goodbye(verdict());
  else end(AppCode::done, "done", verdict());
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
  if (says_done(info) && peer_ended_ && our_end_ != OurEnd::open) return verdict();
  return std::unexpected(describe(info));
}

}  // namespace mxp::tools
