// The flows of a connection, in the order in which a datagram meets them. They are free functions over Parts, and each
// file begins with its steps in prose.
#pragma once

#include <expected>
#include <memory>
#include <optional>

#include "connection/admitted_client.h"
#include "connection/parts.h"
#include "mxp/endpoint.h"

namespace mxp {

// receive.cpp: one 1-RTT datagram for this connection.
void receive_packet(Parts& parts, Timestamp now, const ReceivedDatagram& datagram);
// receive.cpp: a message 2 for this client. `datagram` is decrypted in place.
void receive_response(Parts& parts, Timestamp now, const ReceivedDatagram& datagram, const ResponseHeader& header);

// transmit.cpp: the next run of datagrams, or nothing.
std::optional<Transmit> transmit(Parts& parts, Timestamp now, MutableBytes buffer, const TransmitLimits& limits);

// transmit.cpp: whether transmit should be called, after any flow and once more after a transmit that has sent: it would
// send something, or would have something to note. Cheap enough to be asked after every packet.
bool has_something_to_send(const Parts& parts, Timestamp now);

// refused_datagram.cpp: our own interface takes no datagram of `size` bytes toward the peer; the one that was refused
// is lost. Called at most once for each run that was sent.
void on_datagram_refused(Parts& parts, Timestamp now, const SocketAddress& remote, std::size_t size);

// settle.cpp: what was acknowledged or lost goes back to its owners.
void settle(Parts& parts, Timestamp now, const Outcome& outcome);
// Whether the next probe carries data that was never sent, rather than the oldest that is outstanding. After a timeout
// that was only the peer's slowness, nothing was sent in vain then; after a true loss, the acknowledgement of any probe
// shows it. So it is with the first probe of a timeout. The second repeats, so that the peer has what it misses even
// then; and if the first timeout brought no answer, both do (RFC 9002 §6.2.4, RFC 8985 §7.3).
inline bool next_probe_carries_new_data(const Parts& parts) {
  return parts.recovery.probes_due() == kProbesPerTimeout && parts.recovery.pto_count() == 1 &&
         parts.outbox.has_new_data();
}

// settle.cpp: after a probe timeout, queues the oldest outstanding data for sending again, enough for the probes that
// are to repeat it (RFC 9002 §6.2.4).
void repeat_oldest_data(Parts& parts);
// settle.cpp: queues once more what earlier probes carried. Returns how many of those probes carried data.
unsigned repeat_earlier_probes(Parts& parts);

// settle.cpp: queues once more the critical frames of which no acknowledgement has come for a while (tail_repair.h).
void repair_tail(Parts& parts, Timestamp now);

// Whether the 3× limit forbids even a small packet. It can go when more bytes have come from the client.
inline bool held_by_address(const Parts& parts) {
  constexpr std::uint64_t kSmallPacket = 96;  // header, tag, and an ACK of one range with counts of ECN marks
  return parts.path->amplification.allowance() < kSmallPacket;
}

// Whether packets of the peer are acknowledged on this path, as far as its 3× limit allows.
inline bool acknowledges_on(const Path& path) { return path.is_proven() || !path.amplification.awaits_proof(); }

// memory.cpp: bytes that the connection holds, in O(1). Its buffers and records are counted; the rest of it is
// kConnectionBytes, as tests/unit/endpoint/memory_test.cpp measures it with the library's cipher contexts.
inline constexpr std::size_t kConnectionBytes = 9'600;
std::size_t memory_in_use(const Parts& parts);
// memory.cpp: whether the endpoint, or the peer's key, has memory for windows and buffers to grow.
enum class Memory : std::uint8_t { suffices, is_short };
void on_memory_counted(Parts& parts, Memory memory);

// deadlines.cpp: when on_deadline must be called, and what it does with what has come due.
Timestamp next_deadline(const Parts& parts);
void on_deadline(Parts& parts, Timestamp now);

// advance_drain.cpp: a DRAIN frame of the peer.
void on_drain_frame(Parts& parts, Timestamp now, const DrainFrame& frame);
// advance_drain.cpp: whether the way to an end in order (drain.h) goes on now. A few comparisons, and one where nobody
// drains.
bool drain_step_is_due(const Parts& parts);
// advance_drain.cpp: goes on, which may ask the application or close the connection. Called at the beginning of a
// transmit.
void advance_drain(Parts& parts, Timestamp now);

// update_keys.cpp: turns the sending direction to new keys if it is time. REQUIRES: the next packet is one that the
// peer will acknowledge.
void begin_key_update_if_due(Parts& parts, Timestamp now);
// update_keys.cpp: called for each packet that was opened; follows the peer into a new key phase. KEY_UPDATE_ERROR if
// the peer broke the rules of key updates.
std::expected<void, TransportError> on_packet_phase(Parts& parts, Timestamp now, const OpenedPacket& packet);
// update_keys.cpp: a side that has sent nothing but acknowledgements for very long sends a PING, with which an update
// can begin.
void send_ping_if_key_is_worn(Parts& parts, Timestamp now);
// update_keys.cpp: tells the key log the secrets of a key phase.
void trace_secrets(const Parts& parts, Timestamp now, const TrafficSecret& sending, const TrafficSecret& receiving,
                   std::uint32_t phase);

// establish.cpp: a connection begins. `environment` and `ready` outlive it; nothing else has `id`. A client that may
// send its message 1; null if the server's key is a low-order point, with which no handshake can succeed.
std::unique_ptr<Connection> open_client(const ConnectionEnvironment& environment, ReadySignal& ready, Timestamp now,
                                        const SocketAddress& remote, const PublicKey& server_key, ConnectionId id);
// A server that has keys and waits for the client to confirm them.
std::unique_ptr<Connection> open_server(const ConnectionEnvironment& environment, ReadySignal& ready, Timestamp now,
                                        const AdmittedClient& client, const InitialExchange& exchange);

// establish.cpp: gives the connection its packet keys, then the limits that the peer announced.
void install_keys(Parts& parts, Timestamp now, const IkResult& noise);
void apply_peer_parameters(Parts& parts, Timestamp now, const TransportParameters& parameters);
// establish.cpp: the peer has proven that it holds the keys, and the application hears of the connection.
void confirm(Parts& parts, Timestamp now);

}  // namespace mxp
