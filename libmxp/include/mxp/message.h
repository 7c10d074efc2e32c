// The MXP message format of the public draft (docs/protocol.md §1), byte for byte: 32 bytes of header, the payload,
// eight bytes of XXH3-64. Everything here is a pure function over caller-owned memory; any thread may call it.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mxp/bytes.h"
#include "mxp/keys.h"

#pragma GCC visibility push(default)
namespace mxp {

inline constexpr std::uint32_t kMessageMagic = 0x4D585031;  // on the wire: 31 50 58 4D
inline constexpr std::size_t kMessageHeaderSize = 32;
inline constexpr std::size_t kMessageChecksumSize = 8;
inline constexpr std::size_t kMessageOverhead = kMessageHeaderSize + kMessageChecksumSize;
inline constexpr std::uint64_t kMaxMessagePayload = 16u << 20;

// 0x80..0xEF belong to applications and are passed on as they are.
enum class MessageType : std::uint8_t {
  agent_register = 0x01,
  agent_discover = 0x02,
  agent_heartbeat = 0x03,
  call = 0x10,
  response = 0x11,
  event = 0x12,
  stream_open = 0x20,
  stream_chunk = 0x21,
  stream_close = 0x22,
  ack = 0xF0,
  error = 0xF1,
};
bool is_valid_message_type(std::uint8_t type);
// "Call", "Event", …. Empty for an application's type and for an invalid one: the caller finds words for those.
std::string_view to_string(MessageType type);

enum class MessageFlag : std::uint8_t { compressed = 1, encrypted = 2, requires_ack = 4, final = 8 };
inline constexpr std::uint8_t kMessageFlagMask = 0x0F;

// Highest first (docs/protocol.md §1, "classes").
enum class MessageClass : std::uint8_t { critical, control, streaming, background };
inline constexpr std::size_t kMessageClasses = 4;
MessageClass message_class(MessageType type);  // application types are background

// How the payload of a message came that its connection has opened (MessageConfig::payloads).
struct PayloadOrigin {
  std::uint8_t flags = 0;  // MessageFlag bits that the message came with and that are undone: compressed, encrypted
  // encrypted: whose key sealed it. That is proven, and need not be the peer, which may have carried it for another.
  PublicKey sealed_by;
};

struct Message {
  MessageType type = MessageType::event;
  std::uint8_t flags = 0;  // MessageFlag bits; of these, compressed and encrypted say what `payload` is
  std::uint64_t id = 0;
  std::uint64_t trace_id = 0;
  ByteView payload;  // at most kMaxMessagePayload bytes; a view of the caller's memory
  // Only in a message that a connection has opened, and as long as its payload is valid. The codec leaves it alone.
  const PayloadOrigin* origin = nullptr;
};

enum class MessageError : std::uint8_t {
  truncated,  // fewer bytes than the header and its length field ask for
  bad_magic,
  unknown_type,
  unknown_flag,
  reserved_not_zero,
  payload_too_large,
  checksum_mismatch,
  trailing_bytes,    // decode_message only: bytes after the checksum
  buffer_too_small,  // encode only
  bad_payload,       // a payload layout that does not fit its type
};
std::string_view to_string(MessageError error);

// Bytes that the encoded message takes.
constexpr std::size_t encoded_size(const Message& message) { return message.payload.size() + kMessageOverhead; }
// Writes the message to `out` and returns the bytes used. Errors: unknown_type, unknown_flag, payload_too_large,
// buffer_too_small. `out` needs encoded_size(message) bytes.
std::expected<std::size_t, MessageError> encode_message(const Message& message, MutableBytes out);
// `bytes` is exactly one message. The payload of the result is a view into `bytes`. Errors: all but buffer_too_small
// and bad_payload.
std::expected<Message, MessageError> decode_message(ByteView bytes);
// For streams: the size of the whole message that starts at `bytes`, or nullopt while fewer than 32 bytes are there.
// The header's fields are checked at once, so that garbage is refused before its length is believed.
std::expected<std::optional<std::size_t>, MessageError> message_size(ByteView bytes);

// Payloads with a layout (docs/protocol.md §1).
using Uuid = std::array<std::uint8_t, 16>;
struct AgentRegisterPayload {
  Uuid agent{};
  std::string name;                       // UTF-8, at most 65,535 bytes
  std::vector<std::string> capabilities;  // UTF-8 each
  std::array<std::uint8_t, 4> ipv4{};
  std::uint16_t port = 0;
};
struct CallPayload {
  Uuid target{};
  std::uint32_t timeout_seconds = 0;
  ByteView data;
};
struct StreamOpenPayload {
  Uuid stream{};
  Uuid target{};
  bool both_ways = false;
};
// The first returns an empty vector on error, since no payload with a layout is empty: when a text is longer than
// 65,535 bytes or not UTF-8, or when there are more than 65,535 capabilities. The others cannot fail. The only error of
// the decoders is bad_payload; `data` of a decoded CallPayload is a view into `payload`.
std::vector<std::uint8_t> encode_payload(const AgentRegisterPayload& payload);
std::vector<std::uint8_t> encode_payload(const CallPayload& payload);
std::vector<std::uint8_t> encode_payload(const StreamOpenPayload& payload);
std::expected<AgentRegisterPayload, MessageError> decode_agent_register(ByteView payload);
std::expected<CallPayload, MessageError> decode_call(ByteView payload);
std::expected<StreamOpenPayload, MessageError> decode_stream_open(ByteView payload);

// Payloads whose layout is ours, since the public draft leaves them opaque (docs/protocol.md §1.3). They are what a
// registry is spoken to with (mxp/agent_registry.h).
enum class AgentState : std::uint8_t { alive = 1, leaving = 2 };
struct AgentHeartbeatPayload {
  Uuid agent{};
  AgentState state = AgentState::alive;
};
struct AgentDiscoverPayload {
  enum class By : std::uint8_t { name = 1, capability = 2, agent = 3 };
  By by = By::name;
  Uuid after{};           // agents with larger UUIDs only: zero at first, then the last agent of the answer before
  std::string_view text;  // the whole name or capability, UTF-8, at most 65,535 bytes; empty for By::agent
  Uuid agent{};           // By::agent only
};
// Answers to AgentRegister and AgentHeartbeat: how long the agent stays without another heartbeat. 0 after `leaving`.
struct AgentLeasePayload {
  std::uint32_t lifetime_seconds = 0;
};
// Answers AgentDiscover.
struct AgentListPayload {
  struct Agent {
    PublicKey owner;  // who registered it
    AgentRegisterPayload description;
  };
  bool more = false;          // ask again with the last agent as `after`
  std::vector<Agent> agents;  // in the order of their UUIDs; at most 65,535
};
// Payload of an Error message. What lies above 0x8000 is an application's.
enum class ErrorReason : std::uint16_t {
  bad_payload = 1,    // the payload does not fit its type
  taken = 2,          // the agent belongs to another key
  full = 3,           // there is no room for another agent
  unknown_agent = 4,  // the agent is not registered, or its time has passed
  too_large = 5,      // the agent's description is larger than is taken
  too_many = 6,       // as many calls are open as the peer may have (docs/protocol.md §5.3)
  cancelled = 7,      // no answer: the sender takes its own call with this message id back
};
struct ErrorPayload {
  ErrorReason reason = ErrorReason::bad_payload;
  std::string_view text;  // for people, UTF-8; escape it before it is shown (mxp/text.h)
};
// As above. The vector is empty on error: a text that is too long or not UTF-8, or too many agents. Texts of decoded
// AgentDiscover and Error payloads are views into `payload`.
std::vector<std::uint8_t> encode_payload(const AgentHeartbeatPayload& payload);
std::vector<std::uint8_t> encode_payload(const AgentDiscoverPayload& payload);
std::vector<std::uint8_t> encode_payload(const AgentLeasePayload& payload);
std::vector<std::uint8_t> encode_payload(const AgentListPayload& payload);
std::vector<std::uint8_t> encode_payload(const ErrorPayload& payload);
std::expected<AgentHeartbeatPayload, MessageError> decode_agent_heartbeat(ByteView payload);
std::expected<AgentDiscoverPayload, MessageError> decode_agent_discover(ByteView payload);
std::expected<AgentLeasePayload, MessageError> decode_agent_lease(ByteView payload);
std::expected<AgentListPayload, MessageError> decode_agent_list(ByteView payload);
std::expected<ErrorPayload, MessageError> decode_error(ByteView payload);

}  // namespace mxp
#pragma GCC visibility pop
