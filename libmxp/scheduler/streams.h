// All streams of one connection: the verbs of the application, the frames that come in, and the frames that go out (RFC
// 9000 §2 to §4). It is a facade over parts with one job each: stream_table (which stream), stream_ids (which ids
// exist), stream (one stream, with send_stream and receive_stream for its directions), ready_streams (whose turn it
// is). What all streams may send together is the connection's (connection_credit.h), and when they may send beside
// other sources, the outbox's (outbox.h).
//
// Stream objects stay where they are until collect(), so that every verb may be called from inside every event.
// collect() itself must not be called from inside one. The object belongs to one thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>

#include "core/cursor.h"
#include "core/frames.h"
#include "core/sent_frame.h"
#include "core/transport_parameters.h"
#include "mxp/config.h"
#include "mxp/error.h"
#include "mxp/ids.h"
#include "mxp/stats.h"
#include "mxp/time.h"
#include "scheduler/connection_credit.h"
#include "scheduler/held_streams.h"
#include "scheduler/ready_streams.h"
#include "scheduler/sent_frame_sink.h"
#include "scheduler/stream.h"
#include "scheduler/stream_events.h"
#include "scheduler/stream_ids.h"
#include "scheduler/stream_table.h"

namespace mxp {

// Payload bytes of STREAM frames since the start; the same numbers as in ConnectionStats.
struct StreamCounters {
  std::uint64_t bytes_sent = 0;  // first transmissions only
  std::uint64_t bytes_retransmitted = 0;
  std::uint64_t bytes_delivered = 0;     // taken by the application
  std::uint64_t bytes_acknowledged = 0;  // each byte once
};

// What streams hold now. It is counted on demand, which takes time in proportion to the open streams.
struct StreamUsage {
  std::size_t open_local = 0;          // opened by us and not yet finished in both directions
  std::size_t open_remote = 0;         // opened by the peer, including those of which no frame was seen
  std::size_t objects = 0;             // stream objects in use
  std::uint64_t send_buffered = 0;     // bytes written and not yet acknowledged
  std::uint64_t receive_buffered = 0;  // bytes received and not yet taken
  std::size_t memory = 0;              // bytes allocated for buffers, recycled ones included
};

class Streams {
 public:
  // `credit` and `events` outlive this object; `hash_key` is that of StreamTable.
  Streams(Role role, const FlowControlConfig& config, ConnectionCredit& credit, StreamEvents& events,
          std::uint64_t hash_key);
  ~Streams();
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  // The limits to which this object holds the peer, as they must be announced in the handshake.
  static void announce(const FlowControlConfig& config, TransportParameters& out);
  // The peer's initial limits. Called once, before any frame. May tell on_streams_available.
  void on_peer_parameters(const TransportParameters& parameters);
  // Sets the time and the smoothed round-trip time (zero: not known yet), for the growth of the receive windows
  // (flow_credit.h). This is state instead of an argument of every call, because most calls do not need it.
  void on_clock(Timestamp now, Duration smoothed_rtt) {
    now_ = now;
    smoothed_rtt_ = smoothed_rtt;
  }

  // The verbs of the application, with the contracts of mxp/connection.h. After drop_all they fail with
  // connection_closed.
  std::expected<StreamId, StreamError> open(StreamType type);
  std::expected<std::size_t, StreamError> write(StreamId id, ByteView data);
  std::expected<void, StreamError> finish(StreamId id);
  // Errors: `reset` if our side is reset already, `finished` if the peer has acknowledged everything.
  std::expected<void, StreamError> reset(StreamId id, AppErrorCode code);
  // May be repeated; nothing happens if the peer's side has already ended.
  std::expected<void, StreamError> stop_sending(StreamId id, AppErrorCode code);
  // Called from inside an event, resume tells on_stream_data before it returns. There is one exception: for the stream
  // whose on_stream_data is running, it is told after that has returned, provided that it took something. Called from
  // anywhere else, it is told by the next deliver_resumed.
  std::expected<void, StreamError> resume(StreamId id);
  std::size_t writable_bytes(StreamId id) const;
  // From the next frame on. REQUIRES: urgency and weight in the ranges of mxp/priority.h.
  std::expected<void, StreamError> set_priority(StreamId id, const StreamPriority& priority);
  void set_send_buffer(std::size_t bytes) { config_.connection_send_buffer = bytes; }
  // The congestion window of the path in use, in bytes. Until the first call it counts as endless.
  void on_congestion_window(std::uint64_t bytes);
  // For as long as memory is short, writes are taken as if this were the connection_send_buffer, where it is less.
  void limit_send_buffer(std::size_t bytes) { send_buffer_bound_ = bytes; }

  // The frames of the peer. An error closes the connection. Frames of finished streams are ignored.
  std::expected<void, TransportError> on_frame(const StreamFrame& frame);
  std::expected<void, TransportError> on_frame(const ResetStreamFrame& frame);
  std::expected<void, TransportError> on_frame(const StopSendingFrame& frame);
  std::expected<void, TransportError> on_frame(const MaxStreamDataFrame& frame);
  std::expected<void, TransportError> on_frame(const MaxStreamsFrame& frame);
  std::expected<void, TransportError> on_frame(const StreamDataBlockedFrame& frame);
  std::expected<void, TransportError> on_frame(const StreamsBlockedFrame& frame);

