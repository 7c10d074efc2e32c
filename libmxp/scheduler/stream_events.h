// What the streams of a connection have to tell. The connection implements it and hands each call on to the
// application, which may call any verb of Streams from inside, on the same stream too.
#pragma once

#include <cstddef>

#include "mxp/bytes.h"
#include "mxp/error.h"
#include "mxp/ids.h"

namespace mxp {

class StreamEvents {
 public:
  virtual ~StreamEvents() = default;

  // In-order bytes, valid during the call only; returns how many were taken. With `fin` they end the stream (they may
  // be none then); the end counts as told when all of them were taken.
  virtual std::size_t on_stream_data(StreamId stream, ByteView data, bool fin) = 0;
  // The first frame of a stream that the peer opened. Streams with lower ids, which this frame opens as well, are told
  // when their own first frame comes.
  virtual void on_stream_opened(StreamId stream) = 0;
  // Not told after stop_sending: then the application has already turned away.
  virtual void on_stream_reset(StreamId stream, AppErrorCode code) = 0;
  // Our side was reset with the peer's code.
  virtual void on_stop_sending(StreamId stream, AppErrorCode code) = 0;
  virtual void on_stream_writable(StreamId stream) = 0;
  virtual void on_stream_finished(StreamId stream) = 0;
  virtual void on_streams_available(StreamType type) = 0;
};

}  // namespace mxp
