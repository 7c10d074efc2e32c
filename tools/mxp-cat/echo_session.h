// Sends back what comes, on every stream of the connection. Nothing is kept here: what the way back does not take now
// stays in the connection, and holds the peer back by its flow control.
#pragma once

#include <set>

#include "mxp-cat/session.h"

namespace mxp::tools {

class EchoSession : public Session {
 public:
  using Session::Session;

  void on_stream_opened(StreamId id) override;
  std::size_t on_stream_data(StreamId id, ByteView data, bool fin) override;
  void on_stream_reset(StreamId id, AppErrorCode code) override;
  void on_stop_sending(StreamId id, AppErrorCode code) override;
  void on_stream_writable(StreamId id) override;
  bool expects_goodbye() const override { return true; }
  void on_goodbye() override;
  // The peer decides when it has enough: its goodbye, or its close with code 0, is success.
  Result<void> on_closed(const CloseInfo& info) override;

 private:
  std::set<StreamId> active_;  // two-way ones whose echo has not been ended
};

}  // namespace mxp::tools
