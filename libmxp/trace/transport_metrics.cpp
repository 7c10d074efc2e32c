#include "mxp/transport_metrics.h"

#include <algorithm>
#include <mutex>
#include <unordered_map>

namespace mxp {

namespace {

template <typename Enum>
constexpr std::size_t place(Enum value) {
  return static_cast<std::size_t>(value);
}

}  // namespace

CloseClass close_class(const TraceClosed& closed) {
  if (closed.application) return closed.code == 0 ? CloseClass::clean : CloseClass::application_error;
  switch (static_cast<TransportErrorCode>(closed.code)) {
    case TransportErrorCode::no_error: return CloseClass::clean;
    case TransportErrorCode::idle_timeout: return CloseClass::idle_timeout;
    case TransportErrorCode::handshake_timeout: return CloseClass::handshake_timeout;
    case TransportErrorCode::unreachable: return CloseClass::unreachable;
    case TransportErrorCode::not_authorized: return CloseClass::not_authorized;
    case TransportErrorCode::connection_refused: return CloseClass::refused;
    case TransportErrorCode::aead_limit_reached:
    case TransportErrorCode::key_update_error: return CloseClass::key_limit;
    default: return closed.by == CloseInfo::By::peer ? CloseClass::peer_error : CloseClass::our_error;
  }
}

std::string_view to_string(CloseClass close) {
  switch (close) {
    case CloseClass::clean: return "clean";
    case CloseClass::application_error: return "application_error";
    case CloseClass::idle_timeout: return "idle_timeout";
    case CloseClass::handshake_timeout: return "handshake_timeout";
    case CloseClass::unreachable: return "unreachable";
    case CloseClass::not_authorized: return "not_authorized";
    case CloseClass::refused: return "refused";
    case CloseClass::key_limit: return "key_limit";
    case CloseClass::peer_error: return "peer_error";
    case CloseClass::our_error: return "our_error";
  }
  return "unknown";
}

// The lock is free but while somebody takes a snapshot, which is a copy of a few kilobytes.
struct TransportMetrics::Impl {
  enum class State : std::uint8_t { handshaking, established, ending };
  struct Connection {
    Role role;
    State state = State::handshaking;
    BlockedBy blocked = BlockedBy::handshake;
    Timestamp blocked_since;
    std::uint64_t window = 0, in_flight = 0;
  };

  std::uint64_t& number_in(State state) {
    return state == State::handshaking   ? sums.handshaking
           : state == State::established ? sums.established
                                         : sums.ending;
  }
  void move(Connection& connection, State state) {
    --number_in(connection.state);
    ++number_in(state);
    connection.state = state;
  }
  void block(Connection& connection, BlockedBy reason) {
    sums.blocked_time[place(connection.blocked)] += now - connection.blocked_since;
    connection.blocked = reason;
    connection.blocked_since = now;
  }
  void measure(Connection& connection, std::uint64_t window, std::uint64_t in_flight) {
    sums.congestion_window += window - connection.window;
    sums.bytes_in_flight += in_flight - connection.in_flight;
    connection.window = window;
    connection.in_flight = in_flight;
  }
  void end(Connection& connection) {
    if (connection.state == State::ending) return;
    block(connection, BlockedBy::application);
    measure(connection, 0, 0);
    move(connection, State::ending);
  }

  void count(const TraceEvent& event);
  void count_in(Connection& connection, const TraceEvent& event);

