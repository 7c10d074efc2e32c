// Every setting with its default, unit, range and reason. The defaults suit paths from a LAN to 300 ms of round trip at
// up to about 1 Gbit/s; what a limit protects is said beside it. A value outside its range is refused by validate(), and
// by whatever is built from the setting: nothing is rounded into its range in silence.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mxp/keys.h"
#include "mxp/time.h"

#pragma GCC visibility push(default)
namespace mxp {

// Smallest UDP payload of a handshake message, and the size that every path must carry (docs/protocol.md §2).
inline constexpr std::size_t kMinInitialSize = 1200;
inline constexpr std::size_t kMaxInitialSize = 1500;
// Largest UDP payload over IPv4.
inline constexpr std::size_t kMaxUdpPayload = 65507;

// Longest time that any setting takes: the longest idle timeout that can be announced (docs/protocol.md §2.2), 49.7
// days.
inline constexpr Duration kLongestSetting = std::chrono::milliseconds(std::uint64_t{1} << 32);
// Shortest, where zero means something else: what is announced is counted in whole milliseconds.
inline constexpr Duration kShortestSetting = std::chrono::milliseconds(1);

// Windows: 0 to 2^62 - 1 bytes, and a maximum below its window means that the window does not grow. Numbers of streams:
// 0 to 2^60. Buffers: 1 to 2^40 bytes. What they are in memory: docs/api.md, "Memory".
struct FlowControlConfig {
  std::uint64_t connection_window = 4u << 20;       // bytes a peer may have in flight to us over all streams, at first
  std::uint64_t max_connection_window = 64u << 20;  // the same, grown with the application's reading
  std::uint64_t stream_window = 1u << 20;           // bytes per stream, at first
  std::uint64_t max_stream_window = 32u << 20;      // the same, grown
  std::uint64_t max_streams_bidirectional = 1024;   // streams that the peer may have open at once
  std::uint64_t max_streams_unidirectional = 1024;
  std::size_t stream_send_buffer = 8u << 20;  // bytes that write() takes beyond what is acknowledged, per stream
  // The same over all streams: shared evenly as far as it is free, and 16 KiB for each stream in any case.
  std::size_t connection_send_buffer = 32u << 20;
  std::size_t max_reassembly_spans = 1024;  // gaps kept per stream, 1 to 65536: threat t07
};

enum class CongestionControl : std::uint8_t {
  bbr,      // models the path: full speed where packets are lost for other reasons than congestion
  cubic,    // RFC 9438: what most TCP senders do; every loss is congestion
  newreno,  // RFC 9002 §7: for reference
  none,     // a fixed huge window, for calibration only
};

struct RecoveryConfig {
  CongestionControl congestion_control = CongestionControl::bbr;
  Duration initial_rtt = std::chrono::milliseconds(333);  // RFC 9002 §6.2.2; 1 us to 60 s
  // How long we may hold back an acknowledgement; 0 to 16383 ms (docs/protocol.md §2.2).
  Duration max_ack_delay = std::chrono::milliseconds(25);
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
  // 0 = none, else 1 ms to 2^32 ms; the smaller of both sides counts, and never less than three probe timeouts.
  Duration idle_timeout = std::chrono::seconds(30);
  // A PING after so much silence; 0 = none, else 1 ms to 2^32 ms.
  Duration keepalive = Duration::zero();
  // The client gives up after it; a server forgets a half-open handshake and its answer. 1 ms to 2^32 ms.
  Duration handshake_timeout = std::chrono::seconds(10);
  // Largest datagram we build, 1200 to 65507 bytes; by hand until path MTU discovery.
  std::size_t max_udp_payload = kMinInitialSize;
  // Largest datagram we take, 1200 to 65507 bytes, as the peer is told; the event loop has room.
  std::size_t max_receive_udp_payload = kMaxUdpPayload;
  FlowControlConfig flow_control;
  RecoveryConfig recovery;
  KeyUpdateConfig key_update;
};

struct EndpointLimits {
  std::size_t max_connections = 100'000;  // hard limit: an initial beyond it is answered with CONNECTION_REFUSED
  std::size_t max_half_open = 4096;       // handshakes not yet confirmed: bounds what replayed initials can hold
  // Initials in a second, 1 to 1,000,000, that may cost public-key operations and lead to no connection, because they
  // are refused or never confirmed: beyond it they are dropped, and a client sends again. Those of clients that get in do
  // not count. The default takes about half of one core's time. Threat t18.
  std::size_t max_fruitless_handshakes = 2000;
};

struct EndpointConfig {
  PrivateKey identity;
  bool accept = false;  // whether initials of clients are answered
  // Server: whether this client may connect. Called once for each verified initial; empty = everyone who knows our key.
  std::function<bool(const PublicKey& client)> authorize;
  // In order of preference: at least one, each at most once.
  std::vector<Suite> suites = {Suite::aes_256_gcm, Suite::chacha20_poly1305};
  TransportConfig transport;
  EndpointLimits limits;
};

// A setting outside its range.
struct ConfigError {
  std::string_view field;  // as a program writes it from the struct it checked: "transport.idle_timeout"
  std::string value;       // what it was, with its unit: "4298400000 ms"
  std::string_view range;  // what is allowed: "0 (none), or 1 ms to 4294967296 ms"
};
// "transport.idle_timeout is 4298400000 ms; allowed: 0 (none), or 1 ms to 4294967296 ms"
std::string to_string(const ConfigError& error);

// The first setting that is outside its range. Fields are named from the struct that is given: "idle_timeout" here,
// "transport.idle_timeout" for an EndpointConfig. Endpoint and EventLoop check the same; a tool checks what its options
// make.
std::expected<void, ConfigError> validate(const TransportConfig& config);
std::expected<void, ConfigError> validate(const EndpointConfig& config);

}  // namespace mxp
#pragma GCC visibility pop
