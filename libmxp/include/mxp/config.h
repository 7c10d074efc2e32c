// Every setting with its default, unit and reason. The defaults suit paths from a LAN to 300 ms of round trip at up
// to about 1 Gbit/s; what a limit protects is said beside it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "mxp/keys.h"
#include "mxp/time.h"

namespace mxp {

// Smallest UDP payload of a handshake message, and the size that every path must carry (docs/protocol.md §2).
inline constexpr std::size_t kMinInitialSize = 1200;
inline constexpr std::size_t kMaxInitialSize = 1500;
// Largest UDP payload over IPv4.
inline constexpr std::size_t kMaxUdpPayload = 65507;

struct FlowControlConfig {
  std::uint64_t connection_window = 4u << 20;       // bytes a peer may have in flight to us over all streams, at first
  std::uint64_t max_connection_window = 64u << 20;  // the same, grown with the application's reading
  std::uint64_t stream_window = 1u << 20;           // bytes per stream, at first
  std::uint64_t max_stream_window = 32u << 20;      // the same, grown
  std::uint64_t max_streams_bidirectional = 1024;   // streams that the peer may have open at once
  std::uint64_t max_streams_unidirectional = 1024;
  std::size_t stream_send_buffer = 8u << 20;       // bytes that write() takes beyond what is acknowledged, per stream
  std::size_t connection_send_buffer = 32u << 20;  // the same over all streams: shared evenly, 16 KiB for each at least
  std::size_t max_reassembly_spans = 1024;         // gaps kept per stream: threat t07
};

enum class CongestionControl : std::uint8_t { cubic, none };  // none: a fixed huge window, for calibration only

struct RecoveryConfig {
  CongestionControl congestion_control = CongestionControl::cubic;
  Duration initial_rtt = std::chrono::milliseconds(333);   // RFC 9002 §6.2.2
  Duration max_ack_delay = std::chrono::milliseconds(25);  // how long we may hold back an acknowledgement
  bool pacing = true;
};

// When a connection turns to new keys by itself (docs/protocol.md §3.1), but no sooner than three probe timeouts after
// the last update was confirmed; the peer's updates are always followed. The defaults keep what one packet key opens
// small, and cost next to nothing: an update takes about as long as ten packets.
struct KeyUpdateConfig {
  std::uint64_t packets = 10'000;  // sent under one key; at least 1; above 2^20, 2^20 counts (the AEAD's limit is 2^23)
  Duration interval = std::chrono::seconds(60);  // since the last update; more than 0; Duration::max() = never by time
};

struct TransportConfig {
  Duration idle_timeout = std::chrono::seconds(30);  // 0 = none; the smaller of both sides counts
  Duration keepalive = Duration::zero();             // 0 = none; a PING after so much silence
  Duration handshake_timeout =
      std::chrono::seconds(10);  // the client gives up after it; a server forgets a half-open handshake and its answer
  std::size_t max_udp_payload = kMinInitialSize;  // largest datagram we build; by hand until path MTU discovery
  std::size_t max_receive_udp_payload =
      kMaxUdpPayload;  // bytes, taken as 1200..65507: largest we take, as the peer is told; the event loop has room
  FlowControlConfig flow_control;
  RecoveryConfig recovery;
  KeyUpdateConfig key_update;
};

struct EndpointLimits {
  std::size_t max_connections = 100'000;  // hard limit: an initial beyond it is answered with CONNECTION_REFUSED
  std::size_t max_half_open = 4096;       // handshakes not yet confirmed: bounds what replayed initials can hold
};

struct EndpointConfig {
  PrivateKey identity;
  bool accept = false;  // whether initials of clients are answered
  // Server: whether this client may connect. Called once for each verified initial; empty = everyone who knows our key.
  std::function<bool(const PublicKey& client)> authorize;
  std::vector<Suite> suites = {Suite::aes_256_gcm, Suite::chacha20_poly1305};  // in order of preference, never empty
  TransportConfig transport;
  EndpointLimits limits;
};

}  // namespace mxp
