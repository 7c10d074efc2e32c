// One stream: its two halves, the control frames that are due for it, and its places in the lists of the connection.
// The object is recycled from stream to stream.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cursor.h"
#include "core/sent_frame.h"
#include "mxp/ids.h"
#include "mxp/priority.h"
#include "scheduler/blocked_time.h"
#include "scheduler/intrusive_list.h"
#include "scheduler/receive_stream.h"
#include "scheduler/send_stream.h"
#include "scheduler/sent_frame_sink.h"

namespace mxp {

struct Stream {
  // Control frames that wait to be sent.
  enum Control : std::uint8_t { kResetStream = 1, kStopSending = 2, kMaxStreamData = 4, kStreamDataBlocked = 8 };

  StreamId id;
  StreamPriority priority;
  std::uint8_t control = 0;      // a set of Control
  bool starved = false;          // one of those that wait for MAX_STREAM_DATA
  std::size_t quantum_left = 0;  // bytes of new data until the next stream has its turn
  bool served = false;           // has sent something since the last run of packets
  bool changed = false;          // is in the list of those that have changed since then (held_streams.h)
  ListLink<Stream> control_link, urgent_link, ready_link, finished_link, resumed_link, held_link;
  FollowingBlockedTime held;  // of the sending side
  SendStream send;
  ReceiveStream receive;

  bool done() const { return send.done() && receive.done(); }

  // Writes the control frames that are due, as far as they fit.
  void write_control(Writer& out, SentFrameSink sent);
  // Which control frame is to be sent again because this one was lost: a set of Control, empty if what it said has
  // become wrong or has been said anew.
  std::uint8_t control_to_repeat(const SentFrame& lost) const;
};

using ControlList = IntrusiveList<Stream, &Stream::control_link>;
using UrgentList = IntrusiveList<Stream, &Stream::urgent_link>;
using ReadyList = IntrusiveList<Stream, &Stream::ready_link>;
using ResumedList = IntrusiveList<Stream, &Stream::resumed_link>;
using HeldList = IntrusiveList<Stream, &Stream::held_link>;
using FinishedList = IntrusiveList<Stream, &Stream::finished_link>;

}  // namespace mxp
