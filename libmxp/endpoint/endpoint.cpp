// An endpoint knows which connection a datagram belongs to, which have something to send, and whose deadline comes
// next.
//
//   receive        parses the clear header, and hands the datagram to the connection with that id or to admission
//   on_timeout     drives the connections whose deadline has come
//   poll_transmit  sends answers to strangers first, then asks the connections that are ready, in turn
//
// After each of these calls, the connections that it touched are asked whether they have something to send, and get
// their new deadline. Those that have ended are reported to the application, and freed when they are closed. Between
// the calls a connection says by itself when the application has used it (ReadySignal).
#include "mxp/endpoint.h"

#include <algorithm>
#include <deque>
#include <list>
#include <utility>

#include "connection/flows.h"
#include "connection/migration.h"
#include "core/packet_header.h"
#include "endpoint/admission.h"
#include "endpoint/deadline_heap.h"
#include "endpoint/entry.h"
#include "endpoint/id_index.h"
#include "endpoint/memory_watch.h"
#include "endpoint/ready_queue.h"
#include "endpoint/recent_transmits.h"
#include "mxp/require.h"

namespace mxp {

namespace {

// A datagram that belongs to no connection, or to one that was only just made.
struct PendingAnswer {
  SocketAddress remote;
  SocketAddress local;
  std::vector<std::uint8_t> datagram;
  ConnectionId id;  // the id that it gives; all zero if it refuses
  bool answered_before;
};

// How many answers may wait for the carrier. If there are more, the carrier is stuck; further ones are dropped, and
// clients send again anyway.
constexpr std::size_t kMaxPendingAnswers = 256;

}  // namespace

struct Endpoint::Impl {
  Impl(EndpointConfig config_, Random& random_, Handler& handler, TraceSink* trace)
      : config(std::move(config_)),
        random(random_),
        hash_key(random_u64(random_)),
        payload_tools(config.limits.max_opened_payloads),
        environment{config, random_, handler, hash_key, payload_tools, trace},
        admission(config, random_, hash_key),
        budget(config.limits, kConnectionBytes, hash_key),
        id_source(make_id_source(config.connection_ids, random_)) {}

  // -- which connection

  void register_id(Entry& entry, ConnectionId id) {
    index.insert(id, entry);
    entry.ids.push_back(id);
  }

  void forget_all_ids_but(Entry& entry, std::optional<ConnectionId> kept) {
    std::erase_if(entry.ids, [&](ConnectionId id) {
      if (id == kept) return false;
      index.erase(id);
      return true;
    });
  }

  // Its connection and its id are still to come.
  Entry& add() {
    Entry& added = entries.emplace_back(ready);
    added.place = std::prev(entries.end());
    return added;
  }

  // -- after a flow

  // After any flow but transmit.
  void after_input(Entry& entry, Timestamp now) {
    if (has_something_to_send(parts_of(entry), now)) ready.push_back(entry);
    after_drive(entry, now);
  }

  // After a flow ran over a connection: reports it if it ended, frees it if it is closed, and otherwise moves its
  // deadline.
  void after_drive(Entry& entry, Timestamp now) {
    Parts& parts = parts_of(entry);
    const bool was_short = parts.memory_is_short;
    memory.count(entry);
    // Windows that were held back may grow now, and the peer waits to hear of it.
    if (was_short && !parts.memory_is_short) ready.push_back(entry);
    if (entry.half_open && parts.lifecycle.state != ConnectionState::handshaking) {
      entry.half_open = false;
      --half_open;
      if (parts.lifecycle.state == ConnectionState::established) {
        ++stats.connections_accepted;
        admission.on_confirmed(parts.path->remote);
        memory.on_confirmed(entry);
      }
    }
    // A closing connection is reported once its CLOSE has gone to the carrier, so that a program may exit when it hears
    // of it. A client of which the application never heard is not reported at all.
    const bool never_accepted =
        parts.role == Role::server && parts.lifecycle.ending && parts.lifecycle.ending->before_established;
    if (never_accepted && !std::exchange(parts.lifecycle.reported, true)) trace_closed(parts, now);
    count_if_silent(entry);
    if (parts.lifecycle.ending && !parts.lifecycle.close_frame_due) {
      arm_discard(parts, now);
      report_ending(parts, now);
    }
    if (entry.unanswered && !parts.attempts) {
      // One attempt has become the connection, or the whole handshake is over: the ids of the others are free.
      entry.unanswered = false;
      --unanswered;
      forget_all_ids_but(entry, parts.local_id);
    }
    if (parts.lifecycle.state == ConnectionState::closed) return remove(entry);
    if (parts.ids && parts.lifecycle.state == ConnectionState::established) keep_ids(entry, now);
    deadlines.set(entry, next_deadline(parts));
  }

