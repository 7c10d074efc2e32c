// The payloads that have a layout in the public draft (docs/protocol.md §1). Each fills its payload exactly.
#include <algorithm>

#include "message/payload_parts.h"
#include "message/payload_writer.h"

namespace mxp {
namespace {

constexpr std::uint8_t kOneWay = 1, kBothWays = 2;

}  // namespace

std::vector<std::uint8_t> encode_payload(const AgentRegisterPayload& payload) {
  if (!is_writable_text(payload.name) || payload.capabilities.size() > kMaxTextSize ||
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
  std::vector<std::uint8_t> bytes(kCallPayloadOverhead + payload.data.size());
  Writer out(bytes);
  write_payload(out, payload);
  return bytes;
}

bool write_payload(Writer& out, const CallPayload& payload) {
  return out.bytes(payload.target) && out.le(payload.timeout_seconds) && out.bytes(payload.data);
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
  auto result = read_agent_register(in);
  if (!result || !in.empty()) return kBadPayload;
  return std::move(*result);
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
