#include "mxp-cat/streams_session.h"

#include <fmt/format.h>

#include <algorithm>

namespace mxp::tools {
namespace {

// What a side may hold of one frame for each stream, in either direction.
constexpr std::size_t kMaxFrameBytes = 128u << 10;  // stdout takes it whole

}  // namespace

StreamsSession::Lane::Lane(StreamId stream, Framing framing) : id(stream), arrived(framing, kMaxFrameBytes) {}

StreamsSession::StreamsSession(const SessionEnvironment& environment, Connection& connection, StandardStreams& streams)
    : FramedSession(environment, connection, &streams, "frame", kMaxFrameBytes) {}

// --- the streams

void StreamsSession::on_connected() {
  if (connection_.role() != Role::client) return;
  while (lanes_.size() < environment_.options.streams) {
    const auto id = open_stream();
    if (!id) return;
    add_lane(*id);
  }
  if (streams_->ask_for_turn(*this)) take_turn();
}

void StreamsSession::on_stream_opened(StreamId id) {
  environment_.reporter.stream_opened(connection_, id, Side::peer);
  const bool expected = connection_.role() == Role::server && id.type() == StreamType::bidirectional;
  if (!expected || lanes_.size() == environment_.options.streams) return refuse_stream(id, AppCode::unexpected_stream);
  add_lane(id);
  if (lanes_.size() == 1 && streams_->ask_for_turn(*this)) return take_turn();
  if (has_turn_ && !input_ended_) read_input();  // one more that has room
}

void StreamsSession::add_lane(StreamId id) {
  if (const auto& priority = environment_.options.priority)
    (void)connection_.set_priority(id, {.traffic_class = *priority});
  lanes_.emplace_back(id, environment_.options.framing);
}

StreamsSession::Lane* StreamsSession::find(StreamId id) {
  const auto found = std::ranges::find(lanes_, id, &Lane::id);
  return found == lanes_.end() ? nullptr : &*found;
}

void StreamsSession::take_turn() {
  begin_turn();
  for (const Lane& lane : lanes_) (void)connection_.resume(lane.id);
  if (ended()) return;
  if (environment_.options.no_stdin) input_ended_ = true;
  if (input_ended_) check_done();
  else read_input();
}

// --- stdin to the streams

FramedSession::Sent StreamsSession::send_frame(ByteView payload, std::uint64_t) {
  for (std::size_t tried = 0; tried < lanes_.size(); ++tried) {
    Lane& lane = lanes_[next_];
    next_ = (next_ + 1) % lanes_.size();
    if (!lane.unwritten.empty() || lane.our_end_sent) continue;
    append_framed(environment_.options.framing, payload, lane.unwritten);
    bytes_sent_ += payload.size();
    (void)write(lane);
    return Sent::yes;
  }
  return Sent::no_room;  // on_stream_writable goes on
}

bool StreamsSession::write(Lane& lane) {
  if (lane.unwritten.empty()) return true;
  const auto taken = connection_.write(lane.id, lane.unwritten);
  if (!taken) return false;  // reset or closed: the event that says so decides
  lane.unwritten.erase(lane.unwritten.begin(), lane.unwritten.begin() + static_cast<std::ptrdiff_t>(*taken));
  return lane.unwritten.empty();
}

void StreamsSession::on_stream_writable(StreamId id) {
  Lane* lane = find(id);
  if (lane == nullptr || ended() || !write(*lane)) return;
  if (input_ended_) check_done();
  else if (has_turn_) read_input();
}

// --- the streams to stdout

std::size_t StreamsSession::on_stream_data(StreamId id, ByteView data, bool fin) {
  Lane* lane = find(id);
  if (lane == nullptr || ended()) return data.size();
  if (!data.empty() && (!has_turn_ || lane->held_up)) return 0;  // an end alone is told only once
  bytes_received_ += data.size();
  lane->arrived.add(data);
  if (fin && !lane->peer_ended) {
    lane->peer_ended = true;
    lane->arrived.on_end();
    environment_.reporter.fin(connection_, id, Side::peer);
  }
  print(*lane);
  check_done();
  return data.size();
}

void StreamsSession::print(Lane& lane) {
  lane.held_up = false;
  for (;;) {
    const FrameCutter::Cut cut = lane.arrived.front();
    if (cut.kind == FrameCutter::Cut::Kind::nothing) break;
    if (cut.kind == FrameCutter::Cut::Kind::too_large)
      return refuse_frame(fmt::format("a frame of {} bytes, and {} is the most", cut.size, kMaxFrameBytes));
    framed_.clear();
    append_framed(environment_.options.framing, cut.payload, framed_);
    if (!streams_->output.take_whole(framed_)) {
      if (streams_->output.error()) return fail_output();
      lane.held_up = true;  // on_output_room goes on
      return;
    }
    lane.arrived.take();
  }
  if (lane.arrived.is_cut_short()) refuse_frame("a frame that ends before its length");
}

void StreamsSession::refuse_frame(const std::string& what) {
  end(AppCode::failed, "a frame that is not one",
      fail(ErrorKind::network, fmt::format("{} sent {}: do both sides have the same --frame?", peer(), what)));
}

void StreamsSession::on_output_room() {
  for (Lane& lane : lanes_) {
    if (!lane.held_up || ended()) continue;
    print(lane);
    if (!lane.held_up && !lane.peer_ended) (void)connection_.resume(lane.id);
  }
  check_done();
}

// --- the end

void StreamsSession::check_done() {
  if (ended() || gone_ || !has_turn_) return;
  const bool client = connection_.role() == Role::client;
  if (input_ended_) {
    for (Lane& lane : lanes_) {
      if (lane.our_end_sent || !lane.unwritten.empty() || (!client && !is_printed(lane))) continue;
      lane.our_end_sent = true;
      finish_stream(lane.id);
    }
  }
  if (!all_ended()) return;
  if (!waiting_) wait_for_peer();
  waiting_ = true;
  if (client && std::ranges::all_of(lanes_, [this](const Lane& lane) { return is_printed(lane); }))
    say_goodbye(verdict());
}

bool StreamsSession::all_ended() const {
  return !lanes_.empty() && std::ranges::all_of(lanes_, [](const Lane& lane) { return lane.our_end_sent; });
}

void StreamsSession::on_goodbye() {
  if (all_ended()) end(AppCode::done, "done", verdict());
}

Result<void> StreamsSession::on_closed(const CloseInfo& info) {
  note_closed();
  if (outcome()) return *outcome();
  if (says_done(info) && lanes_.empty())
    return fail(ErrorKind::network, fmt::format("{} closed the connection without opening a stream", peer()));
  // The listener's ends were the last that there was to say.
  if (says_done(info) && all_ended()) return verdict();
  return std::unexpected(describe(info));
}

}  // namespace mxp::tools
