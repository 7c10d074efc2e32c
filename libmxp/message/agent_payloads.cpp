// The payloads whose layout is ours (docs/protocol.md §1.3). Each fills its payload exactly.
#include "message/payload_parts.h"
#include "message/payload_writer.h"

namespace mxp {
namespace {

using Bytes = std::vector<std::uint8_t>;
using By = AgentDiscoverPayload::By;

}  // namespace

Bytes encode_payload(const AgentHeartbeatPayload& payload) {
  Bytes bytes(payload.agent.size() + 1);
  Writer out(bytes);
  out.bytes(payload.agent);
  out.u8(static_cast<std::uint8_t>(payload.state));
  return bytes;
}

Bytes encode_payload(const AgentDiscoverPayload& payload) {
  if (!is_writable_text(payload.text)) return {};
  const ByteView value = payload.by == By::agent ? ByteView(payload.agent) : as_bytes(payload.text);
  Bytes bytes(1 + payload.after.size() + value.size());
  Writer out(bytes);
  out.u8(static_cast<std::uint8_t>(payload.by));
  out.bytes(payload.after);
  out.bytes(value);
  return bytes;
}

Bytes encode_payload(const AgentLeasePayload& payload) {
  Bytes bytes(sizeof(payload.lifetime_seconds));
  Writer(bytes).le(payload.lifetime_seconds);
  return bytes;
}

Bytes encode_payload(const AgentListPayload& payload) {
  if (payload.agents.size() > kMaxTextSize) return {};
  Bytes bytes(3);
  Writer out(bytes);
  out.u8(payload.more ? 1 : 0);
  out.le(static_cast<std::uint16_t>(payload.agents.size()));
  for (const AgentListPayload::Agent& agent : payload.agents) {
    const Bytes description = encode_payload(agent.description);
    if (description.empty()) return {};
    bytes.insert(bytes.end(), agent.owner.bytes().begin(), agent.owner.bytes().end());
    bytes.insert(bytes.end(), description.begin(), description.end());
  }
  return bytes;
}

Bytes encode_payload(const ErrorPayload& payload) {
  if (!is_writable_text(payload.text)) return {};
  Bytes bytes(kErrorPayloadOverhead + payload.text.size());
  Writer out(bytes);
  write_payload(out, payload);
  return bytes;
}

bool write_payload(Writer& out, const ErrorPayload& payload) {
  return is_writable_text(payload.text) && out.le(static_cast<std::uint16_t>(payload.reason)) &&
         out.bytes(as_bytes(payload.text));
}

std::expected<AgentHeartbeatPayload, MessageError> decode_agent_heartbeat(ByteView payload) {
  Reader in(payload);
  AgentHeartbeatPayload result;
  if (!read_array(in, result.agent)) return kBadPayload;
  const auto state = in.u8();
  if (!state || !in.empty() || *state < 1 || *state > 2) return kBadPayload;
  result.state = static_cast<AgentState>(*state);
  return result;
}

std::expected<AgentDiscoverPayload, MessageError> decode_agent_discover(ByteView payload) {
  Reader in(payload);
  AgentDiscoverPayload result;
  const auto by = in.u8();
  if (!by || *by < 1 || *by > 3 || !read_array(in, result.after)) return kBadPayload;
  result.by = static_cast<By>(*by);
  if (result.by == By::agent) {
    if (!read_array(in, result.agent) || !in.empty()) return kBadPayload;
    return result;
  }
  result.text = as_text(in.rest());
  if (!is_writable_text(result.text)) return kBadPayload;
  return result;
}

std::expected<AgentLeasePayload, MessageError> decode_agent_lease(ByteView payload) {
  Reader in(payload);
  const auto lifetime = in.le<std::uint32_t>();
  if (!lifetime || !in.empty()) return kBadPayload;
  return AgentLeasePayload{*lifetime};
}

std::expected<AgentListPayload, MessageError> decode_agent_list(ByteView payload) {
  Reader in(payload);
  AgentListPayload result;
  const auto more = in.u8();
  const auto count = in.le<std::uint16_t>();
  if (!more || *more > 1 || !count) return kBadPayload;
  result.more = *more == 1;
  // Nothing is reserved by a count that was not paid for in bytes.
  for (std::size_t i = 0; i < *count; ++i) {
    PublicKey::Bytes owner;
    if (!read_array(in, owner)) return kBadPayload;
    auto description = read_agent_register(in);
    if (!description) return kBadPayload;
    result.agents.push_back({PublicKey(owner), std::move(*description)});
  }
  if (!in.empty()) return kBadPayload;
  return result;
}

std::expected<ErrorPayload, MessageError> decode_error(ByteView payload) {
  Reader in(payload);
  const auto reason = in.le<std::uint16_t>();
  if (!reason) return kBadPayload;
  const std::string_view text = as_text(in.rest());
  if (!is_writable_text(text)) return kBadPayload;
  return ErrorPayload{static_cast<ErrorReason>(*reason), text};
}

}  // namespace mxp
