// Forwards what the streams have to say to the application, with the connection's name on it.
#pragma once

#include "mxp/handler.h"
#include "scheduler/stream_events.h"

namespace mxp {

class EventBridge final : public StreamEvents {
 public:
  EventBridge(Connection& connection, Handler& handler) : connection_(connection), handler_(handler) {}

  std::size_t on_stream_data(StreamId id, ByteView data, bool fin) override {
    return handler_.on_stream_data(connection_, id, data, fin);
  }
  void on_stream_opened(StreamId id) override { handler_.on_stream_opened(connection_, id); }
  void on_stream_reset(StreamId id, AppErrorCode code) override { handler_.on_stream_reset(connection_, id, code); }
  void on_stop_sending(StreamId id, AppErrorCode code) override { handler_.on_stop_sending(connection_, id, code); }
  void on_stream_writable(StreamId id) override { handler_.on_stream_writable(connection_, id); }
  void on_stream_finished(StreamId id) override { handler_.on_stream_finished(connection_, id); }
  void on_streams_available(StreamType type) override { handler_.on_streams_available(connection_, type); }

 private:
  Connection& connection_;
  Handler& handler_;
};

}  // namespace mxp