  // Without keys there is nothing to say, until a late message 2 brings them.
  void count_if_silent(Entry& entry) {
    const Parts& parts = parts_of(entry);
    const bool silent = parts.lifecycle.ending && !parts.lifecycle.close_frame_due &&
                        (parts.lifecycle.state == ConnectionState::draining || !parts.keys);
    if (silent == std::exchange(entry.draining, silent)) return;
    if (silent) ++draining;
    else --draining;
  }

  // -- ids of a connection that may move

  // As many as the peer takes, each of them once; and away with those that it retired.
  void keep_ids(Entry& entry, Timestamp now) {
    ConnectionIds& ids = *parts_of(entry).ids;
    for (std::size_t room = ids.local.room(); room > 0; --room) {
      const ConnectionId id = index.fresh(*id_source);
      register_id(entry, id);
      ids.local.issue(id);
      ready.push_back(entry);
    }
    std::erase_if(ids.retired, [&](const ConnectionIds::Retired& retired) {
      if (retired.until > now) return false;
      index.erase(retired.id);
      std::erase(entry.ids, retired.id);
      return true;
    });
  }

  // -- clients that try more than one suite

  void begin_attempt_if_due(Entry& entry, Timestamp now) {
    Parts& parts = parts_of(entry);
    if (!parts.attempts || parts.lifecycle.ending || !parts.attempts->next_is_due(now)) return;
    const ConnectionId id = index.fresh(*id_source);
    parts.attempts->begin_next(now, id);
    register_id(entry, id);
  }

  void remove(Entry& entry) {
    parts_of(entry).trace(latest, TraceForgotten{});
    if (entry.unanswered) --unanswered;
    if (entry.draining) --draining;
    forget_all_ids_but(entry, std::nullopt);
    budget.leave(entry);
    deadlines.remove(entry);
    ready.remove(entry);
    recent_transmits.forget(entry);
    entries.erase(entry.place);
  }

  // Time never runs backwards in here (threat t42).
  Timestamp clamp(Timestamp now) { return latest = std::max(latest, now); }

  // -- the flows

  void trace(Timestamp now, ConnectionId id, const TraceEvent& event) const {
    if (environment.trace != nullptr) environment.trace->on(now, id, event);
  }

  void drop(Timestamp now, DropReason reason, const ReceivedDatagram& datagram) {
    ++stats.dropped[static_cast<std::size_t>(reason)];
    trace(now, ConnectionId(), TracePacketDropped{reason, datagram.bytes.size(), datagram.remote});
  }

  // Whole datagrams leave this room for a sink in builds that are made to debug, and in no other.
  void trace_datagrams([[maybe_unused]] Timestamp now, [[maybe_unused]] TraceDatagram::Way way,
                       [[maybe_unused]] const SocketAddress& remote, [[maybe_unused]] const SocketAddress& local,
                       [[maybe_unused]] ByteView bytes, [[maybe_unused]] std::size_t segment_size) const {
#ifdef MXP_DEBUG_TOOLS
    for (std::size_t at = 0; at < bytes.size(); at += segment_size)
      trace(now, ConnectionId(),
            TraceDatagram{way, remote, local, bytes.subspan(at, std::min(segment_size, bytes.size() - at))});
#endif
  }

