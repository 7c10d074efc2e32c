// The schema of trace events: one small struct for each fact, emitted by one line where it happens. Counters, key
// logs, qlog and tests subscribe to them. Events that carry views are valid during the call only.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "mxp/address.h"
#include "mxp/blocked.h"
#include "mxp/bytes.h"
#include "mxp/drain.h"
#include "mxp/ecn.h"
#include "mxp/error.h"
#include "mxp/ids.h"
#include "mxp/message.h"
#include "mxp/stats.h"
#include "mxp/time.h"

#pragma GCC visibility push(default)
namespace mxp {

enum class LossReason : std::uint8_t { reordering, time };  // RFC 9002 §6.1.1, §6.1.2

struct TracePacketSent {
  PacketNumber number;
  std::uint64_t size_bytes;
  bool ack_eliciting;
  bool probe;  // answers a probe timeout; a probe for the datagram size is none
};
struct TracePacketReceived {
  PacketNumber number;
  std::uint64_t size_bytes;
};
struct TracePacketLost {
  PacketNumber number;
  std::uint64_t size_bytes;
  LossReason reason;
};
struct TracePacketDropped {
  DropReason reason;
  std::uint64_t size_bytes;
};
// Message 1 of a client or message 2 of a server. A refusal makes no connection: the event's connection id is all zero.
struct TraceHandshakeSent {
  std::uint8_t message;
  bool retransmission;  // message 2: the message 1 that it answers was answered before
};
// Both traffic secrets of a key phase: told once for each phase that the connection uses, before the event of the first
// packet in it. For key logs. Static keys are never told.
struct TraceSecrets {
  ConnectionId client_id;
  ConnectionId server_id;
  std::uint32_t phase;  // from 0; the lowest bit is the key phase bit of the packets
  ByteView client_to_server;
  ByteView server_to_client;
};
// The keys of one direction (what we send, or what we receive) turned to the next phase.
struct TraceKeyUpdated {
  enum class KeySide : std::uint8_t { sending, receiving };
  enum class Begun : std::uint8_t { by_us, by_peer };
  KeySide side;
  std::uint32_t phase;  // the new one
  Begun begun;
};
struct TraceEstablished {
  Duration handshake_time;
};
// What keeps the connection from sending more is something else from now on.
struct TraceBlocked {
  BlockedBy reason;
};
// The same for one class. Each begins with the handshake and goes on with `application`, of which nothing is told.
struct TraceClassBlocked {
  MessageClass traffic_class;
  BlockedBy reason;
};
// A stream that we sent on has ended in both directions, and is forgotten after this. Streams that are still open when
// the connection ends are not told.
struct TraceStreamEnded {
  StreamId stream;
  StreamStats stats;
};
struct TraceCongestion {
  std::uint64_t window_bytes;
  std::uint64_t in_flight_bytes;
  Duration smoothed_rtt;
};
struct TraceClosed {
  CloseInfo::By by;
  bool application;
  std::uint64_t code;
};
// Full datagrams have another size from now on: a larger one was found to pass, the path has come to swallow this one,
// or the congestion window allows no other. A connection begins with 1200 bytes.
struct TraceDatagramSize {
  std::uint64_t size_bytes;  // UDP payload
};
// What is known of ECN marks on the path in use has changed. Nothing is told where marks are not wanted.
struct TraceEcn {
  EcnState state;
};

struct TracePathChanged {  // where packets go from now on, and the address of ours that they leave from
  SocketAddress remote;
  SocketAddress local;  // default-constructed: the system chooses it, or the carrier cannot tell
};

// An ACK told when packets arrived: ConnectionStats::forward_queue_delay, as it is now.
struct TraceForwardDelay {
  Duration queue;
};

// Datagrams of the application (mxp/datagram.h) that did not arrive, as far as we know: so many since the last such
// event.
struct TraceDatagrams {
  std::uint64_t lost;
  std::uint64_t expired;
  std::uint64_t dropped;
  std::uint64_t too_large;
};

// A side has come further on the way to an end in order (mxp/drain.h): this side, or the peer as it has just told.
struct TraceDrain {
  enum class Side : std::uint8_t { here, peer };
  Side side;
  DrainStage stage;
};

// -- Decisions of the scheduler. They are told to sinks that want them (TraceSink::wants_decisions).

// Of what waited, this went into the packet next. A packet may hold several such pieces; frames of control (credit,
// limits) come before all of them and are not told.
struct TraceScheduled {
  enum class Source : std::uint8_t { messages, streams, datagrams };
  enum class Because : std::uint8_t {
    alone,     // no other class had anything to send
    preempts,  // the critical class is ahead of its share, and may be (SchedulerConfig::critical_burst)
    share,     // the class is the one that is furthest behind its share (SchedulerConfig::class_weights)
    probe      // a loss probe asks for something new
  };
  PacketNumber packet;
  MessageClass traffic_class;
  Source source;  // within a class, the one that has sent least while more than one had something
  Because because;
  bool lost_first;      // it begins with what was lost, or is repeated in case it was
  std::uint64_t bytes;  // of frames
};
// What waits does not fill a packet and is held back for company until then, or until something comes that takes it
// along (SchedulerConfig::coalescing_delay, Connection::cork).
struct TraceHeldBack {
  Timestamp until;
  bool corked;
};
// Messages of ours that expired or were cancelled, sent or not: so many since the last such event.
struct TraceMessagesExpired {
  std::uint64_t count;
};
// A critical frame goes once more before it can be known to be lost (SchedulerConfig::tail_repair).
struct TraceTailRepair {
  enum class Of : std::uint8_t { messages, message_part, stream };
  Of of;
  std::uint64_t name;   // the first message's sequence number; the message's; the stream's id
  std::uint64_t first;  // of a part or of a stream: the offset of the first byte; else 0
  std::uint64_t count;  // messages; bytes of a part or of a stream
};

using TraceEvent = std::variant<TracePacketSent, TracePacketReceived, TracePacketLost, TracePacketDropped,
                                TraceHandshakeSent, TraceSecrets, TraceKeyUpdated, TraceEstablished, TraceBlocked,
                                TraceCongestion, TraceClosed, TraceDatagramSize, TraceEcn, TracePathChanged,
                                TraceForwardDelay, TraceDatagrams, TraceDrain, TraceClassBlocked, TraceStreamEnded,
                                TraceScheduled, TraceHeldBack, TraceMessagesExpired, TraceTailRepair>;

// Called on the endpoint's thread, in the middle of its work: a sink must call neither the endpoint nor a connection,
// and must not throw.
class TraceSink {
 public:
  virtual ~TraceSink() = default;
  // `connection` is the local connection id; all zero for what belongs to no connection.
  virtual void on(Timestamp now, ConnectionId connection, const TraceEvent& event) = 0;
  // Whether the scheduler's decisions are told too, which are some events for each packet. Asked at the beginning of
  // each connection.
  virtual bool wants_decisions() const { return false; }
};

}  // namespace mxp
#pragma GCC visibility pop
