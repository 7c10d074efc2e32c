// A connection moves: the peer's address changes, or ours does, and the streams notice nothing (RFC 9000 §9).
//
//   * A server follows its client. The newest packet that is no path probe says where the client is; only the holder of
//     the keys can have made it (threat t20). Anybody may have copied it and sent it from elsewhere, though. So until
//     the client has answered a challenge there, the server sends at most three times what came from there (threat
//     t21). It also asks on the path that it left, to which it returns with the next packet from there, or if no answer
//     comes.
//   * A client moves of its own accord in one of two ways. While its old address lasts, it asks on the new path first,
//     and changes when the answer has come. When the old one is gone, it moves at once and asks on the way.
//   * Where only the port of the peer changed, a NAT has lost its entry and the way is the same: the new path begins
//     with round trip, window and datagram size of the old one. Otherwise they begin anew (RFC 9000 §9.4).
//
// A connection knows two paths at most, the one in use and one other, so that nobody can make it keep more (threat
// t22).
#pragma once

#include <expected>
#include <optional>

#include "connection/parts.h"
#include "core/cursor.h"
#include "mxp/endpoint.h"

namespace mxp {

// Header, tag, a PATH_RESPONSE and a PATH_CHALLENGE: what a probe needs of a path's allowance.
inline constexpr std::uint64_t kSmallestPathProbe = 64;

// Whether both sides take what moving needs.
inline bool may_move(const Parts& parts) { return parts.ids != nullptr; }
// The path on which this datagram came; null if there is none.
Path* path_of(Parts& parts, const ReceivedDatagram& datagram);

// Frames. `datagram`: the one that carried the frame; `carried_by`: the id that it was sent to.
void on_path_challenge(Parts& parts, const ReceivedDatagram& datagram, const PathData& data);
void on_path_response(Parts& parts, Timestamp now, const PathData& data);
std::expected<void, TransportError> on_new_connection_id(Parts& parts, const NewConnectionIdFrame& frame);
std::expected<void, TransportError> on_retire_connection_id(Parts& parts, Timestamp now,
                                                            const RetireConnectionIdFrame& frame,
                                                            const ConnectionId& carried_by);

// Server: the newest packet, which is no probe, came in this datagram. Where it came from is where the client is.
void follow_client(Parts& parts, Timestamp now, const ReceivedDatagram& datagram);

// Client: whether it may move to another local address now, and has an id for the path.
std::expected<void, MigrationError> can_migrate(const Parts& parts);
// Client: asks on a path from `local`, and moves there when the answer has come. Nothing happens unless it can.
void begin_migration(Parts& parts, Timestamp now, const SocketAddress& local);
// Client: its packets leave from `local` now, whether it wants that or not. If that is another host than before, the
// connection moves there at once.
void follow_own_address(Parts& parts, Timestamp now, const SocketAddress& local);

// transmit_paths.cpp: challenges and answers wait to be sent, and may be.
bool path_probe_due(const Parts& parts, Timestamp now);
// transmit_paths.cpp: the next of them, in a datagram of its own.
std::optional<Transmit> transmit_path_probe(Parts& parts, Timestamp now, MutableBytes buffer);
// transmit_paths.cpp: whether ids wait to be announced or retired.
bool id_frames_due(const Parts& parts);
// transmit_paths.cpp: writes them as far as they fit. Returns whether it wrote any.
bool write_id_frames(Parts& parts, Writer& writer);

Timestamp path_deadline(const Parts& parts);
void on_path_deadline(Parts& parts, Timestamp now);

}  // namespace mxp
