// The parts of one connection: data only, no logic. The flows (receive, transmit, settle, deadlines, lifecycle) are
// free functions over this struct, and no part knows of it. A new feature is a new part here and one line in each flow.
#pragma once

#include <memory>
#include <optional>

#include "connection/calls.h"
#include "connection/client_attempts.h"
#include "connection/coalescer.h"
#include "connection/connection_ids.h"
#include "connection/counters.h"
#include "connection/drain.h"
#include "connection/events.h"
#include "connection/held.h"
#include "connection/idle_timer.h"
#include "connection/key_update.h"
#include "connection/lifecycle.h"
#include "connection/message_opener.h"
#include "connection/message_wrapper.h"
#include "connection/number_skipper.h"
#include "connection/path.h"
#include "connection/payload_tools.h"
#include "connection/sent_frame_log.h"
#include "crypto/packet_protection.h"
#include "crypto/replay_window.h"
#include "mxp/address.h"
#include "mxp/config.h"
#include "mxp/connection.h"
#include "mxp/handler.h"
#include "mxp/stats.h"
#include "mxp/trace.h"
#include "reliability/ack_frequency.h"
#include "reliability/ack_tracker.h"
#include "reliability/recovery.h"
#include "scheduler/connection_credit.h"
#include "scheduler/datagrams.h"
#include "scheduler/messages.h"
#include "scheduler/outbox.h"
#include "scheduler/streams.h"
#include "scheduler/tail_repair.h"

namespace mxp {

// What a connection shares with its endpoint. All of it outlives the connection.
struct ConnectionEnvironment {
  const EndpointConfig& config;
  Random& random;
  Handler& handler;
  std::uint64_t hash_key;  // secret, because peers choose the ids of streams that are hashed with it
  PayloadTools& payload_tools;
  TraceSink* trace = nullptr;
};

// How a connection tells its endpoint that the application has called it: there may be something to send. After a flow
// that the endpoint runs itself it asks (has_something_to_send), and needs no word.
class ReadySignal {
 public:
  virtual ~ReadySignal() = default;
  virtual void on_ready() = 0;
};

// The packet keys of both directions.
struct PacketKeysInUse {
  PacketSealer sealer;
  PacketOpener opener;
};

// The datagrams that the application sends.
struct SentDatagrams {
  SentDatagrams(const DatagramConfig& config, DatagramEvents& events) : queue(config, events) {}
  Datagrams queue;
  DatagramCounters traced = {};
};

struct Parts {
  Parts(Connection& self_, Role role_, ConnectionEnvironment environment_, ReadySignal& ready_, Timestamp now)
      : self(self_),
        role(role_),
        environment(environment_),
        ready(ready_),
        numbers(environment_.random),
        events(self_, environment_.handler),
        credit(environment_.config.transport.flow_control),
        streams(role_, environment_.config.transport.flow_control, credit, events, environment_.hash_key),
        message_acks(messages, events),
        message_wrapper(messages, environment_.payload_tools, environment_.random, environment_.config.identity,
                        peer_key),
        calls(environment_.config.transport.calls, message_wrapper, message_acks, events, environment_.hash_key),
        message_opener(environment_.config.transport.messages, environment_.payload_tools, environment_.config.identity,
                       messages, calls),
        messages(environment_.config.transport.messages, message_opener),
        outbox(environment_.config.transport.scheduler, credit, messages, streams),
        coalescer(environment_.config.transport.scheduler.coalescing_delay),
        path(std::make_unique<Path>(SocketAddress{}, SocketAddress{}, PathId::first,
                                    environment_.config.transport.recovery)),
        recovery(path->control),
        acks(environment_.config.transport.recovery.max_ack_delay),
        idle(environment_.config.transport.keepalive, now),
        key_update(environment_.config.transport.key_update, environment_.config.transport.recovery.max_ack_delay, now),
        held(now),
        tells_decisions(environment_.trace != nullptr && environment_.trace->wants_decisions()),
        tells_frames(environment_.trace != nullptr && environment_.trace->wants_frames()),
        told_at(now),
        started_at(now) {
    if (tells_decisions) outbox.keep_decisions();
  }

  Connection& self;
  const Role role;
  ConnectionEnvironment environment;
  ReadySignal& ready;

