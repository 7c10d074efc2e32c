// The message format: header, payload, checksum (docs/protocol.md §1). Encoding refuses what decoding would refuse.
#include <xxhash.h>

#include "core/cursor.h"
#include "message/header.h"
#include "mxp/message.h"
#include "mxp/require.h"

namespace mxp {
namespace {

struct Header {
  MessageType type = MessageType::event;
  std::uint8_t flags = 0;
  std::uint64_t id = 0;
  std::uint64_t trace_id = 0;
  std::uint64_t payload_size = 0;
};

// REQUIRES: at least kMessageHeaderSize bytes.
std::expected<Header, MessageError> read_header(ByteView bytes) {
  MXP_REQUIRE(bytes.size() >= kMessageHeaderSize);
  Reader in(bytes);
  if (*in.le<std::uint32_t>() != kMessageMagic) return std::unexpected(MessageError::bad_magic);
  Header header;
  const std::uint8_t type = *in.u8();
  if (!is_valid_message_type(type)) return std::unexpected(MessageError::unknown_type);
  header.type = static_cast<MessageType>(type);
  header.flags = *in.u8();
  if ((header.flags & ~kMessageFlagMask) != 0) return std::unexpected(MessageError::unknown_flag);
  if (*in.le<std::uint16_t>() != 0) return std::unexpected(MessageError::reserved_not_zero);
  header.id = *in.le<std::uint64_t>();
  header.trace_id = *in.le<std::uint64_t>();
  header.payload_size = *in.le<std::uint64_t>();
  if (header.payload_size > kMaxMessagePayload) return std::unexpected(MessageError::payload_too_large);
  return header;
}

}  // namespace

bool is_valid_message_type(std::uint8_t type) {
  return (type >= 0x80 && type <= 0xEF) || !to_string(static_cast<MessageType>(type)).empty();
}

std::string_view to_string(MessageType type) {
  switch (type) {
    case MessageType::agent_register: return "AgentRegister";
    case MessageType::agent_discover: return "AgentDiscover";
    case MessageType::agent_heartbeat: return "AgentHeartbeat";
    case MessageType::call: return "Call";
    case MessageType::response: return "Response";
    case MessageType::event: return "Event";
    case MessageType::stream_open: return "StreamOpen";
    case MessageType::stream_chunk: return "StreamChunk";
    case MessageType::stream_close: return "StreamClose";
    case MessageType::ack: return "Ack";
    case MessageType::error: return "Error";
  }
  return {};
}

MessageClass message_class(MessageType type) {
  switch (type) {
    case MessageType::call:
    case MessageType::response: return MessageClass::critical;
    case MessageType::agent_register:
    case MessageType::agent_discover:
    case MessageType::agent_heartbeat: return MessageClass::control;
    case MessageType::stream_open:
    case MessageType::stream_chunk:
    case MessageType::stream_close: return MessageClass::streaming;
    case MessageType::event:
    case MessageType::ack:
    case MessageType::error: break;
  }
  return MessageClass::background;  // application types too
}

std::string_view to_string(MessageError error) {
  switch (error) {
    case MessageError::truncated: return "message is cut off";
    case MessageError::bad_magic: return "message does not begin with the magic number";
    case MessageError::unknown_type: return "unknown message type";
    case MessageError::unknown_flag: return "unknown message flag";
    case MessageError::reserved_not_zero: return "reserved field of the message is not zero";
    case MessageError::payload_too_large: return "message payload is larger than 16 MiB";
    case MessageError::checksum_mismatch: return "message checksum does not match";
    case MessageError::trailing_bytes: return "bytes follow the message";
    case MessageError::buffer_too_small: return "buffer is too small for the message";
    case MessageError::bad_payload: return "message payload does not fit its type";
  }
  return "unknown error";
}

void write_message_header(Writer& out, const Message& message) {
  MXP_REQUIRE(out.space() >= kMessageHeaderSize);
  out.le(kMessageMagic);
  out.u8(static_cast<std::uint8_t>(message.type));
  out.u8(message.flags);
  out.le(std::uint16_t{0});
  out.le(message.id);
  out.le(message.trace_id);
  out.le(std::uint64_t{message.payload.size()});
}

std::expected<std::size_t, MessageError> encode_message(const Message& message, MutableBytes out) {
  if (!is_valid_message_type(static_cast<std::uint8_t>(message.type)))
    return std::unexpected(MessageError::unknown_type);
  if ((message.flags & ~kMessageFlagMask) != 0) return std::unexpected(MessageError::unknown_flag);
  if (message.payload.size() > kMaxMessagePayload) return std::unexpected(MessageError::payload_too_large);
  if (out.size() < encoded_size(message)) return std::unexpected(MessageError::buffer_too_small);
  Writer writer(out);
  write_message_header(writer, message);
  writer.bytes(message.payload);
  writer.le(std::uint64_t{XXH3_64bits(out.data(), writer.written())});
  return writer.written();
}

std::expected<Message, MessageError> decode_message(ByteView bytes) {
  if (bytes.size() < kMessageHeaderSize) return std::unexpected(MessageError::truncated);
  const auto header = read_header(bytes);
  if (!header) return std::unexpected(header.error());
  Reader in(bytes.subspan(kMessageHeaderSize));
  const auto payload = in.bytes(header->payload_size);
  if (!payload) return std::unexpected(MessageError::truncated);
  const auto checksum = in.le<std::uint64_t>();
  if (!checksum) return std::unexpected(MessageError::truncated);
  if (!in.empty()) return std::unexpected(MessageError::trailing_bytes);
  if (*checksum != XXH3_64bits(bytes.data(), kMessageHeaderSize + payload->size())) {
    return std::unexpected(MessageError::checksum_mismatch);
  }
  return Message{header->type, header->flags, header->id, header->trace_id, *payload};
}

std::expected<std::optional<std::size_t>, MessageError> message_size(ByteView bytes) {
  if (bytes.size() < kMessageHeaderSize) return std::optional<std::size_t>();
  const auto header = read_header(bytes);
  if (!header) return std::unexpected(header.error());
  return static_cast<std::size_t>(header->payload_size) + kMessageOverhead;
}

}  // namespace mxp
