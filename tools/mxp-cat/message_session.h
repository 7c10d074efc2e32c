// stdin to messages, messages to stdout; or, with --echo, each message of the peer back to it.
//
// Messages have no end of their own, so a stream tells it: the client opens one, no bytes go over it, and the ends of
// its two directions mean
//
//   the client's    its stdin has ended, and what became of each of its messages is known
//   the listener's  the same, and the client's end was seen, and all that came is written out: nothing is left to say
//   goodbye         the client has seen that and has written everything out: the listener closes
//
// A message that stdout has no room for is not taken, and the connection keeps it. The order of the three sees to it
// that nobody closes before such messages are taken.
#pragma once

#include <cstdint>
#include <vector>

#include "mxp-cat/framed_session.h"

namespace mxp::tools {

class MessageSession : public FramedSession {
 public:
  // `streams`: null with --echo.
  MessageSession(const SessionEnvironment& environment, Connection& connection, StandardStreams* streams);

  void on_connected() override;
  void on_stream_opened(StreamId id) override;
  std::size_t on_stream_data(StreamId id, ByteView data, bool fin) override;
  bool on_message(const Message& message) override;
  void on_message_outcome(MessageOutcome outcome) override;
  void on_messages_writable() override;
  bool expects_goodbye() const override { return peer_ended_ && connection_.role() == Role::server; }
  void on_goodbye() override;
  Result<void> on_closed(const CloseInfo& info) override;
  void take_turn() override;

 private:
  void start(StreamId id);
  Sent send_frame(ByteView payload, std::uint64_t number) override;
  Sent send(const Message& message);
  void on_input_ended() override { check_done(); }

  bool echo(const Message& message);
  std::string_view awaited() const override { return "end"; }
  void on_output_room() override;

  void check_done();
  bool is_all_written() const;
  void end_our_side();

  bool our_end_sent_ = false;
  bool peer_ended_ = false;
  std::uint64_t sent_ = 0;
  std::uint64_t settled_ = 0;
  std::uint64_t not_delivered_ = 0;
  std::vector<std::uint8_t> framed_;
};

}  // namespace mxp::tools
