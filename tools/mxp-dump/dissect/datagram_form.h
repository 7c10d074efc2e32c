// What the form of a datagram's clear bytes tells by itself (docs/protocol.md §2.1, §3).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "core/packet_header.h"
#include "mxp-dump/dissect/handshake_copies.h"
#include "mxp/config.h"

namespace mxp::dump {

inline ConnectionId id_at(ByteView bytes, std::size_t offset) {
  ConnectionId::Bytes id{};
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), id.size(), id.begin());
  return ConnectionId(id);
}

inline bool is_handshake(ByteView payload) {
  constexpr std::array<std::uint8_t, 4> kWireVersion{'M', 'X', 'P', '1'};  // protocol.md §2.1
  return payload.size() >= 1 + kWireVersion.size() && payload[0] >= 0xc0 && payload[0] <= 0xc5 &&
         std::equal(kWireVersion.begin(), kWireVersion.end(), payload.begin() + 1);
}

inline std::optional<HandshakeMessage> message_of(std::uint8_t first_byte) {
  if (first_byte == packet_bits::kInitial) return HandshakeMessage::initial;
  if (first_byte == packet_bits::kResponse) return HandshakeMessage::response;
  return std::nullopt;
}

inline bool handshake_size(std::size_t size) { return size >= kMinInitialSize && size <= kMaxInitialSize; }

inline void earliest(std::optional<std::uint64_t>& time, std::optional<std::uint64_t> other) {
  if (other && (!time || *other < *time)) time = other;
}

}  // namespace mxp::dump