  void receive(Timestamp now, const ReceivedDatagram& datagram) {
    ++stats.datagrams_received;
    trace_datagrams(now, TraceDatagram::Way::received, datagram.remote, datagram.local, datagram.bytes,
                    datagram.bytes.size());
    const auto header = parse_packet_header(datagram.bytes);
    if (!header) return drop(now, header.error(), datagram);
    if (const auto* packet = std::get_if<ShortHeader>(&*header)) {
      Entry* entry = index.find(packet->destination);
      if (entry == nullptr) return drop(now, DropReason::unknown_connection, datagram);
      receive_packet(parts_of(*entry), now, datagram);
      after_input(*entry, now);
    } else if (const auto* response = std::get_if<ResponseHeader>(&*header)) {
      Entry* entry = index.find(response->client_id);
      if (entry == nullptr) return drop(now, DropReason::unknown_connection, datagram);
      receive_response(parts_of(*entry), now, datagram, *response);
      after_input(*entry, now);
    } else {
      on_initial(now, datagram, std::get<InitialHeader>(*header));
    }
  }

  void on_initial(Timestamp now, const ReceivedDatagram& datagram, const InitialHeader& header) {
    AdmissionResult result = admission.screen(datagram, header);
    if (!result.dropped && result.answer.empty()) {
      // If the table of half-open handshakes is full, a stranger's initial gets no answer, and costs no public-key
      // operation (threat t18).
      if (half_open >= config.limits.max_half_open) return drop(now, DropReason::half_open_limit, datagram);
      result = admission.on_initial(now, datagram, header, budget, index.fresh(*id_source), stats);
    }
    if (result.dropped) return drop(now, *result.dropped, datagram);
    // The answer now goes to a second address, and whoever reads it there could claim to be at the first one (threat
    // t17).
    Entry* answered = result.answered_before ? index.find(result.answer_id) : nullptr;
    if (answered != nullptr && parts_of(*answered).path->remote != datagram.remote)
      parts_of(*answered).path->amplification.on_answered_elsewhere();
    if (result.refused)
      trace(now, ConnectionId(), TraceAdmission{false, result.refused->code, result.refused->client, datagram.remote});
    if (result.admitted) accept(now, datagram, *result.admitted, result.answer.size());
    if (answers.size() < kMaxPendingAnswers)
      answers.push_back(
          {datagram.remote, datagram.local, std::move(result.answer), result.answer_id, result.answered_before});
  }

  void accept(Timestamp now, const ReceivedDatagram& datagram, const AdmittedClient& client, std::size_t answer_size) {
    const InitialExchange exchange{datagram.remote, datagram.local, datagram.bytes.size(), answer_size};
    Entry& entry = add();
    trace(now, client.server_id,
          TraceAdmission{true, TransportErrorCode::no_error, client.client_key, datagram.remote});
    entry.connection = open_server(environment, entry, now, client, exchange);
    register_id(entry, client.server_id);
    budget.join(entry);
    entry.half_open = true;
    ++half_open;
    after_input(entry, now);
  }

