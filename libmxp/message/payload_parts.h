// What payloads with a layout are read and written with (docs/protocol.md §1).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <limits>
#include <optional>
#include <string_view>

#include "core/cursor.h"
#include "core/utf8.h"
#include "mxp/message.h"

namespace mxp {

inline constexpr std::unexpected<MessageError> kBadPayload(MessageError::bad_payload);
// What a u16 counts: the bytes of a text, and the capabilities of an agent.
inline constexpr std::size_t kMaxTextSize = std::numeric_limits<std::uint16_t>::max();

inline bool is_writable_text(std::string_view text) {
  return text.size() <= kMaxTextSize && is_valid_utf8(as_bytes(text));
}
// u16 length ‖ UTF-8. REQUIRES: is_writable_text(text).
inline void write_text(Writer& out, std::string_view text) {
  out.le(static_cast<std::uint16_t>(text.size()));
  out.bytes(as_bytes(text));
}
inline std::string_view as_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
// A view of what was read.
inline std::optional<std::string_view> read_text(Reader& in) {
  const auto size = in.le<std::uint16_t>();
  if (!size) return std::nullopt;
  const auto bytes = in.bytes(*size);
  if (!bytes || !is_valid_utf8(*bytes)) return std::nullopt;
  return as_text(*bytes);
}

template <std::size_t N>
bool read_array(Reader& in, std::array<std::uint8_t, N>& out) {
  const auto bytes = in.bytes(N);
  if (!bytes) return false;
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return true;
}

// An AgentRegister payload as views into it; `on_capability` is called with each in order. It ends where the payload's
// last field ends, which may be before the end of `in`. nullopt if it is none.
struct AgentRegisterView {
  Uuid agent{};
  std::string_view name;
  std::size_t capabilities = 0;
  std::array<std::uint8_t, 4> ipv4{};
  std::uint16_t port = 0;
};
template <typename OnCapability>
std::optional<AgentRegisterView> read_agent_register(Reader& in, OnCapability&& on_capability) {
  AgentRegisterView result;
  if (!read_array(in, result.agent)) return std::nullopt;
  const auto name = read_text(in);
  if (!name) return std::nullopt;
  result.name = *name;
  const auto count = in.le<std::uint16_t>();
  if (!count) return std::nullopt;
  result.capabilities = *count;
  for (std::size_t i = 0; i < *count; ++i) {
    const auto capability = read_text(in);
    if (!capability) return std::nullopt;
    on_capability(*capability);
  }
  if (!read_array(in, result.ipv4)) return std::nullopt;
  const auto port = in.le<std::uint16_t>();
  if (!port) return std::nullopt;
  result.port = *port;
  return result;
}

// The same with memory of its own.
inline std::optional<AgentRegisterPayload> read_agent_register(Reader& in) {
  AgentRegisterPayload result;
  const auto view =
      read_agent_register(in, [&](std::string_view capability) { result.capabilities.emplace_back(capability); });
  if (!view) return std::nullopt;
  result.agent = view->agent;
  result.name = view->name;
  result.ipv4 = view->ipv4;
  result.port = view->port;
  return result;
}

}  // namespace mxp
