// Every setting with its default, unit, range and reason. The defaults suit paths from a LAN to 300 ms of round trip at
// up to about 1 Gbit/s; what a limit protects is said beside it. A value outside its range is refused by validate() and
// by whatever is built from the setting. Where a value within its range counts as another one, its comment says so.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mxp/keys.h"
#include "mxp/message.h"
#include "mxp/rate.h"
#include "mxp/time.h"

#pragma GCC visibility push(default)
namespace mxp {

// Smallest UDP payload of a handshake message, and the size that every path must carry (docs/protocol.md §2).
inline constexpr std::size_t kMinInitialSize = 1200;
inline constexpr std::size_t kMaxInitialSize = 1500;
// Largest UDP payload over IPv4.
inline constexpr std::size_t kMaxUdpPayload = 65507;

// The longest timeout that can be set: the longest idle timeout that can be announced (docs/protocol.md §2.2), 49.7
// days.
inline constexpr Duration kLongestSetting = std::chrono::milliseconds(std::uint64_t{1} << 32);
// The shortest timeout other than "none": timeouts are announced in whole milliseconds.
inline constexpr Duration kShortestSetting = std::chrono::milliseconds(1);

// Windows: 0 to 2^62 - 1 bytes; a window whose maximum is smaller than itself does not grow. Numbers of streams: 0 to
// 2^60. Buffers: 1 to 2^40 bytes. How much memory they take: docs/api.md, "Memory".
struct FlowControlConfig {
  std::uint64_t connection_window = 4u << 20;       // bytes that the peer may send ahead of our reading, at first
  std::uint64_t max_connection_window = 64u << 20;  // what it may grow to when the application reads fast
  std::uint64_t stream_window = 1u << 20;           // the same for one stream, at first
  std::uint64_t max_stream_window = 32u << 20;      // what that may grow to
  std::uint64_t max_streams_bidirectional = 1024;   // streams that the peer may have open at once
  std::uint64_t max_streams_unidirectional = 1024;
  // Bytes that write() takes beyond what is acknowledged, per stream, at most: how much it takes follows the path.
  std::size_t stream_send_buffer = 8u << 20;
  // The same over all streams, which share it evenly. A stream may take 16 KiB even when nothing is left.
  std::size_t connection_send_buffer = 32u << 20;
  // Pieces kept per stream that wait behind a gap, 1 to 65536; any number of them if they have 512 bytes or more in the
  // mean, as what is left of whole packets has. Threat t07.
  std::size_t max_reassembly_spans = 1024;
};

// How the classes of docs/protocol.md §1 share a connection when several of them have something to send.
struct SchedulerConfig {
  // Critical, control, streaming, background: shares of the bytes, 1 to 1000 each. None starves: with the defaults a
  // saturated background class still gets a fifteenth.
  std::array<std::uint32_t, kMessageClasses> class_weights = {8, 4, 2, 1};
  // So many bytes of the critical class may pass all the others before it is held to its share; 0 to 2^40.
  std::uint64_t critical_burst = 64 * 1024;
  // Messages that are not critical and do not fill a packet wait until so long after the packet before them, so that
  // they share one; a message that comes alone goes at once. 0 to 10 ms; 0 = they never wait.
  Duration coalescing_delay = std::chrono::microseconds(50);
  // Whether what is critical goes once more, up to two milliseconds later, unless it is acknowledged by then
  // (tail-loss repair): a lossy call costs little more than others, for at most 3 per cent of the bytes and 12,000
  // bytes in each round trip.
  bool tail_repair = true;
};

enum class MessagePayloads : std::uint8_t {
  // The application is told the plain payload, and Message::origin how it came. What cannot be opened (sealed to
  // another key, damaged, too large) is told as it is: its flags say so.
  opened,
  as_they_are,  // for a relay that passes messages on: nothing is opened, and nothing waits for that
};

// Messages (docs/protocol.md §5.2). The defaults let 16,384 messages of up to 72 bytes of payload be under way at once.
struct MessageConfig {
  // Messages that the peer may have under way to us; 0 = we take none, else 1 to 2^20. A bit is kept for each.
  std::uint64_t window = 16'384;
  // Bytes of messages that the peer may send ahead of our taking them, at first, and what that may grow to; 2048 to
  // 2^40 bytes. A message counts with its header and checksum, in whatever form it travels.
  std::uint64_t receive_window = 2u << 20;
  std::uint64_t max_receive_window = 24u << 20;
  // Largest payload that the peer may send, kMaxShortMessage to kMaxMessagePayload bytes. It is less where a message of
  // this size would not fit into max_receive_window beside an eighth of receive_window. The window grows at once for a
  // long message that does not fit.
  std::uint64_t max_message = kMaxMessagePayload;
  // Bytes that each class may hold, 2048 to 2^40: messages in the form that they travel in, and 40 bytes for each, from
  // send_message on until they and all before them in the class are settled. Half of it must be free again before
  // on_messages_writable is told. A class that holds nothing takes one message of any size.
  std::size_t send_buffer = 4u << 20;
  // Whether messages travel without what the frame says already (docs/protocol.md §1.1), where the peer wants it too.
  bool compaction = true;
  // What is done with payloads that come compressed, or sealed to our static key.
  MessagePayloads payloads = MessagePayloads::opened;
  // Bytes that a compressed payload may hold, 0 to 16,777,216: a larger one is told as it is. An endpoint keeps room
  // for the largest that came, until one of its connections has been idle for a while.
  std::size_t max_decompressed = 16u << 20;
};

// Calls and their answers (mxp/call.h). They are off by default, because they claim messages for themselves: where they
// are on, Handler::on_message is no longer told of Calls, nor of Responses and Errors to calls of ours, and an
// application that answers Calls itself would wait for them in vain. The peer is not told of this setting.
struct CallConfig {
  bool enabled = false;
  // Calls of ours that may wait for their answers at a time, 1 to 65,536.
  std::size_t max_waiting = 1024;
  // Calls of the peer that may be open at a time, 1 to 65,536. The newest beyond it is refused: ErrorReason::too_many.
  std::size_t max_incoming = 1024;
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
  // Packets are sent with ECN marks where the path carries them, and the peer's reports of congestion are heeded like a
  // loss (docs/protocol.md §6). CongestionControl::none sends no marks, since it would not heed the reports.
  bool ecn = true;
  // How many packets' times of arrival the peer may tell in one ACK, and how many it is told, if it wants that too: the
  // smaller of both sides' values counts for what we tell. 0 (none) to 64. ConnectionStats::forward_queue_delay needs
  // it, at about three bytes for each packet that is acknowledged; nothing is decided by it (docs/protocol.md §4.2).
  std::size_t receive_times_per_ack = 0;
};

// When a connection turns to new keys by itself (docs/protocol.md §3.1): as soon as one of these is reached, but not
// within three probe timeouts after the last update was confirmed. The peer's updates are followed whatever is set.
// With the defaults one packet key opens little, and the cost is next to nothing: an update takes about as long as ten
// packets.
struct KeyUpdateConfig {
  std::uint64_t packets = 10'000;  // sent under one key; at least 1; above 2^20 counts as 2^20 (AEAD limit: 2^23)
  Duration interval = std::chrono::seconds(60);  // since the last update; more than 0; Duration::max() = never by time
};

// Datagrams (mxp/datagram.h). The bounds of the queue are for one connection; what waits there is memory.
struct DatagramConfig {
  // Bytes of the largest datagram that we take, 0 to 65507. 0 = none: the peer may send none. It has to fit into a UDP
  // payload that we take as well (max_receive_udp_payload), with 30 bytes to spare.
  std::size_t max_payload = 0;
  std::size_t queue_bytes = 1u << 20;  // that wait to be sent, 1 to 2^30
  std::size_t queue_datagrams = 1024;  // that wait to be sent, 1 to 2^20
  ByteRate rate = {};                  // of what is sent, congestion control apart; zero = no limit, else at least 1000
  std::size_t burst_bytes = 64u << 10;  // that `rate` lets go at once after a pause, 1 to 2^30
};

struct TransportConfig {
  // 0 = none, else 1 ms to 2^32 ms. The smaller of both sides' values counts, but a connection is never given up before
  // three probe timeouts, or 60 s if that is less, have passed in silence.
  Duration idle_timeout = std::chrono::seconds(30);
  // A PING is sent after so much silence; 0 = none, else 1 ms to 2^32 ms.
  Duration keepalive = Duration::zero();
  // After this time a client gives up, and a server forgets a half-open handshake and its answer. 1 ms to 2^32 ms.
  Duration handshake_timeout = std::chrono::seconds(10);
  // Largest UDP payload we send, 1200 to 65507 bytes: an upper bound. How much the path carries is found out while data
  // is sent, from 1200 bytes upwards (RFC 8899); 1200 means that nothing larger is tried.
  std::size_t max_udp_payload = kMaxUdpPayload;
  // Largest UDP payload we take, 1200 to 65507 bytes. The peer is told, and the event loop's buffers have room for it.
  std::size_t max_receive_udp_payload = kMaxUdpPayload;
  // Whether the connection follows a client to another address (a NAT that forgot its entry, another network), and a
  // client may move of its own accord. Both sides must want it: otherwise the connection ends where its addresses do.
  bool migration = true;
  FlowControlConfig flow_control;
  SchedulerConfig scheduler;
  MessageConfig messages;
  CallConfig calls;
  RecoveryConfig recovery;
  KeyUpdateConfig key_update;
  DatagramConfig datagrams;
};

struct EndpointLimits {
  std::size_t max_connections = 100'000;  // hard limit: an initial beyond it is answered with CONNECTION_REFUSED
  // Of one client's key, at least 1: an initial beyond it is answered with CONNECTION_REFUSED, and other keys still get
  // in. Threat t56.
  std::size_t max_connections_per_key = 1024;
  // Bytes that all connections together may hold, 1 MiB to 2^50 bytes: 9600 for each, its buffers and its records of
  // packets. Above half of it receive windows no longer grow. Above seven eighths connections are closed with
  // INTERNAL_ERROR until it is three quarters: each time the largest one of the key that holds most. Initials are
  // answered with CONNECTION_REFUSED if all connections would take seven eighths without their buffers.
  std::size_t memory = 1u << 30;
  // The same for the connections of one client's key, 1 MiB to 2^50 bytes. Above half of it their windows no longer
  // grow. Where there is no room for another connection, it is refused; a connection that goes beyond it is closed.
  std::size_t memory_per_key = 256u << 20;
  std::size_t max_half_open = 4096;  // handshakes not yet confirmed: bounds what replayed initials can hold
  // Initials in a second, 1 to 1,000,000, that may cost public-key operations and lead to no connection, because they
  // are refused or never confirmed. Beyond that initials are dropped, and their clients send again. Initials of clients
  // that get in do not count. The default takes about half of one core's time. Threat t18.
  std::size_t max_fruitless_handshakes = 2000;
  // Sealed payloads that are opened in a second, 1 to 1,000,000, over all connections; each 256 KiB that are
  // decompressed count as one of them, and a compressed payload counts as 4 KiB at least. Beyond that, messages with
  // such payloads wait, one of each connection in turn. The default takes about a fifth of one core's time. Threat t80.
  std::size_t max_opened_payloads = 2500;
};

// For servers whose connection ids tell the holder of `key` which worker or machine issued them, so that a datagram
// finds the one that has the connection (docs/protocol.md §3.2). To everybody else they look random. No two endpoints
// that are reached at one address may have the same key and the same three numbers, not even one after the other: their
// ids would be the same. `generation` is what changes when an endpoint is started anew; after 256 starts take another
// key.
struct ConnectionIdOrigin {
  std::array<std::uint8_t, 16> key = {};  // secret and random, shared by all that tell origins
  std::uint8_t worker = 0;
  std::uint8_t generation = 0;
  std::uint8_t server = 0;
};

struct EndpointConfig {
  PrivateKey identity;
  bool accept = false;  // whether initials of clients are answered
  // Server: whether this client may connect; empty = everyone who knows our key may. Called for each initial that
  // verifies and is not answered from memory, so more than once for a client that tries again with a new one.
  std::function<bool(const PublicKey& client)> authorize;
  // In order of preference: at least one, each at most once.
  std::vector<Suite> suites = {Suite::aes_256_gcm, Suite::chacha20_poly1305};
  TransportConfig transport;
  EndpointLimits limits;
  // Without it connection ids are random.
  std::optional<ConnectionIdOrigin> connection_ids;
};

// A setting outside its range.
struct ConfigError {
  std::string_view field;  // its path from the struct that was checked: "transport.idle_timeout"
  std::string value;       // what it was set to, with its unit: "4298400000 ms"
  std::string_view range;  // what is allowed: "0 (none), or 1 ms to 4294967296 ms"
};
// "transport.idle_timeout is 4298400000 ms; allowed: 0 (none), or 1 ms to 4294967296 ms"
std::string to_string(const ConfigError& error);

// The error names the first setting that is outside its range, by its path from the struct that is given:
// "idle_timeout" for a TransportConfig, "transport.idle_timeout" for an EndpointConfig. Endpoint and EventLoop make the
// same check themselves; these functions are for a program that wants to know before it builds one.
std::expected<void, ConfigError> validate(const TransportConfig& config);
std::expected<void, ConfigError> validate(const EndpointConfig& config);

}  // namespace mxp
#pragma GCC visibility pop