  std::optional<Transmit> poll_transmit(Timestamp now, MutableBytes buffer, const TransmitLimits& limits) {
    if (!answers.empty()) {
      const PendingAnswer answer = std::move(answers.front());
      answers.pop_front();
      std::copy(answer.datagram.begin(), answer.datagram.end(), buffer.begin());
      ++stats.datagrams_sent;
      trace(now, answer.id, TraceHandshakeSent{2, answer.answered_before});
      return Transmit{answer.remote, answer.local, answer.datagram.size(), answer.datagram.size()};
    }
    ++polls;
    postponed = false;
    while (!ready.empty()) {
      Entry& entry = ready.front();
      // It sent nothing, and its application called it from inside once more. That may go on for ever, so it is for the
      // next turn of the driver (threat t40); and those behind it were all driven, or became ready just now.
      if (entry.silent_in == polls && !parts_of(entry).lifecycle.close_frame_due) {
        postponed = true;
        break;
      }
      ready.remove(entry);
      const auto sent = transmit(parts_of(entry), now, buffer, limits);
      // A connection that has sent and has more to send, and one that broke off and has its CLOSE to send, queue again,
      // behind the others. Any other one waits for the peer or for time; to drive it once more only to learn that would
      // delay what it has just sent.
      if (sent ? has_something_to_send(parts_of(entry), now) : parts_of(entry).lifecycle.close_frame_due)
        ready.push_back(entry);
      if (sent) recent_transmits.note(entry, sent->remote);
      else entry.silent_in = polls;
      after_drive(entry, now);
      if (sent) {
        stats.datagrams_sent += sent->segments();
        return sent;
      }
    }
    return std::nullopt;
  }

  void on_timeout(Timestamp now) {
    admission.on_timeout(now);
    // Each connection is driven at most once in a call. Otherwise a deadline that does not move forward would make this
    // loop spin (threat t39).
    due.clear();
    while (!deadlines.empty() && deadlines.next() <= now) {
      Entry& entry = deadlines.top();
      deadlines.remove(entry);
      due.push_back(&entry);
    }
    for (Entry* entry : due) {
      begin_attempt_if_due(*entry, now);
      on_deadline(parts_of(*entry), now);
      after_input(*entry, now);
    }
  }

  EndpointConfig config;
  Random& random;
  const std::uint64_t hash_key;  // secret: peers choose what is hashed with it (threat t13)
  PayloadTools payload_tools;
  ConnectionEnvironment environment;
  Admission admission;
  ConnectionBudget budget;
  EndpointStats stats;