  // Who.
  ConnectionId local_id;   // in packets to us; until message 2 comes, a client's is that of its first attempt
  ConnectionId client_id;  // the one of message 1
  ConnectionId server_id;  // the one of message 2
  PublicKey peer_key;
  Suite suite = Suite::chacha20_poly1305;
  std::array<std::uint8_t, 32> handshake_hash{};

  Lifecycle lifecycle;
  Drain drain;
  std::unique_ptr<ClientAttempts> attempts;  // client, until keys exist
  std::optional<PacketKeysInUse> keys;
  ReplayWindow replay;

  NumberSkipper numbers;
  EventBridge events;
  ConnectionCredit credit;
  Streams streams;
  std::unique_ptr<SentDatagrams> datagrams;  // none: the peer takes no datagrams
  // A message of the peer passes from `messages` to message_opener, calls, message_acks, and events.
  MessageAcks message_acks;
  MessageWrapper message_wrapper;
  Calls calls;
  MessageOpener message_opener;
  Messages messages;
  Outbox outbox;
  Coalescer coalescer;
  std::unique_ptr<TailRepair> tail;    // none: nothing critical was sent yet
  std::unique_ptr<Path> path;          // where packets are sent
  std::unique_ptr<Path> other;         // that we may change to or return to; usually null
  bool may_return = false;             // `other` is the path that we left, for as long as the new one is not proven
  std::uint32_t next_path = 1;         // PathId of the next path
  std::unique_ptr<ConnectionIds> ids;  // none: the connection stays where it is (migration.h)
  SocketAddress arrival;               // client: where the peer's packets last reached us, as far as the carrier tells
  std::optional<SocketAddress> migration_due;  // the local address that the application wants to move to
  Recovery recovery;
  AckTracker acks;
  AckFrequency ack_frequency;
  SentFrameLog sent_frames;
  IdleTimer idle;
  KeyUpdate key_update;

  bool memory_is_short = false;              // of the endpoint or of the peer's key: receive windows do not grow
  bool address_settled = false;              // a server has opened a packet, a client has its answer
  bool ping_due = false;                     // an ack-eliciting packet is wanted, whatever it carries
  Timestamp held_until = kNever;             // the pacer, or the wait for company, holds us until then
  std::optional<PacketNumber> silence_from;  // the oldest packet under way when small ones were sent for it
  Held held;
  const bool tells_decisions;
  const bool tells_frames;
  std::uint64_t traced_expired = 0;  // of our messages, those that TraceMessagesExpired has told
  Timestamp told_at;                 // of the latest drive
  EcnState traced_ecn = EcnState::off;
  DrainStage traced_drain = DrainStage::none;
  Timestamp started_at;
  Timestamp confirm_by = kNever;  // server: the client must confirm the keys by then
  ConnectionCounters stats;

  // For the growth of receive windows: without a round-trip time none grows.
  Duration round_trip_of_windows() const { return memory_is_short ? Duration::zero() : path->control.rtt().measured(); }
  // Tells the parts the time. Messages that expire and calls whose time is over are told to the application from
  // inside.
  void tell_time(Timestamp now) {
    told_at = now;
    credit.on_clock(now, round_trip_of_windows());
    streams.on_clock(now, round_trip_of_windows());
    messages.on_clock(now, round_trip_of_windows());
    message_opener.on_clock(now);
    calls.on_clock(now);
    coalescer.on_clock(now);
  }

  void trace(Timestamp now, const TraceEvent& event) const {
    if (environment.trace != nullptr) environment.trace->on(now, local_id, event);
  }
  // Frees the streams that have ended. Called at the end of each flow.
  void collect_streams(Timestamp now) {
    if (environment.trace != nullptr)
      streams.for_each_ended([&](StreamId id, const StreamStats& ended) { trace(now, TraceStreamEnded{id, ended}); });
    streams.collect();
  }
  // To be called after what can move the state: packets that are sent, and what settles them.
  void trace_ecn(Timestamp now) {
    const EcnState state = path->control.ecn().state();
    if (state == traced_ecn) return;
    traced_ecn = state;
    trace(now, TraceEcn{state});
  }
};

}  // namespace mxp
