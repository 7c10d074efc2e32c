// Strong types for the numbers of the wire: a packet number is not a stream id is not a length.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>

#pragma GCC visibility push(default)
namespace mxp {

// Largest value of a variable-length integer (RFC 9000 §16): 2^62 − 1.
inline constexpr std::uint64_t kMaxVarint = (std::uint64_t{1} << 62) - 1;

class PacketNumber {
 public:
  constexpr PacketNumber() = default;
  explicit constexpr PacketNumber(std::uint64_t value) : value_(value) {}
  constexpr std::uint64_t value() const { return value_; }
  constexpr PacketNumber next() const { return PacketNumber(value_ + 1); }
  constexpr auto operator<=>(const PacketNumber&) const = default;

 private:
  std::uint64_t value_ = 0;
};

enum class Role : std::uint8_t { client, server };
constexpr Role peer_of(Role role) { return role == Role::client ? Role::server : Role::client; }

enum class StreamType : std::uint8_t { bidirectional, unidirectional };

// RFC 9000 §2.1: bit 0 says who opened the stream, bit 1 whether it is one-way, the rest counts.
class StreamId {
 public:
  constexpr StreamId() = default;
  explicit constexpr StreamId(std::uint64_t value) : value_(value) {}
  static constexpr StreamId make(Role initiator, StreamType type, std::uint64_t index) {
    return StreamId(index << 2 | (type == StreamType::unidirectional ? 2u : 0u) |
                    (initiator == Role::server ? 1u : 0u));
  }
  constexpr std::uint64_t value() const { return value_; }
  constexpr Role initiator() const { return (value_ & 1) != 0 ? Role::server : Role::client; }
  constexpr StreamType type() const {
    return (value_ & 2) != 0 ? StreamType::unidirectional : StreamType::bidirectional;
  }
  // Position among the streams of the same initiator and type, from 0.
  constexpr std::uint64_t index() const { return value_ >> 2; }
  constexpr auto operator<=>(const StreamId&) const = default;

 private:
  std::uint64_t value_ = 0;
};

// Eight bytes, chosen by whoever receives the packets that carry it (docs/protocol.md §3).
class ConnectionId {
 public:
  static constexpr std::size_t kSize = 8;
  using Bytes = std::array<std::uint8_t, kSize>;

  constexpr ConnectionId() = default;
  explicit constexpr ConnectionId(const Bytes& bytes) : bytes_(bytes) {}
  constexpr const Bytes& bytes() const { return bytes_; }
  // The bytes as one integer in the machine's order: a table key, never a wire format.
  std::uint64_t key() const {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes_.data(), kSize);
    return value;
  }
  constexpr auto operator<=>(const ConnectionId&) const = default;

 private:
  Bytes bytes_{};
};

}  // namespace mxp
#pragma GCC visibility pop

template <>
struct std::hash<mxp::StreamId> {
  std::size_t operator()(mxp::StreamId id) const noexcept { return std::hash<std::uint64_t>{}(id.value()); }
};
