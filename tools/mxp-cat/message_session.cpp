#include "mxp-cat/message_session.h"

#include <fmt/format.h>

#include "common/counted.h"
#include "common/message_names.h"

namespace mxp::tools {

MessageSession::MessageSession(const SessionEnvironment& environment, Connection& connection, StandardStreams* streams)
    : FramedSession(environment, connection, streams, "message", kMaxMessagePayload) {}

// --- the stream that tells the end

void MessageSession::on_connected() {
  if (connection_.role() != Role::client) return;
  if (const auto id = open_stream()) start(*id);
}

void MessageSession::on_stream_opened(StreamId id) {
  environment_.reporter.stream_opened(connection_, id, Side::peer);
  const bool expected = !stream_ && connection_.role() == Role::server && id.type() == StreamType::bidirectional;
  if (!expected) return refuse_stream(id, AppCode::unexpected_stream);
  start(id);
}

void MessageSession::start(StreamId id) {
  stream_ = id;
  if (streams_ == nullptr || environment_.options.no_stdin) input_ended_ = true;
  if (streams_ == nullptr || streams_->ask_for_turn(*this)) take_turn();
}

void MessageSession::take_turn() {
  begin_turn();
  connection_.resume_messages();
  if (ended()) return;
  if (input_ended_) check_done();
  else read_input();
}

std::size_t MessageSession::on_stream_data(StreamId id, ByteView data, bool fin) {
  if (id != stream_ || ended()) return data.size();
  if (!data.empty()) {
    refuse_stream(id, AppCode::unexpected_stream);
    end(AppCode::unexpected_stream, "bytes where messages were expected",
        fail(ErrorKind::network, fmt::format("{} sends bytes on its stream: start both sides with --message", peer())));
    return data.size();
  }
  if (!fin || peer_ended_) return 0;
  peer_ended_ = true;
  environment_.reporter.fin(connection_, id, Side::peer);
  follow_peers_end();
  check_done();
  return 0;
}

// --- stdin to messages

MessageSession::Sent MessageSession::send_frame(ByteView payload, std::uint64_t number) {
  return send({.type = *environment_.options.message,
               .id = number,
               .trace_id = environment_.message_trace_id,
               .payload = payload});
}

MessageSession::Sent MessageSession::send(const Message& message) {
  // The lines of a pipe have an order.
  MessageOptions options{
      .traffic_class = environment_.options.priority, .report_outcome = true, .order = MessageOrder::in_class};
  auto ticket = connection_.send_message(message, options);
  if (!ticket && ticket.error() == SendMessageError::order_not_taken) {
    options.order = MessageOrder::any;
    ticket = connection_.send_message(message, options);
  }
  if (ticket) return ++sent_, Sent::yes;
  if (ticket.error() == SendMessageError::queue_full) return Sent::no_room;
  if (ticket.error() == SendMessageError::not_taken)
    end(AppCode::failed, "this side was started with --message",
        fail(ErrorKind::network, fmt::format("{} takes no messages: start both sides with --message", peer())));
  else if (ticket.error() == SendMessageError::too_large)
    stop_input({ErrorKind::usage, fmt::format("message {} has {} bytes, which is more than {} takes: nothing was sent "
                                              "from there on",
                                              message.id, message.payload.size(), peer())});
  else if (ticket.error() != SendMessageError::connection_closed)
    end(AppCode::failed, "a message could not be sent",
        fail(ErrorKind::network, fmt::format("{}: message {}: {}", peer(), message.id, to_string(ticket.error()))));
  return Sent::failed;  // of a connection that has ended, on_closed says why
}

void MessageSession::on_messages_writable() {
  if (streams_ == nullptr) return connection_.resume_messages();
  if (has_turn_ && !ended() && !input_ended_) read_input();
}

void MessageSession::on_message_outcome(MessageOutcome outcome) {
  ++settled_;
  if (outcome != MessageOutcome::delivered) ++not_delivered_;
  if (!gone_) check_done();
}

// --- messages to stdout

bool MessageSession::on_message(const Message& message) {
  if (ended()) return true;
  if (streams_ == nullptr) return echo(message);
  if (!has_turn_) return false;
  framed_.clear();
  append_framed(environment_.options.framing, message.payload, framed_);
  if (!streams_->output.take_whole(framed_)) {
    if (!streams_->output.error()) return false;  // on_output_room asks for it again
    fail_output();
    return true;
  }
  environment_.output.verbose(
      fmt::format("{} {}, {} bytes{}", name_of(message.type), message.id, message.payload.size(),
                  message.trace_id == 0 ? "" : fmt::format(", trace {:016x}", message.trace_id)));
  return true;
}

bool MessageSession::echo(const Message& message) {
  Message answer = message;
  if (message.type == MessageType::call) answer.type = MessageType::response;
  return send(answer) != Sent::no_room;  // on_messages_writable asks for it again
}

void MessageSession::on_output_room() {
  // What is taken now is written in a later turn of the loop, which leads here again.
  connection_.resume_messages();
  check_done();
}

// --- the end

void MessageSession::check_done() {
  if (ended() || gone_ || !stream_ || !has_turn_) return;
  const bool client = connection_.role() == Role::client;
  if (input_ended_ && settled_ == sent_ && !our_end_sent_ && (client || is_all_written())) end_our_side();
  if (client && our_end_sent_ && is_all_written()) say_goodbye(verdict());
}

// All that the peer sent: what came, and what the connection keeps because there was no room or no turn.
bool MessageSession::is_all_written() const {
  return peer_ended_ && (streams_ == nullptr || streams_->output.drained()) && connection_.stats().messages_kept == 0;
}

void MessageSession::end_our_side() {
  our_end_sent_ = true;
  finish_stream(*stream_);
  wait_for_peer();
}

void MessageSession::on_goodbye() {
  if (our_end_sent_) end(AppCode::done, "done", verdict());
}

Result<void> MessageSession::on_closed(const CloseInfo& info) {
  note_closed();
  Result<void> result = outcome() ? *outcome() : std::unexpected(describe(info));
  // The listener's end was the last that there was to say.
  if (!outcome() && says_done(info) && our_end_sent_ && peer_ended_) result = verdict();
  if (result || not_delivered_ == 0) return result;
  ToolError error = result.error();
  error.message += fmt::format("; {} of {} not known to be delivered", not_delivered_, counted(sent_, "message"));
  return std::unexpected(std::move(error));
}

}  // namespace mxp::tools
