// The parameters of docs/protocol.md §2.2: announced in both handshake payloads, bounded, each at most once.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "core/frames.h"
#include "mxp/error.h"
#include "mxp/ids.h"
#include "mxp/message.h"
#include "mxp/message_options.h"
#include "mxp/random.h"
#include "mxp/time.h"

namespace mxp {

inline constexpr std::size_t kMaxListedVersions = 16;
inline constexpr std::size_t kMaxListedSuites = 16;

struct TransportParameters {
  Duration max_idle_timeout{};  // whole milliseconds; 0 = none
  std::uint64_t max_udp_payload = 1200;
  std::uint64_t initial_max_data = 0;
  std::uint64_t initial_max_stream_data_bidi_local = 0;
  std::uint64_t initial_max_stream_data_bidi_remote = 0;
  std::uint64_t initial_max_stream_data_uni = 0;
  std::uint64_t initial_max_streams_bidi = 0;
  std::uint64_t initial_max_streams_uni = 0;
  Duration max_ack_delay = std::chrono::milliseconds(25);
  // How many of the receiver's connection ids the sender of the parameter remembers at a time, at least 1. With 1 it
  // knows only that of the handshake, and takes none of the frames about ids and paths (docs/protocol.md §4.1).
  std::uint64_t active_connection_id_limit = 1;
  // The sender takes ACK_FREQUENCY, and can hold an ACK back as briefly as this; whole microseconds, at most
  // max_ack_delay. Nothing: it takes none.
  std::optional<Duration> min_ack_delay;
  // Receive times that the sender takes in one ACK, at most kMaxReceiveTimes; 0: it takes no ACK with times.
  std::uint64_t max_receive_timestamps_per_ack = 0;
  // Bytes of data in the largest DATAGRAM that the sender of the parameter takes; 0: it takes none.
  std::uint64_t max_datagram_payload = 0;
  // Messages (docs/protocol.md §5.2): 0 of the first means that the sender of the parameter takes none.
  std::uint64_t initial_max_messages = 0;  // the window, at most kMaxMessageWindow
  std::uint64_t initial_max_message_data = 0;
  std::uint64_t max_message_size = kMaxShortMessage;  // bytes of payload, at most kMaxMessagePayload
  std::uint64_t takes_compact_messages = 0;           // 0 or 1
  std::uint64_t takes_ordered_messages = 0;           // 0 or 1
  std::optional<ConnectionId> connection_id;          // message 2 only
  std::vector<std::uint32_t> versions;                // in order of preference
  std::vector<std::uint8_t> suites;                   // in order of preference, raw: unknown ones are kept

  bool operator==(const TransportParameters&) const = default;
};

// Appends the parameters, and a greased one made from `random` unless that is null. False if they do not fit.
bool write_transport_parameters(Writer& out, const TransportParameters& parameters, Random* random);

// `sender` is the side that wrote them: those of a client must not hold a connection_id. Errors:
// TRANSPORT_PARAMETER_ERROR with a reason.
std::expected<TransportParameters, TransportError> parse_transport_parameters(ByteView bytes, Role sender);

}  // namespace mxp