  // Delivers what resume asked for outside of any event.
  void deliver_resumed();

  // What waits to be sent, and writing it: the verbs of a source of the outbox (outbox.h).
  bool has_control() const;
  void write_control(Writer& out, SentFrameSink sent);
  bool has_lost_data(MessageClass traffic_class) const { return !urgent_of(traffic_class).empty(); }
  bool has_new_data(MessageClass traffic_class) const {
    return !ready_.empty(traffic_class) && credit_.available() != 0;
  }
  bool has_pending(MessageClass traffic_class) const {
    return has_lost_data(traffic_class) || has_new_data(traffic_class);
  }
  // Data that were lost, and ends without data: they cost no connection credit, and the peer waits for them.
  void write_lost_data(MessageClass traffic_class, Writer& out, SentFrameSink sent);
  // New data, streams taking turns, until the packet is full or has taken `max_bytes` or little more.
  void write_new_data(MessageClass traffic_class, Writer& out, SentFrameSink sent, std::size_t max_bytes);

  // Bytes that were written and never sent, of all streams; those that wait for credit count too.
  std::uint64_t unsent() const { return unsent_; }

  // Whether data wait that only the peer can free: with MAX_DATA, or with MAX_STREAM_DATA (on at least one stream).
  bool blocked_by_connection_credit() const { return !ready_.empty() && credit_.available() == 0; }
  bool blocked_by_connection_credit(MessageClass traffic_class) const {
    return !ready_.empty(traffic_class) && credit_.available() == 0;
  }
  bool blocked_by_stream_credit() const {
    return std::ranges::any_of(starved_streams_, [](std::size_t count) { return count != 0; });
  }
  bool blocked_by_stream_credit(MessageClass traffic_class) const {
    return starved_streams_[static_cast<std::size_t>(traffic_class)] != 0;
  }
  // A run of packets has ended (held_streams.h).
  void note_held(Timestamp now, BlockedBy reason, const BlockedTime& connection, HeldStreams::Run::Carried carried);

  // The fate of what `sent` was told. Kinds of frames that are not about streams are ignored. Each function may be
  // called for a frame at most once, but an acknowledgement after a loss (a spurious one) is fine.
  void on_frame_acknowledged(const SentFrame& frame);
  void on_frame_lost(const SentFrame& frame);

  // With the errors of Connection::stream_stats.
  std::expected<StreamStats, StreamError> stats(StreamId id) const;
  // Those that the next collect() frees and that we sent on: visit(id, stats).
  template <class Visit>
  void for_each_ended(Visit&& visit) const {
    finished_.for_each([&](const Stream& stream) {
      if (sends(stream.id)) visit(stream.id, stats_of(stream));
    });
  }
  // Frees the streams that are finished in both directions. Called at the end of each flow, never from inside an event.
  void collect();
  // Gives back memory that only a busy time needed: objects kept for further streams, and buffers that are empty. Never
  // called from inside an event.
  void shrink();
  // The connection is over: there are no more events, every verb fails, and the memory is freed (by the next collect,
  // if this is called from inside an event).
  void drop_all();

  // Whether streams that we opened, or that the peer did, are not yet finished in both directions.
  bool has_open_local() const { return open_local_ != 0; }
  bool has_open_remote() const { return remote_ids_[0].open_count() + remote_ids_[1].open_count() != 0; }
  // How many streams the peer has ever opened.
  std::uint64_t opened_by_peer() const { return remote_ids_[0].opened() + remote_ids_[1].opened(); }
  const StreamCounters& counters() const { return counters_; }
  StreamUsage usage() const;
  // Bytes allocated for streams, their buffers included, and at most a little more. In O(1).
  std::size_t memory() const {
    return send_memory_ + receive_memory_ + table_.memory_bound() + (held_ ? sizeof(HeldStreams) : 0);
  }

 private:
  // Keeps the sums over all streams true while the buffers of one stream change. No event may be told meanwhile.
  class BufferUse {
   public:
    BufferUse(Streams& streams, const Stream& stream) : streams_(streams), stream_(stream), before_(now()) {}
    ~BufferUse() {
      const Sums after = now();
      streams_.send_buffered_ += after.send_buffered - before_.send_buffered;
      streams_.unsent_ += after.unsent - before_.unsent;
      streams_.send_memory_ += after.send_memory - before_.send_memory;
      streams_.receive_memory_ += after.receive_memory - before_.receive_memory;
      if (before_.send_buffered == 0 && after.send_buffered != 0) ++streams_.holding_streams_;
      if (before_.send_buffered != 0 && after.send_buffered == 0) --streams_.holding_streams_;
    }
    BufferUse(const BufferUse&) = delete;
    BufferUse& operator=(const BufferUse&) = delete;

