// Passes the events of streams, messages, calls and datagrams on to the application and adds which connection they
// belong to. After the application has closed the connection, it hears no more of them, but for what became of its
// messages and calls, even if it closed from inside an event that others were to follow: it may have freed what the
// events are about. Received bytes wait, as if they had not been taken, until the application asks for them.
//
// Streams count the events that they tell by themselves (StreamEvents::enter); all others are counted here.
#pragma once

#include "connection/call_events.h"
#include "mxp/handler.h"
#include "scheduler/datagram_events.h"
#include "scheduler/message_events.h"
#include "scheduler/stream_events.h"

namespace mxp {

class EventBridge final : public StreamEvents, public MessageEvents, public CallEvents, public DatagramEvents {
 public:
  EventBridge(Connection& connection, Handler& handler) : connection_(connection), handler_(handler) {}

  void mute() { muted_ = data_muted_ = true; }
  void unmute_data() { data_muted_ = false; }

  std::size_t on_stream_data(StreamId id, ByteView data, bool fin) override {
    return data_muted_ ? 0 : handler_.on_stream_data(connection_, id, data, fin);
  }
  void on_stream_opened(StreamId id) override {
    if (!muted_) handler_.on_stream_opened(connection_, id);
  }
  void on_stream_reset(StreamId id, AppErrorCode code) override {
    if (!muted_) handler_.on_stream_reset(connection_, id, code);
  }
  void on_stop_sending(StreamId id, AppErrorCode code) override {
    if (!muted_) handler_.on_stop_sending(connection_, id, code);
  }
  void on_stream_writable(StreamId id) override {
    if (!muted_) handler_.on_stream_writable(connection_, id);
  }
  void on_stream_finished(StreamId id) override {
    if (!muted_) handler_.on_stream_finished(connection_, id);
  }
  void on_streams_available(StreamType type) override {
    if (!muted_) handler_.on_streams_available(connection_, type);
  }
  bool on_message(const Message& message) override {
    const EventScope scope = enter();
    return !muted_ && handler_.on_message(connection_, message);
  }
  void on_messages_expired(std::uint64_t count) override {
    const EventScope scope = enter();
    if (!muted_) handler_.on_messages_expired(connection_, count);
  }
  // What became of a message that was sent is told also after close(): nobody else will.
  void on_message_outcome(MessageTicket ticket, MessageOutcome outcome) override {
    const EventScope scope = enter();
    handler_.on_message_outcome(connection_, ticket, outcome);
  }
  void on_messages_writable(MessageClass traffic_class) override {
    const EventScope scope = enter();
    if (!muted_) handler_.on_messages_writable(connection_, traffic_class);
  }
  // What became of a call is told also after close(), for the same reason.
  void on_answer(const CallAnswer& answer) override {
    const EventScope scope = enter();
    handler_.on_answer(connection_, answer);
  }
  void on_call(const IncomingCall& call) override {
    const EventScope scope = enter();
    if (!muted_) handler_.on_call(connection_, call);
  }
  void on_call_cancelled(IncomingCallId id, CallEnd end) override {
    const EventScope scope = enter();
    if (!muted_) handler_.on_call_cancelled(connection_, id, end);
  }

  void on_datagram(ByteView data) {
    const EventScope scope = enter();
    if (!muted_) handler_.on_datagram(connection_, data);
  }
  void on_datagram_outcome(std::uint64_t cookie, DatagramOutcome outcome) override {
    const EventScope scope = enter();
    if (!muted_) handler_.on_datagram_outcome(connection_, cookie, outcome);
  }
  void on_datagrams_writable() override {
    const EventScope scope = enter();
    if (!muted_) handler_.on_datagrams_writable(connection_);
  }

  void on_drain(Duration time_left) {
    const EventScope scope = enter();
    if (!muted_) handler_.on_drain(connection_, time_left);
  }
  bool on_drained() {
    const EventScope scope = enter();
    return !muted_ && handler_.on_drained(connection_);
  }

 private:
  Connection& connection_;
  Handler& handler_;
  bool muted_ = false;
  bool data_muted_ = false;
};

}  // namespace mxp
