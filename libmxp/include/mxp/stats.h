// Counters of a connection and of an endpoint: snapshots, cheap to take at any time from the endpoint's thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "mxp/blocked.h"
#include "mxp/drain.h"
#include "mxp/ecn.h"
#include "mxp/error.h"
#include "mxp/message.h"
#include "mxp/time.h"

namespace mxp {

// Of Connection::send_datagram. Each datagram that was taken is in one of queued, sent, expired, dropped, too_large.
struct DatagramStats {
  std::uint64_t received = 0;  // given to the application
  std::uint64_t queued = 0;    // now
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;  // of those sent: acknowledged by the peer's transport
  std::uint64_t lost = 0;       // of those sent: declared lost by us
  std::uint64_t expired = 0;
  std::uint64_t dropped = 0;    // with those that DatagramPolicy::drop_newest did not take
  std::uint64_t too_large = 0;  // not sent because the path had come to carry less
};

struct ConnectionStats {
  std::uint64_t packets_sent = 0;
  std::uint64_t packets_received = 0;         // opened and new
  Timestamp last_received{};                  // when the last of these came; before the first: message 2, or zero
  std::uint64_t packets_lost = 0;             // declared lost by us
  std::uint64_t packets_spuriously_lost = 0;  // declared lost and acknowledged after all
  std::uint64_t bytes_sent = 0;               // UDP payload
  std::uint64_t bytes_received = 0;
  std::uint64_t stream_bytes_sent = 0;  // first transmissions only
  std::uint64_t stream_bytes_retransmitted = 0;
  std::uint64_t stream_bytes_delivered = 0;  // handed to the application
  std::uint64_t stream_bytes_acknowledged = 0;
  std::uint64_t messages_sent = 0;  // first transmissions only
  std::uint64_t messages_retransmitted = 0;
  std::uint64_t messages_acknowledged = 0;
  std::uint64_t messages_expired = 0;          // or cancelled, sent or not
  std::uint64_t messages_received = 0;         // each once
  std::uint64_t messages_expired_by_peer = 0;  // that the peer took back before they came
  // That wait for resume_messages, as the application has not taken them; to be opened; or for those before them.
  std::uint64_t messages_kept = 0;
  std::uint64_t payloads_opened = 0;      // that came compressed or sealed
  std::uint64_t payloads_not_opened = 0;  // told with a flag that could not be undone; each time that it was told
  // How long each reason has kept the connection from sending more, up to the latest drive of its endpoint that it took
  // part in. Together they are as long as the connection was old by then.
  TimeByReason blocked_time{};
  // The same for each class, by MessageClass: its messages, streams and datagrams together.
  std::array<TimeByReason, kMessageClasses> blocked_time_of_class{};
  DrainStats drain;
  std::uint64_t calls_made = 0;
  std::uint64_t calls_answered = 0;  // or failed, by an answer of the peer
  std::uint64_t calls_timed_out = 0;
  std::uint64_t answers_unmatched = 0;      // too late, or repeated
  std::uint64_t calls_received = 0;         // told to the application
  std::uint64_t calls_refused = 0;          // beyond CallConfig::max_incoming
  std::uint64_t calls_malformed = 0;        // Calls and Errors that break docs/protocol.md §5.3
  std::uint64_t tail_repairs = 0;           // critical frames sent once more before they could be known to be lost
  std::uint64_t probes_sent = 0;            // packets; at most two for each probe timeout (RFC 9002 §6.2)
  std::uint64_t persistent_congestion = 0;  // times it was declared (RFC 9002 §7.6)
  Duration handshake_time{};                // client: connect() to message 2; server: message 1 to confirmation
  bool has_rtt = false;  // a round trip was measured; until then smoothed_rtt is the configured guess
  Duration smoothed_rtt{};
  Duration min_rtt{};
  Duration latest_rtt{};
  // How much longer than the fastest of the last half minute the latest packet was on its way to the peer: what it
  // waited in queues there, whatever happened on the way back. As the peer tells, which may lie. Nothing before the
  // first word on this path, or if not both sides set RecoveryConfig::receive_times_per_ack.
  std::optional<Duration> forward_queue_delay;
  std::uint64_t congestion_window = 0;  // bytes
  std::uint64_t bytes_in_flight = 0;
  std::uint64_t datagram_size = 0;         // UDP payload of full datagrams: what is known to pass and the window allows
  std::uint64_t path_mtu_black_holes = 0;  // times that large datagrams vanished and the size fell back to 1200
  std::uint64_t ecn_marked_sent = 0;       // packets sent with ECT(0)
  std::uint64_t ecn_ce_reported = 0;       // of them, those that routers marked CE, by counts that are believed
  EcnState ecn = EcnState::testing;        // of the path in use
  std::uint64_t path_changes = 0;          // times that packets began to go to another address, or from another one
  std::uint64_t handshake_packets_sent = 0;
  std::uint64_t datagrams_too_large = 0;  // refusals that Endpoint::on_too_large told of, for the peer's address
  std::uint64_t key_updates = 0;          // of our sending direction, whoever began
  DatagramStats datagrams;
  std::array<std::uint64_t, kDropReasonCount> dropped{};
};

// Of the side of a stream that sends, up to the latest drive of the endpoint that its connection took part in.
struct StreamStats {
  // From the opening until everything was acknowledged, the end of the stream included, or until now. A stream that the
  // application opens between two drives begins with the second.
  Duration open_time{};
  TimeByReason blocked_time{};     // together exactly open_time
  std::uint64_t bytes_sent = 0;    // first transmissions only
  std::uint64_t bytes_unsent = 0;  // written, and never sent yet
};

struct EndpointStats {
  std::uint64_t datagrams_received = 0;
  std::uint64_t datagrams_sent = 0;
  std::uint64_t handshakes_started = 0;  // server: initials that passed mac1 and cost public-key operations
  // Answers that told a client so: by the policy, for wrong parameters or a downgrade, or because the endpoint is full.
  std::uint64_t handshakes_refused = 0;
  std::uint64_t handshakes_refused_for_room = 0;  // of these, by a limit on connections or on memory
  std::uint64_t connections_shed = 0;             // closed because they held too much memory
  std::uint64_t memory_in_use = 0;                // bytes that connections hold now, as EndpointLimits counts them
  std::uint64_t public_key_operations = 0;        // X25519 computations
  std::uint64_t connections_accepted = 0;         // confirmed
  std::array<std::uint64_t, kDropReasonCount> dropped{};
};

}  // namespace mxp
