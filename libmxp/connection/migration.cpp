#include "connection/migration.h"

#include <algorithm>
#include <utility>

#include "connection/flows.h"

namespace mxp {

namespace {

// Ids that a peer may have retired and we still answer to: more than it can retire in an honest course of things.
// Beyond that the oldest is forgotten at the end of the drive. One packet can retire LocalIds::kMost at most, so no
// more than kMaxRetired + kMost are kept (threat t06).
constexpr std::size_t kMaxRetired = 16;
constexpr int kRetiredTimeouts = 3;

bool same_host(const SocketAddress& a, const SocketAddress& b) { return a.family == b.family && a.ip == b.ip; }

// The id of a path that is not used any more goes back, unless another path still has it.
void retire_id(Parts& parts, const Path& gone) {
  const auto shares = [&](const std::unique_ptr<Path>& path) {
    return path && path.get() != &gone && path->remote_sequence == gone.remote_sequence;
  };
  if (!shares(parts.path) && !shares(parts.other)) parts.ids->peer.retire(gone.remote_sequence);
}

void drop_other(Parts& parts) {
  if (!parts.other) return;
  const std::unique_ptr<Path> gone = std::move(parts.other);
  parts.may_return = false;
  retire_id(parts, *gone);
  parts.recovery.use(parts.path->control, nullptr);
}

// Tells reliability which paths there are, after they changed.
void use_paths(Parts& parts) {
  parts.recovery.use(parts.path->control, parts.other ? &parts.other->control : nullptr);
  parts.silence_from.reset();
}

void report_move(Parts& parts, Timestamp now) {
  use_paths(parts);
  ++parts.stats.path_changes;
  parts.trace(now, TracePathChanged{parts.path->remote, parts.path->local});
}

enum class Expected : std::uint8_t { nothing, like_path_in_use };

std::unique_ptr<Path> make_path(Parts& parts, const SocketAddress& remote, const SocketAddress& local,
                                Expected expected) {
  const PathId id{parts.next_path++};
  if (expected == Expected::like_path_in_use) return std::make_unique<Path>(remote, local, id, *parts.path);
  auto path = std::make_unique<Path>(remote, local, id, parts.environment.config.transport.recovery);
  path->sizes = DatagramSizeSearch(remote.family, parts.path->sizes.ceiling());
  return path;
}

// A NAT that forgot gives the client another port, and the way to it is the same. But whoever copies packets from the
// client's own address has another port as well, so what becomes of packets there is counted there alone.
Expected expected_of(const Parts& parts, const SocketAddress& remote) {
  return same_host(remote, parts.path->remote) ? Expected::like_path_in_use : Expected::nothing;
}

void take_id(Path& path, const PeerIds::Entry& entry) {
  path.remote_id = entry.id;
  path.remote_sequence = entry.sequence;
}

// Where there is no spare id, that of the path in use goes on: a NAT that lost its entry leaves the client no time to
// give new ones. Whoever sees both addresses can then tell that they belong together.
void take_spare_id_or_share(Parts& parts, Path& next) {
  next.remote_id = parts.path->remote_id;
  next.remote_sequence = parts.path->remote_sequence;
  if (const auto id = parts.ids->peer.take()) take_id(next, *id);
}

void ask(Parts& parts, Timestamp now, Path& path) {
  const Duration timeout = std::max(parts.recovery.probe_timeout(), ProbeTimer::period(path.control.rtt(), Duration{}));
  path.validation.emplace(now, timeout);
}

// A server whose handshake has not yet shown where its client is, waits for that and asks nothing
// (docs/protocol.md §2.3).
bool wants_proof(const Path& path) {
  return !path.is_proven() && !path.amplification.awaits_proof() && !path.validation;
}

// Whether this side may change its address at all, with or without a spare id.
std::expected<void, MigrationError> moves_of_its_own(const Parts& parts) {
  if (parts.lifecycle.state != ConnectionState::established) return std::unexpected(MigrationError::not_connected);
  if (!may_move(parts) || parts.role == Role::server) return std::unexpected(MigrationError::not_allowed);
  return {};
}

}  // namespace

Path* path_of(Parts& parts, const ReceivedDatagram& datagram) {
  const auto is_on = [&](const Path& path) { return path.remote == datagram.remote; };
  if (!parts.other || !is_on(*parts.other)) return is_on(*parts.path) ? parts.path.get() : nullptr;
  // A client that moves has two paths to one address, which differ in its own.
  if (is_on(*parts.path) && !same_host(parts.other->local, datagram.local)) return parts.path.get();
  return parts.other.get();
}

// ---- frames

void on_path_challenge(Parts& parts, const ReceivedDatagram& datagram, const PathData& data) {
  Path* path = path_of(parts, datagram);
  if (path == nullptr) {
    // A client asks from another address before it moves. While the path in use waits for its own proof, the other one
    // is what we would return to, and nothing takes its place.
    if (!parts.path->is_proven()) return;
    const auto id = parts.ids->peer.take();
    if (!id) return;
    drop_other(parts);
    parts.other = make_path(parts, datagram.remote, datagram.local, expected_of(parts, datagram.remote));
    path = parts.other.get();
    take_id(*path, *id);
    path->amplification.on_received(datagram.bytes.size());
    use_paths(parts);
  }
  path->responses.on_challenge(data);
  // A server that asks where we are may have been led away by a copy of a packet of ours. Our answer is a probe and
  // would not bring it back, so something that is none goes with it (RFC 9000 §9.3.3).
  if (parts.role == Role::client && path == parts.path.get()) parts.ping_due = true;
}

void on_path_response(Parts& parts, Timestamp now, const PathData& data) {
  Path& path = *parts.path;
  if (path.validation && path.validation->on_response(data)) {
    path.amplification.lift();
    // The limit may have cut the challenge. That the path carries full ones is shown by another one (RFC 9000 §8.2.1).
    if (!path.validation->proof_was_full()) return ask(parts, now, path);
    path.validation.reset();
    if (parts.may_return) drop_other(parts);
    return;
  }
  if (!parts.other || !parts.other->validation || !parts.other->validation->on_response(data)) return;
  parts.other->validation.reset();
  parts.other->amplification.lift();
  if (parts.role == Role::server) return;  // it moves when the client does
  std::swap(parts.path, parts.other);
  drop_other(parts);
  report_move(parts, now);
  parts.ping_due = true;  // so that the server moves too, whatever there is to send
}

std::expected<void, TransportError> on_new_connection_id(Parts& parts, const NewConnectionIdFrame& frame) {
  PeerIds& ids = parts.ids->peer;
  if (auto taken = ids.on_frame(frame); !taken) return taken;
  // The peer may have had the ids retired that our paths use.
  if (parts.other && !ids.is_held(parts.other->remote_sequence)) drop_other(parts);
  if (ids.is_held(parts.path->remote_sequence)) return {};
  if (const auto next = ids.take()) take_id(*parts.path, *next);
  return {};
}

std::expected<void, TransportError> on_retire_connection_id(Parts& parts, Timestamp now,
                                                            const RetireConnectionIdFrame& frame,
                                                            const ConnectionId& carried_by) {
  const auto retired = parts.ids->local.on_frame(frame, carried_by);
  if (!retired) return std::unexpected(retired.error());
  if (!*retired) return {};
  auto& waiting = parts.ids->retired;
  if (waiting.size() >= kMaxRetired) waiting[waiting.size() - kMaxRetired].until = now;
  waiting.push_back({**retired, now + kRetiredTimeouts * parts.recovery.probe_timeout()});
  return {};
}

// ---- moving

void follow_client(Parts& parts, Timestamp now, const ReceivedDatagram& datagram) {
  if (datagram.remote == parts.path->remote) {
    // Nobody answered here and there was nothing to return to, but the client still speaks from here.
    if (wants_proof(*parts.path)) ask(parts, now, *parts.path);
    return;
  }
  std::unique_ptr<Path> old;  // reliability refers to it until report_move() has told it of the new one
  if (parts.other && parts.other->remote == datagram.remote) {
    // Back to where it was, or to where it asked before.
    std::swap(parts.path, parts.other);
    parts.may_return = true;
    if (!parts.other->is_proven()) drop_other(parts);
  } else {
    auto next = make_path(parts, datagram.remote, datagram.local, expected_of(parts, datagram.remote));
    take_spare_id_or_share(parts, *next);
    next->amplification.on_received(datagram.bytes.size());
    old = std::exchange(parts.path, std::move(next));
    // What we return to is the last path that was proven.
    if (old->is_proven()) {
      drop_other(parts);
      parts.other = std::move(old);
      parts.may_return = true;
    } else {
      retire_id(parts, *old);
    }
  }
  report_move(parts, now);
  if (wants_proof(*parts.path)) ask(parts, now, *parts.path);
  if (parts.other && !parts.other->validation) ask(parts, now, *parts.other);
}

std::expected<void, MigrationError> can_migrate(const Parts& parts) {
  if (auto possible = moves_of_its_own(parts); !possible) return possible;
  if (!parts.ids->peer.has_spare()) return std::unexpected(MigrationError::no_connection_id);
  return {};
}

void begin_migration(Parts& parts, Timestamp now, const SocketAddress& local) {
  if (!can_migrate(parts)) return;
  drop_other(parts);
  parts.other = make_path(parts, parts.path->remote, local, Expected::nothing);
  take_id(*parts.other, *parts.ids->peer.take());
  parts.other->amplification.lift();  // the limit is a server's
  ask(parts, now, *parts.other);
  use_paths(parts);
}

void follow_own_address(Parts& parts, Timestamp now, const SocketAddress& local) {
  if (!moves_of_its_own(parts)) return;
  const SocketAddress& known = parts.path->local == SocketAddress{} ? parts.arrival : parts.path->local;
  if (known == SocketAddress{} || same_host(known, local)) return;
  drop_other(parts);
  auto next = make_path(parts, parts.path->remote, local, Expected::nothing);
  take_spare_id_or_share(parts, *next);
  next->amplification.lift();  // the limit is a server's
  parts.other = std::exchange(parts.path, std::move(next));
  parts.may_return = true;  // the old address may not be gone after all
  parts.arrival = local;
  report_move(parts, now);
  ask(parts, now, *parts.path);
  parts.ping_due = true;
}

// ---- time

Timestamp path_deadline(const Parts& parts) {
  const auto of = [](const Path& path) {
    if (!path.validation) return kNever;
    // What waits for bytes of the peer waits for no time (threat t39).
    return path.amplification.allowance() >= kSmallestPathProbe ? path.validation->deadline()
                                                                : path.validation->gives_up_at();
  };
  return parts.other ? std::min(of(*parts.path), of(*parts.other)) : of(*parts.path);
}

void on_path_deadline(Parts& parts, Timestamp now) {
  const bool in_vain = parts.path->validation && parts.path->validation->on_timeout(now);
  if (in_vain) parts.path->validation.reset();
  const bool other_in_vain = parts.other && parts.other->validation && parts.other->validation->on_timeout(now);
  if (other_in_vain) parts.other->validation.reset();
  if (in_vain && parts.may_return && parts.other->is_proven()) {
    // Nobody answers here: back to the path that was proven. Without one the connection stays where it is, held by the
    // limit, and asks again when the client is heard from.
    std::swap(parts.path, parts.other);
    drop_other(parts);
    report_move(parts, now);
  } else if (other_in_vain) {
    drop_other(parts);
  }
}

}  // namespace mxp