  mutable std::mutex mutex;
  TransportMetricsSnapshot sums;
  std::unordered_map<std::uint64_t, Connection> connections;
  Timestamp now{};
};

// What belongs to no connection alone.
void TransportMetrics::Impl::count(const TraceEvent& event) {
  if (const auto* dropped = std::get_if<TracePacketDropped>(&event)) {
    ++sums.datagrams_dropped[place(dropped->reason)];
  } else if (const auto* handshake = std::get_if<TraceHandshakeSent>(&event)) {
    ++sums.handshake_messages[handshake->message == 1 ? 0 : 1];
    if (handshake->retransmission) ++sums.handshake_retransmissions;
  } else if (const auto* admission = std::get_if<TraceAdmission>(&event)) {
    ++(admission->accepted ? sums.clients_accepted : sums.clients_refused);
  }
}

void TransportMetrics::Impl::count_in(Connection& connection, const TraceEvent& event) {
  if (const auto* sent = std::get_if<TracePacketSent>(&event)) {
    ++sums.packets_sent;
    sums.bytes_sent += sent->size_bytes;
    if (sent->probe) ++sums.probes_sent;
  } else if (const auto* received = std::get_if<TracePacketReceived>(&event)) {
    ++sums.packets_received;
    sums.bytes_received += received->size_bytes;
  } else if (const auto* lost = std::get_if<TracePacketLost>(&event)) {
    ++sums.packets_lost[place(lost->reason)];
  } else if (const auto* congestion = std::get_if<TraceCongestion>(&event)) {
    if (connection.state != State::ending) measure(connection, congestion->window_bytes, congestion->in_flight_bytes);
    if (congestion->latest_rtt > Duration::zero()) sums.rtt.observe(kRttBounds, congestion->latest_rtt);
  } else if (const auto* blocked = std::get_if<TraceBlocked>(&event)) {
    if (connection.state != State::ending) block(connection, blocked->reason);
  } else if (const auto* established = std::get_if<TraceEstablished>(&event)) {
    move(connection, State::established);
    ++sums.connections_established[place(connection.role)];
    sums.handshake.observe(kHandshakeBounds, established->handshake_time);
  } else if (const auto* closed = std::get_if<TraceClosed>(&event)) {
    ++sums.connections_closed[place(close_class(*closed))];
    end(connection);
  } else if (const auto* updated = std::get_if<TraceKeyUpdated>(&event)) {
    if (updated->side == TraceKeyUpdated::KeySide::sending) ++sums.key_updates;
  } else if (std::holds_alternative<TracePathChanged>(event)) {
    ++sums.path_changes;
  } else if (const auto* opened = std::get_if<TraceStreamsOpened>(&event)) {
    sums.streams_opened += opened->count;
  } else if (std::holds_alternative<TraceStreamEnded>(event)) {
    ++sums.streams_ended;
  } else if (const auto* datagrams = std::get_if<TraceDatagrams>(&event)) {
    sums.datagrams_lost += datagrams->lost;
    sums.datagrams_not_sent += datagrams->expired + datagrams->dropped + datagrams->too_large;
  }
}

TransportMetrics::TransportMetrics() : impl_(std::make_unique<Impl>()) {}
TransportMetrics::~TransportMetrics() = default;

void TransportMetrics::on(Timestamp now, ConnectionId connection, const TraceEvent& event) {
  Impl& impl = *impl_;
  const std::scoped_lock lock(impl.mutex);
  impl.now = std::max(impl.now, now);
  impl.count(event);
  if (const auto* started = std::get_if<TraceStarted>(&event)) {
    if (impl.connections.try_emplace(connection.key(), Impl::Connection{.role = started->role, .blocked_since = now})
            .second) {
      ++impl.sums.handshaking;
      ++impl.sums.connections_started[place(started->role)];
    }
    return;
  }
  if (const auto* changed = std::get_if<TraceIdChanged>(&event)) {
    if (auto node = impl.connections.extract(changed->former.key())) {
      node.key() = connection.key();
      impl.connections.insert(std::move(node));
    }
    return;
  }
  const auto found = impl.connections.find(connection.key());
  if (found == impl.connections.end()) return;
  if (std::holds_alternative<TraceForgotten>(event)) {
    impl.end(found->second);
    --impl.sums.ending;
    impl.connections.erase(found);
    return;
  }
  impl.count_in(found->second, event);
}

TransportMetricsSnapshot TransportMetrics::snapshot() const {
  const std::scoped_lock lock(impl_->mutex);
  TransportMetricsSnapshot sums = impl_->sums;
  for (const auto& [key, connection] : impl_->connections)
    if (connection.state != Impl::State::ending)
      sums.blocked_time[place(connection.blocked)] += impl_->now - connection.blocked_since;
  return sums;
}

}  // namespace mxp
