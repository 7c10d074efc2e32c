#include "message/compact.h"

#include <optional>

#include "core/cursor.h"

namespace mxp {
namespace {

// The bits of the second byte; the low four are the message's flags.
constexpr std::uint8_t kFixedId = 0x10, kHasTraceId = 0x20, kFixedTraceId = 0x40, kReserved = 0x80;

// A varint of 8 bytes has no advantage over 8 bytes, and carries only 62 bits of them.
bool is_fixed(std::uint64_t id) { return id > kMaxVarint || varint_size(id) == sizeof(id); }
std::size_t size_of(std::uint64_t id) { return is_fixed(id) ? sizeof(id) : varint_size(id); }
void write_id(Writer& out, std::uint64_t id) { is_fixed(id) ? out.le(id) : out.varint(id); }
std::optional<std::uint64_t> read_id(Reader& in, bool fixed) { return fixed ? in.le<std::uint64_t>() : in.varint(); }

}  // namespace

std::size_t compact_size(const Message& message) {
  return 2 + size_of(message.id) + (message.trace_id == 0 ? 0 : size_of(message.trace_id)) + message.payload.size();
}

std::expected<std::size_t, MessageError> encode_compact(const Message& message, MutableBytes out) {
  if (!is_valid_message_type(static_cast<std::uint8_t>(message.type)))
    return std::unexpected(MessageError::unknown_type);
  if ((message.flags & ~kMessageFlagMask) != 0) return std::unexpected(MessageError::unknown_flag);
  if (message.payload.size() > kMaxMessagePayload) return std::unexpected(MessageError::payload_too_large);
  if (out.size() < compact_size(message)) return std::unexpected(MessageError::buffer_too_small);
  std::uint8_t what = message.flags;
  if (is_fixed(message.id)) what |= kFixedId;
  if (message.trace_id != 0) what |= is_fixed(message.trace_id) ? kHasTraceId | kFixedTraceId : kHasTraceId;
  Writer writer(out);
  writer.u8(static_cast<std::uint8_t>(message.type));
  writer.u8(what);
  write_id(writer, message.id);
  if (message.trace_id != 0) write_id(writer, message.trace_id);
  writer.bytes(message.payload);
  return writer.written();
}

std::expected<Message, MessageError> decode_compact(ByteView bytes) {
  Reader in(bytes);
  const auto type = in.u8();
  if (!type) return std::unexpected(MessageError::truncated);
  if (!is_valid_message_type(*type)) return std::unexpected(MessageError::unknown_type);
  const auto what = in.u8();
  if (!what) return std::unexpected(MessageError::truncated);
  const bool has_trace_id = (*what & kHasTraceId) != 0, fixed_trace_id = (*what & kFixedTraceId) != 0;
  if ((*what & kReserved) != 0 || (fixed_trace_id && !has_trace_id))
    return std::unexpected(MessageError::reserved_not_zero);
  const auto id = read_id(in, (*what & kFixedId) != 0);
  if (!id) return std::unexpected(MessageError::truncated);
  const auto trace_id = has_trace_id ? read_id(in, fixed_trace_id) : std::optional<std::uint64_t>(0);
  if (!trace_id) return std::unexpected(MessageError::truncated);
  if (in.remaining() > kMaxMessagePayload) return std::unexpected(MessageError::payload_too_large);
  const auto flags = static_cast<std::uint8_t>(*what & kMessageFlagMask);
  return Message{static_cast<MessageType>(*type), flags, *id, *trace_id, in.rest()};
}

}  // namespace mxp
