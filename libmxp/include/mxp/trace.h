// The schema of trace events: one small struct for each fact, emitted by one line where it happens. Counters, key
// logs, qlog and tests subscribe to them. Events that carry views are valid during the call only.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "mxp/address.h"
#include "mxp/blocked.h"
#include "mxp/bytes.h"
#include "mxp/drain.h"
#include "mxp/ecn.h"
#include "mxp/error.h"
#include "mxp/ids.h"
#include "mxp/keys.h"
#include "mxp/message.h"
#include "mxp/stats.h"
#include "mxp/time.h"

#pragma GCC visibility push(default)
namespace mxp {

enum class LossReason : std::uint8_t { reordering, time };  // RFC 9002 §6.1.1, §6.1.2

// The frames of docs/protocol.md §4.
enum class TraceFrameKind : std::uint8_t {
  padding,
  ping,
  ack,
  stream,
  reset_stream,
  stop_sending,
  max_data,
  max_stream_data,
  max_streams_bidi,
  max_streams_uni,
  data_blocked,
  stream_data_blocked,
  streams_blocked_bidi,
  streams_blocked_uni,
  ack_frequency,
  immediate_ack,
  new_connection_id,
  retire_connection_id,
  path_challenge,
  path_response,
  datagram,
  message,
  message_part,
  expired,
  max_messages,
  messages_blocked,
  drain,
  close
};
inline constexpr std::size_t kTraceFrameKinds = static_cast<std::size_t>(TraceFrameKind::close) + 1;
std::string_view to_string(TraceFrameKind kind);  // "stream", "reset_stream": the name of the enumerator

// A frame in brief. What its kind does not have is 0.
struct TraceFrame {
  TraceFrameKind kind = TraceFrameKind::padding;
  bool fin = false;
  // The stream's id; of messages the first one's sequence.
  std::uint64_t subject = 0;
  // Offset of data; a limit; a sequence of connection ids or requests; the code of a close; of ACK the largest number.
  std::uint64_t value = 0;
  // Bytes of data; of `message` and `expired`, how many messages follow each other where a packet of ours holds them,
  // and the bytes of the one message where a packet of the peer does.
  std::uint64_t length = 0;
};
struct TraceAckRange {  // both included
  PacketNumber first;
  PacketNumber last;
};
// What a packet holds, in the packet's order. Empty unless the sink wants it (TraceSink::wants_frames).
struct TraceFrames {
  std::span<const TraceFrame> list = {};
  std::span<const TraceAckRange> acknowledged = {};  // of its ACK, from the highest
  bool cut = false;                                  // there are more frames, or more ranges, than are told
};
// Of each packet that the sinks are told.
inline constexpr std::size_t kMaxTraceFrames = 32;
inline constexpr std::size_t kMaxTraceAckRanges = 16;

struct TracePacketSent {
  PacketNumber number;
  std::uint64_t size_bytes;
  bool ack_eliciting;
  bool probe;  // answers a probe timeout; a probe for the datagram size is none
  TraceFrames frames = {};
};
struct TracePacketReceived {
  PacketNumber number;
  std::uint64_t size_bytes;
  TraceFrames frames = {};  // up to the first that is malformed
};
struct TracePacketLost {
  PacketNumber number;
  std::uint64_t size_bytes;
  LossReason reason;
};
struct TracePacketDropped {
  DropReason reason;
  std::uint64_t size_bytes;
  SocketAddress remote = {};  // the source that it claims
};

// -- The life of a connection: started, perhaps under another id, parameters, established, closed, forgotten.

// The first event of each connection.
struct TraceStarted {
  Role role;
  SocketAddress remote;
  SocketAddress local;  // default-constructed: not known
  PublicKey peer;       // client: the key that is dialled; server: the client's, which the handshake has verified
};
// A client's attempt with another suite was answered, and with it the connection has another id: that of this event,
// and of all that follow.
struct TraceIdChanged {
  ConnectionId former;
};
// What a side has announced for the connection; both are told, ours first. The fields are those of docs/protocol.md
// §2.2.
struct TraceParameters {
  enum class Side : std::uint8_t { ours, peer };
  Side side;
  Suite suite;  // of the connection
  Duration max_idle_timeout;
  Duration max_ack_delay;
  std::uint64_t max_udp_payload;
  std::uint64_t initial_max_data;
  std::uint64_t initial_max_stream_data_bidi_local;
  std::uint64_t initial_max_stream_data_bidi_remote;
  std::uint64_t initial_max_stream_data_uni;
  std::uint64_t initial_max_streams_bidi;
  std::uint64_t initial_max_streams_uni;
  std::uint64_t active_connection_id_limit;
  std::uint64_t max_datagram_payload;
  std::uint64_t initial_max_messages;
};
// The connection is gone, and its id may be used again. Its last event.
struct TraceForgotten {};

// A server has decided about a client whose key the handshake verified. All other clients are dropped, which
// TracePacketDropped tells with the reason; it makes no connection either where it refuses, and the event's connection
// id is all zero then.
struct TraceAdmission {
  bool accepted;
  TransportErrorCode refusal;  // no_error where it accepts
  PublicKey client;
  SocketAddress remote;
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
// So many streams were opened: one by us, or by the peer as many as one packet did.
struct TraceStreamsOpened {
  bool by_peer;
  std::uint64_t count;
  StreamId stream;  // ours; where the peer opened them, default-constructed
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
  Duration latest_rtt = {};  // these three are 0 before the first measurement
  Duration min_rtt = {};
  Duration rtt_variation = {};
};
struct TraceClosed {
  CloseInfo::By by;
  bool application;
  std::uint64_t code;
  std::uint64_t frame_type = 0;     // CloseInfo::frame_type
  bool before_established = false;  // CloseInfo::before_established
  std::string_view reason = {};     // CloseInfo::reason: the peer's is escaped, ours is as the application gave it
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

// A datagram as it came or goes, before anything is done to it or after. Told in builds with MXP_DEBUG_TOOLS alone, and
// of no connection.
struct TraceDatagram {
  enum class Way : std::uint8_t { received, sent };
  Way way;
  SocketAddress remote;
  SocketAddress local;  // default-constructed: not known
  ByteView bytes;
};

using TraceEvent =
    std::variant<TracePacketSent, TracePacketReceived, TracePacketLost, TracePacketDropped, TraceHandshakeSent,
                 TraceSecrets, TraceKeyUpdated, TraceEstablished, TraceBlocked, TraceCongestion, TraceClosed,
                 TraceDatagramSize, TraceEcn, TracePathChanged, TraceForwardDelay, TraceDatagrams, TraceDrain,
                 TraceClassBlocked, TraceStreamEnded, TraceScheduled, TraceHeldBack, TraceMessagesExpired,
                 TraceTailRepair, TraceStarted, TraceIdChanged, TraceParameters, TraceForgotten, TraceAdmission,
                 TraceStreamsOpened, TraceDatagram>;

// Whether only sinks that want decisions are told it.
inline bool is_decision(const TraceEvent& event) {
  return std::holds_alternative<TraceScheduled>(event) || std::holds_alternative<TraceHeldBack>(event) ||
         std::holds_alternative<TraceMessagesExpired>(event) || std::holds_alternative<TraceTailRepair>(event);
}

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
  // Whether packets are told with their frames, which costs the reading of each. Asked at the beginning of each
  // connection.
  virtual bool wants_frames() const { return false; }
};

}  // namespace mxp
#pragma GCC visibility pop