  const std::unique_ptr<IdSource> id_source;
  std::list<Entry> entries;  // owns the connections
  IdIndex<Entry> index;
  DeadlineHeap<Entry> deadlines;
  ReadyQueue<Entry> ready;
  MemoryWatch memory{budget, ready, stats};
  RecentTransmits<Entry> recent_transmits;
  std::deque<PendingAnswer> answers;
  std::vector<Entry*> due;
  std::uint64_t polls = 0;  // calls of poll_transmit
  bool postponed = false;   // the last one left connections ready and sent nothing
  std::size_t half_open = 0;
  std::size_t draining = 0;
  std::size_t unanswered = 0;  // clients that wait for message 2
  Timestamp latest{};
};

Endpoint::Endpoint(EndpointConfig config, Random& random, Handler& handler, TraceSink* trace) {
  // Names the setting: "validate(config)" alone would leave the reader to search for it.
  if (const auto valid = validate(config); !valid)
    precondition_broken(to_string(valid.error()).c_str(), __FILE__, __LINE__);
  impl_ = std::make_unique<Impl>(std::move(config), random, handler, trace);
}

std::expected<std::unique_ptr<Endpoint>, ConfigError> Endpoint::create(EndpointConfig config, Random& random,
                                                                       Handler& handler, TraceSink* trace) {
  if (const auto valid = validate(config); !valid) return std::unexpected(valid.error());
  return std::make_unique<Endpoint>(std::move(config), random, handler, trace);
}

Endpoint::~Endpoint() = default;

std::expected<Connection*, ConnectError> Endpoint::connect(Timestamp now, const SocketAddress& remote,
                                                           const PublicKey& server_key) {
  now = impl_->clamp(now);
  if (impl_->entries.size() >= impl_->config.limits.max_connections)
    return std::unexpected(ConnectError::too_many_connections);
  const ConnectionId id = impl_->index.fresh(*impl_->id_source);
  Entry& entry = impl_->add();
  entry.connection = open_client(impl_->environment, entry, now, remote, server_key, id);
  if (!entry.connection) {
    impl_->entries.erase(entry.place);
    return std::unexpected(ConnectError::invalid_server_key);
  }
  impl_->register_id(entry, id);
  impl_->budget.join(entry);
  entry.unanswered = true;
  ++impl_->unanswered;
  impl_->after_input(entry, now);
  return entry.connection.get();
}

void Endpoint::receive(Timestamp now, const ReceivedDatagram& datagram) { impl_->receive(impl_->clamp(now), datagram); }

std::optional<Transmit> Endpoint::poll_transmit(Timestamp now, MutableBytes buffer, const TransmitLimits& limits) {
  // Room for every datagram of ours: handshake messages have kMinInitialSize bytes, which is the least that the setting
  // may be.
  MXP_REQUIRE(buffer.size() >= impl_->config.transport.max_udp_payload);
  now = impl_->clamp(now);
  const auto sent = impl_->poll_transmit(now, buffer, limits);
  if (sent)
    impl_->trace_datagrams(now, TraceDatagram::Way::sent, sent->remote, sent->local, buffer.first(sent->size),
                           sent->segment_size);
  return sent;
}

Timestamp Endpoint::next_timeout() const {
  if (impl_->postponed) return impl_->latest;
  return std::min(impl_->deadlines.next(), impl_->admission.deadline());
}

void Endpoint::on_timeout(Timestamp now) {
  // What next_timeout() says where nothing is pending: it is no time, and none could follow it.
  if (now != kNever) impl_->on_timeout(impl_->clamp(now));
}

void Endpoint::on_unreachable(Timestamp now, const SocketAddress& remote) {
  now = impl_->clamp(now);
  // The report may be forged. So it must cost nothing where no handshake waits for its answer, as on a server (threat
  // t44).
  if (impl_->unanswered == 0) return;
  std::vector<Entry*> affected;
  for (Entry& entry : impl_->entries) {
    const Parts& parts = parts_of(entry);
    if (parts.path->remote == remote && parts.attempts && !parts.lifecycle.ending) affected.push_back(&entry);
  }
  for (Entry* entry : affected) {
    end_silently(parts_of(*entry), now, CloseInfo::By::network, TransportErrorCode::unreachable,
                 "nobody listens at this port");
    impl_->after_input(*entry, now);
  }
}

void Endpoint::on_too_large(Timestamp now, const SocketAddress& remote, std::size_t size) {
  now = impl_->clamp(now);
  impl_->recent_transmits.for_each(remote, [&](Entry& entry) {
    on_datagram_refused(parts_of(entry), now, remote, size);
    impl_->after_input(entry, now);
  });
}

void Endpoint::on_local_address(Timestamp now, const SocketAddress& remote, const SocketAddress& local) {
  now = impl_->clamp(now);
  for (Entry& entry : impl_->entries) {
    Parts& parts = parts_of(entry);
    if (parts.role != Role::client || parts.path->remote != remote) continue;
    follow_own_address(parts, now, local);
    impl_->ready.push_back(entry);
  }
}

std::vector<SocketAddress> Endpoint::servers() const {
  std::vector<SocketAddress> out;
  for (Entry& entry : impl_->entries)
    if (const Parts& parts = parts_of(entry); parts.role == Role::client) out.push_back(parts.path->remote);
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

void Endpoint::close_all(AppErrorCode code, std::string_view reason) {
  for (Entry& entry : impl_->entries) entry.connection->close(code, reason);
}

std::size_t Endpoint::connection_count() const { return impl_->entries.size(); }
std::size_t Endpoint::draining_count() const { return impl_->draining; }
void Endpoint::stop_accepting() { impl_->config.accept = false; }
EndpointStats Endpoint::stats() const {
  EndpointStats stats = impl_->stats;
  stats.memory_in_use = impl_->budget.bytes();
  return stats;
}
const PublicKey& Endpoint::public_key() const { return impl_->config.identity.public_key(); }

}  // namespace mxp
