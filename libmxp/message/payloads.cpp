// The payloads that have a layout (docs/protocol.md §1). Each fills its payload exactly.
#include <algorithm>
#include <limits>

#include "core/cursor.h"
#include "core/utf8.h"
#include "mxp/message.h"

namespace mxp {
namespace {

constexpr std::unexpected<MessageError> kBadPayload(MessageError::bad_payload);
constexpr std::size_t kMaxU16 = std::numeric_limits<std::uint16_t>::max();
constexpr std::uint8_t kOneWay = 1, kBothWays = 2;

bool is_writable_text(const std::string& text) { return text.size() <= kMaxU16 && is_valid_utf8(as_bytes(text)); }

void write_text(Writer& out, const std::string& text) {
  out.le(static_cast<std::uint16_t>(text.size()));
  out.bytes(as_bytes(text));
}

// u16 length ‖ UTF-8.
std::optional<std::string> read_text(Reader& in) {
  const auto size = in.le<std::uint16_t>();
  if (!size) return std::nullopt;
  const auto bytes = in.bytes(*size);
  if (!bytes || !is_valid_utf8(*bytes)) return std::nullopt;
  return std::string(bytes->begin(), bytes->end());
}

template <std::size_t N>
bool read_array(Reader& in, std::array<std::uint8_t, N>& out) {
  const auto bytes = in.bytes(N);
  if (!bytes) return false;
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return true;
}

}  // namespace

std::vector<std::uint8_t> encode_payload(const AgentRegisterPayload& payload) {
  if (!is_writable_text(payload.name) || payload.capabilities.size() > kMaxU16 ||
      !std::all_of(payload.capabilities.begin(), payload.capabilities.end(), is_writable_text)) {
    return {};
  }
  std::size_t size = payload.agent.size() + 2 + payload.name.size() + 2 + payload.ipv4.size() + 2;
  for (const std::string& capability : payload.capabilities) size += 2 + capability.size();
  std::vector<std::uint8_t> bytes(size);
  Writer out(bytes);
  out.bytes(payload.agent);
  write_text(out, payload.name);
  out.le(static_cast<std::uint16_t>(payload.capabilities.size()));
  for (const std::string& capability : payload.capabilities) write_text(out, capability);
  out.bytes(payload.ipv4);
  out.le(payload.port);
  return bytes;
}

std::vector<std::uint8_t> encode_payload(const CallPayload& payload) {
  std::vector<std::uint8_t> bytes(payload.target.size() + sizeof(payload.timeout_seconds) + payload.data.size());
  Writer out(bytes);
  out.bytes(payload.target);
  out.le(payload.timeout_seconds);
  out.bytes(payload.data);
  return bytes;
}

std::vector<std::uint8_t> encode_payload(const StreamOpenPayload& payload) {
  std::vector<std::uint8_t> bytes(payload.stream.size() + payload.target.size() + 1);
  Writer out(bytes);
  out.bytes(payload.stream);
  out.bytes(payload.target);
  out.u8(payload.both_ways ? kBothWays : kOneWay);
  return bytes;
}

std::expected<AgentRegisterPayload, MessageError> decode_agent_register(ByteView payload) {
  Reader in(payload);
  AgentRegisterPayload result;
  if (!read_array(in, result.agent)) return kBadPayload;
  auto name = read_text(in);
  if (!name) return kBadPayload;
  result.name = std::move(*name);
  const auto count = in.le<std::uint16_t>();
  if (!count) return kBadPayload;
  for (std::size_t i = 0; i < *count; ++i) {
    auto capability = read_text(in);
    if (!capability) return kBadPayload;
    result.capabilities.push_back(std::move(*capability));
  }
  if (!read_array(in, result.ipv4)) return kBadPayload;
  const auto port = in.le<std::uint16_t>();
  if (!port || !in.empty()) return kBadPayload;
  result.port = *port;
  return result;
}

std::expected<CallPayload, MessageError> decode_call(ByteView payload) {
  Reader in(payload);
  CallPayload result;
  if (!read_array(in, result.target)) return kBadPayload;
  const auto timeout = in.le<std::uint32_t>();
  if (!timeout) return kBadPayload;
  result.timeout_seconds = *timeout;
  result.data = in.rest();
  return result;
}

std::expected<StreamOpenPayload, MessageError> decode_stream_open(ByteView payload) {
  Reader in(payload);
  StreamOpenPayload result;
  if (!read_array(in, result.stream) || !read_array(in, result.target)) return kBadPayload;
  const auto ways = in.u8();
  if (!ways || !in.empty() || (*ways != kOneWay && *ways != kBothWays)) return kBadPayload;
  result.both_ways = *ways == kBothWays;
  return result;
}

}  // namespace mxp