   private:
    struct Sums {
      std::size_t send_buffered, send_memory, receive_memory;
      std::uint64_t unsent;
    };
    Sums now() const {
      const SendBuffer& buffer = stream_.send.buffer();
      return {buffer.size(), buffer.capacity(), stream_.receive.reassembler().memory(), stream_.send.unsent()};
    }

    Streams& streams_;
    const Stream& stream_;
    const Sums before_;
  };

  // -- streams.cpp: which stream
  Stream& create(StreamId id);
  // The stream of a peer's frame; nullptr if it is finished and forgotten. Opens the stream if the frame may do so.
  std::expected<Stream*, TransportError> find_for_frame(StreamId id, std::uint64_t frame_type, bool on_receiving_side);
  // The stream that a verb of the application names.
  std::expected<Stream*, StreamError> find_for_verb(StreamId id, bool on_receiving_side) const;
  bool sends(StreamId id) const { return id.type() == StreamType::bidirectional || id.initiator() == role_; }
  bool receives(StreamId id) const { return id.type() == StreamType::bidirectional || id.initiator() != role_; }
  RemoteStreamIds& remote_ids(StreamType type) { return remote_ids_[static_cast<std::size_t>(type)]; }
  LocalStreamIds& local_ids(StreamType type) { return local_ids_[static_cast<std::size_t>(type)]; }
  UrgentList& urgent_of(MessageClass traffic_class) { return urgent_[static_cast<std::size_t>(traffic_class)]; }
  const UrgentList& urgent_of(MessageClass traffic_class) const {
    return urgent_[static_cast<std::size_t>(traffic_class)];
  }
  void tell_streams_available(StreamType type);
  StreamStats stats_of(const Stream& stream) const;
  HeldStreams& held() {
    if (!held_) held_ = std::make_unique<HeldStreams>(now_);
    return *held_;
  }
  void finish_if_done(Stream& stream);
  void free_all();

  // How much this stream may hold now.
  SendStream::Limit send_limit(const SendStream& send) const;
  void on_sent_data_acknowledged(Stream& stream, const SentFrame& frame);
  std::size_t& starved_beside(const Stream& stream) {
    return starved_streams_[static_cast<std::size_t>(stream.priority.traffic_class)];
  }
  void refresh_sending(Stream& stream);
  void want_control(Stream& stream, std::uint8_t frames);
  void drop_control(Stream& stream, std::uint8_t frames);
  void abandon_sending(Stream& stream, AppErrorCode code);
  void leave_sending_lists(Stream& stream);
  void write_stream_limits(Writer& out, SentFrameSink sent);
  void write_chunk(Writer& out, SentFrameSink sent, Stream& stream, const SendStream::Chunk& chunk);
  Stream& pick_next(MessageClass traffic_class, std::size_t space);

  // -- streams_receive.cpp: inbound
  void deliver_view(Stream& stream, ByteView view);
  void deliver_buffered(Stream& stream);
  // Hands over one piece. Returns whether the application took all of it and wants more.
  bool deliver_piece(Stream& stream, ByteView piece, bool in_packet);
  bool insert(Stream& stream, std::uint64_t offset, ByteView data);
  // The application took the bytes below delivered(), so their memory can go.
  void advance(Stream& stream);
  void consume(Stream& stream, std::uint64_t count);
  void discard_rest(Stream& stream);
  void end_receiving(Stream& stream);

  Role role_;
  FlowControlConfig config_;
  ConnectionCredit& credit_;
  StreamEvents& events_;
  Timestamp now_{};
  Duration smoothed_rtt_{};

  StreamTable table_;
  LocalStreamIds local_ids_[2];    // by type
  RemoteStreamIds remote_ids_[2];  // by type

  // What the peer grants at first on a stream that it opens, or that we open.
  std::uint64_t initial_limit_bidi_local_ = 0, initial_limit_bidi_remote_ = 0, initial_limit_uni_ = 0;

  ControlList control_;  // streams with control frames to send
  std::array<UrgentList, kMessageClasses>
      urgent_;                         // with something that costs no connection credit: lost data, a bare end
  ReadyStreams ready_;                 // streams with new data within their own credit
  ResumedList resumed_;                // paused streams that were resumed outside of an event
  FinishedList finished_;              // to be freed by collect()
  std::unique_ptr<HeldStreams> held_;  // none: no stream waits for more than its application
  std::array<std::size_t, kMessageClasses> starved_streams_{};  // by class
  std::size_t open_local_ = 0;
  std::size_t send_buffer_bound_ = SIZE_MAX;
  std::size_t unsent_bound_ = SIZE_MAX;
  std::size_t holding_streams_ = 0;  // whose send buffers are not empty
  std::size_t send_buffered_ = 0;    // bytes in all send buffers
  std::uint64_t unsent_ = 0;         // those of them that were never sent
  std::size_t send_memory_ = 0;      // the size of their rings
  std::size_t receive_memory_ = 0;   // of all reassemblers

  StreamCounters counters_;
  bool dropped_ = false;
};

}  // namespace mxp
