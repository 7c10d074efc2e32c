// What the streams of a connection have to tell. The connection implements this and hands each call on to the
// application, which may call any verb of Streams from inside, on the same stream too.
#pragma once

#include <cstddef>

#include "mxp/bytes.h"
#include "mxp/error.h"
#include "mxp/ids.h"
#include "scheduler/event_scope.h"

namespace mxp {

class StreamEvents {
 public:
  virtual ~StreamEvents() = default;

  // Whoever tells the application of anything does so within such a scope, of streams or not: then bytes that it asks
  // for from inside come at once, and nothing that it may be looking at goes away.
  EventScope enter() { return EventScope(depth_); }
  bool is_telling() const { return depth_ != 0; }

  // In-order bytes, valid during the call only. Returns how many were taken. With `fin` they end the stream, and then
  // there may be none. The end counts as told when all of the bytes were taken.
  virtual std::size_t on_stream_data(StreamId stream, ByteView data, bool fin) = 0;
  // The first frame of a stream that the peer opened has come. Streams with lower ids, which this frame opens as well,
  // are told of when their own first frame comes.
  virtual void on_stream_opened(StreamId stream) = 0;
  // Not called after stop_sending: the application has turned away by then.
  virtual void on_stream_reset(StreamId stream, AppErrorCode code) = 0;
  // Our side of the stream was reset with the peer's code.
  virtual void on_stop_sending(StreamId stream, AppErrorCode code) = 0;
  virtual void on_stream_writable(StreamId stream) = 0;
  virtual void on_stream_finished(StreamId stream) = 0;
  virtual void on_streams_available(StreamType type) = 0;

 private:
  unsigned depth_ = 0;  // events being told now
};

}  // namespace mxp
